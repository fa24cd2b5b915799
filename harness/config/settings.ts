/** @file The one table of settings: each is a flag, a key of the config file and an environment variable. */
import { BACKEND_CHOICES, PRECISIONS } from '../num/backends/names.ts';
import { ASSESS_SETTINGS } from './assess-settings.ts';
import { COMPARE_SETTINGS } from './compare-settings.ts';
import { DOCTOR_SETTINGS } from './doctor-settings.ts';
import { DOMAIN_SETTINGS } from './domain-settings.ts';
import type { CommandName, Setting } from './setting.ts';
import { SUBMIT_SETTINGS } from './submit-settings.ts';

export type { CommandName, Setting } from './setting.ts';

const ALL: readonly CommandName[] = [
  'run',
  'train',
  'report',
  'compare',
  'history',
  'assess',
  'ls',
  'fetch',
  'store',
  'validate',
  'convert',
  'new',
  'submit',
  'verify',
  'doctor',
];
const COMPUTING: readonly CommandName[] = ['run', 'train'];

export const SETTINGS: readonly Setting[] = [
  {
    name: 'limit',
    type: 'number',
    min: 1,
    commands: COMPUTING,
    value: 'N',
    description: 'At most N items a split, everything else capped to match; results are marked as limited.',
  },
  {
    name: 'full',
    type: 'boolean',
    default: false,
    commands: ['run'],
    description: 'The whole protocol of a suite that is a part of it (ls suites says which); into a folder of its own.',
  },
  { name: 'seed', type: 'number', min: 0, commands: COMPUTING, value: 'N', description: 'Run this one seed.' },
  {
    name: 'only',
    type: 'list',
    commands: ['run', 'report', 'assess'],
    value: 'FILTER',
    description: 'Only these: methods=topk,pca tasks=steering subjects=… sites=… seeds=…, or bare names.',
  },
  {
    name: 'backend',
    type: 'string',
    choices: BACKEND_CHOICES,
    default: 'auto',
    commands: COMPUTING,
    description: 'What computes; auto takes the fastest that starts.',
  },
  {
    name: 'precision',
    type: 'string',
    choices: PRECISIONS,
    default: 'float32',
    commands: COMPUTING,
    description:
      'bf16: linear layers of subjects, and dense products in SAE training, multiply in bfloat16 and sum in float32, on CPUs with AMX or AVX512-BF16; results are kept apart.',
  },
  {
    name: 'out',
    type: 'string',
    commands: ['run', 'train', 'report', 'compare', 'history', 'assess', 'store', 'convert', 'new', 'submit'],
    value: 'DIR',
    description:
      'Folder for results, reports and files (run: saxbench-out/<suite>; compare, history: none are written; store gc: where results are looked for; new: this one; submit: reports/submissions).',
  },
  {
    name: 'store',
    type: 'string',
    commands: ['run', 'train', 'store', 'doctor'],
    value: 'DIR',
    default: '.saxbench/store',
    description: 'Folder for activations and fitted methods, shared by all runs.',
  },
  {
    name: 'plugin',
    type: 'list',
    commands: ['run', 'train', 'ls', 'validate', 'submit'],
    value: 'FILE',
    description:
      'A .ts or .js file with an SAE, baseline, task, dataset, judge or subject family of your own; the first three join a run.',
  },
  {
    name: 'subject',
    type: 'string',
    commands: ['run', 'train', 'ls', 'convert'],
    value: 'DIR',
    description:
      'A model folder (Hugging Face layout), a .gguf file, a hub id, or an embedded or known subject, in place of the suite’s.',
  },
  {
    name: 'random-init',
    type: 'string',
    choices: ['all', 'blocks'],
    commands: COMPUTING,
    description:
      'Draw the subject’s weights anew, all or all but the embeddings (blocks): what a method scores where nothing was learned.',
  },
  {
    name: 'site',
    type: 'list',
    commands: [...COMPUTING, 'convert'],
    value: 'SITE',
    description: 'Sites to study, in place of the suite’s.',
  },
  {
    name: 'embedder',
    type: 'string',
    commands: ['run'],
    value: 'DIR',
    description:
      'An encoder, not the subject, that the MS score compares items by, and the judge `embedding` texts: a model folder, a hub id or a name, e.g. a MiniLM.',
  },
  {
    name: 'judge',
    type: 'string',
    commands: ['run'],
    value: 'ID[,ID]',
    description:
      'Who rates generated texts (ls judges), in place of the suite’s judge; of several the first ranks, all rate the same texts.',
  },
  {
    name: 'judge-url',
    type: 'string',
    commands: ['run', 'doctor'],
    value: 'URL',
    personal: true,
    description:
      'Judge openai: base URL of an OpenAI-compatible endpoint, e.g. http://localhost:8000/v1. Its key is in SAXBENCH_JUDGE_KEY only (OPENAI_API_KEY for api.openai.com).',
  },
  {
    name: 'judge-model',
    type: 'string',
    commands: ['run'],
    value: 'NAME',
    description: 'Judge openai: the model to ask, e.g. gpt-4o-mini.',
  },
  {
    name: 'max-judge-calls',
    type: 'number',
    min: 0,
    commands: ['run'],
    value: 'N',
    description:
      'Judge openai: at most N requests; ratings beyond are missing, and asked for by the next run. 0: replies that are kept alone.',
  },
  {
    name: 'judge-concurrency',
    type: 'number',
    min: 1,
    default: 8,
    commands: ['run'],
    value: 'N',
    description: 'Judge openai: requests at the same time.',
  },
  {
    name: 'judge-timeout',
    type: 'number',
    min: 1,
    default: 120,
    commands: ['run'],
    value: 'SECONDS',
    description: 'Judge openai: how long a reply may take.',
  },
  {
    name: 'judge-price',
    type: 'string',
    commands: ['run'],
    value: 'IN,OUT',
    description:
      'Judge openai: price of a million tokens sent and received, e.g. 0.15,0.60, for the estimate of --dry-run.',
  },
  {
    name: 'activations',
    type: 'string',
    commands: COMPUTING,
    value: 'DIR',
    description: 'A folder of activations made elsewhere (.safetensors or .npy with labels), in place of subjects.',
  },
  {
    name: 'modality',
    type: 'string',
    choices: ['text', 'image'],
    commands: COMPUTING,
    description: 'What the items of --activations are, where the folder does not say it.',
  },
  {
    name: 'draw-seed',
    type: 'number',
    min: 0,
    commands: COMPUTING,
    value: 'N',
    description: 'Seed that draws the splits of --activations (0).',
  },
  {
    name: 'positions',
    type: 'list',
    commands: COMPUTING,
    value: 'NAME=VALUE',
    description:
      'Which positions of text are rows: first=1 or maxNorm=10 leave some out, tokens=\'["\\n"]\' too; sinks=keep measures and leaves out none.',
  },
  {
    name: 'checkpoint',
    type: 'list',
    commands: ['run'],
    value: '[NAME=]PATH[@[SUBJECT:]SITE]',
    description:
      'Also benchmark this trained SAE, a folder or file of SAELens, dictionary_learning, Gemma Scope, … or hub:OWNER/REPO/PATH@REVISION, at the site that it or SITE says.',
  },
  {
    name: 'checkpoint-form',
    type: 'list',
    commands: ['run', 'convert', 'submit'],
    value: 'NAME=VALUE,…',
    description:
      'What a --checkpoint of plain tensors does not say, e.g. W_enc=enc,W_dec=dec.T,architecture=topk,k=32.',
  },
  {
    name: 'checkpoint-site',
    type: 'string',
    commands: ['run'],
    value: 'SITE',
    description: 'Score every --checkpoint at this site, although its cfg.json names another site or model.',
  },
  { name: 'sae', type: 'string', commands: ['train'], value: 'ID', description: 'The SAE variant to train.' },
  {
    name: 'option',
    type: 'list',
    commands: COMPUTING,
    value: 'NAME=VALUE',
    description:
      'A hyper-parameter or training option, e.g. k=32, lr=3e-4; in a run METHOD.NAME=VALUE, e.g. topk.k=32, or TASK.NAME=VALUE.',
  },
  {
    name: 'dataset',
    type: 'string',
    commands: COMPUTING,
    value: 'ID',
    description: 'The dataset to pass through the subject; of a run, in place of the suite’s (one subject only).',
  },
  {
    name: 'dataset-option',
    type: 'list',
    commands: COMPUTING,
    value: 'NAME=VALUE',
    description: 'An option of the dataset, e.g. train=48 or path=./texts.',
  },
  {
    name: 'overwrite',
    type: 'boolean',
    default: false,
    commands: [...COMPUTING, 'convert', 'submit', 'assess'],
    description: 'Replace another SAE, results of a run under other settings, or a submission, that lie in --out.',
  },
  {
    name: 'items',
    type: 'number',
    min: 1,
    commands: ['train'],
    value: 'N',
    description: 'Items of the dataset to train on (2000; of --activations all but those for tests and concepts).',
  },
  {
    name: 'format',
    type: 'list',
    commands: ['report'],
    value: 'FORMAT',
    description:
      'Write these: md, csv, html (unless told otherwise), csv-wide (a row a method and setting), latex (tables of booktabs, with what to cite), json, svg and pdf (figures/, a file a plot; pdf by Chromium).',
  },
  {
    name: 'also',
    type: 'list',
    commands: ['report'],
    value: 'DIR',
    description: 'Further folders of results, in one report with those of [dir]; what is in several counts once.',
  },
  {
    name: 'include-limited',
    type: 'boolean',
    default: false,
    commands: ['report'],
    description: 'Also take results made with --limit into the reports.',
  },
  ...DOMAIN_SETTINGS,
  {
    name: 'check',
    type: 'boolean',
    default: false,
    commands: ['report'],
    description: 'Only check that LEADERBOARD.md of the checkout is what its reference results render to.',
  },
  {
    name: 'update-leaderboard',
    type: 'boolean',
    default: false,
    commands: ['run'],
    description:
      'Also make the results the checkout’s reference and write its LEADERBOARD.md (whole suites real and variants only).',
  },
  ...COMPARE_SETTINGS,
  ...ASSESS_SETTINGS,
  ...SUBMIT_SETTINGS,
  ...DOCTOR_SETTINGS,
  {
    name: 'force',
    type: 'boolean',
    default: false,
    commands: [...COMPUTING, 'submit'],
    description: 'Compute everything anew, also what the store and the results have.',
  },
  {
    name: 'older-than',
    type: 'number',
    min: 0,
    commands: ['store'],
    value: 'DAYS',
    description: 'gc: remove steps that were not used for so long, and what was left unfinished.',
  },
  {
    name: 'max-size',
    type: 'number',
    min: 0,
    commands: ['store'],
    value: 'MIB',
    description: 'gc: remove the steps that were not used for longest until the others have at most so many MiB.',
  },
  {
    name: 'unused',
    type: 'boolean',
    default: false,
    commands: ['store'],
    description: 'gc: remove steps that no result below --out or --results (saxbench-out) came from.',
  },
  {
    name: 'results',
    type: 'list',
    commands: ['store'],
    value: 'DIR',
    description: 'gc --unused: a folder whose results count, beside that of --out.',
  },
  {
    name: 'yes',
    type: 'boolean',
    default: false,
    commands: ['store'],
    description: 'gc: do it. Without, gc shows what it would remove.',
  },
  {
    name: 'dry-run',
    type: 'boolean',
    default: false,
    commands: ['run'],
    description: 'Show what would be done; compute nothing.',
  },
  {
    name: 'progress',
    type: 'boolean',
    default: true,
    commands: [...COMPUTING, 'submit', 'verify', 'assess'],
    description: 'Show progress (--no-progress: do not).',
  },
  {
    name: 'json',
    type: 'boolean',
    default: false,
    commands: ALL,
    description: 'Print machine-readable output to stdout, nothing else.',
  },
  {
    name: 'config',
    type: 'string',
    commands: ALL,
    value: 'FILE',
    description: 'JSON file with settings by name; ./saxbench.config.json when it exists.',
  },
];

/** The settings of a command. */
export const settingsOf = (command: CommandName): Setting[] =>
  SETTINGS.filter(({ commands }) => commands.includes(command));

/** `update-leaderboard` → `SAXBENCH_UPDATE_LEADERBOARD`. */
export const environmentName = ({ name }: Setting): string => `SAXBENCH_${name.toUpperCase().replaceAll('-', '_')}`;
