/** @file `saxbench new`: a plug-in, suite or domain of one's own to start from, with its test. */
import { access, readdir, readFile, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { EMBEDDED_LM, EMBEDDED_SITE } from '../paths.ts';
import type { PluginKind } from '../plugin-check.ts';
import type { Registry } from '../registry.ts';
import type { Command } from './command.ts';

const KINDS = ['sae', 'baseline', 'task', 'dataset', 'judge', 'suite', 'domain', 'dump-script'] as const;
type Kind = (typeof KINDS)[number];

/** Name of the files that lie in `harness/scaffold/<kind>/`, and in them. */
const STARTER = 'starter';

const NAME_MEANING = 'A name of lower-case letters, digits and single dashes, as in my-sae';

/** Names in results are as long as this at most. */
const MAX_NAME = 80;
const NAME = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;

/** What to do with the files, in order: commands, with what each is for. */
const NEXT: Readonly<Record<Kind, (name: string, file: string) => [command: string, meaning: string][]>> = {
  sae: (name, file) => [
    [`npx saxbench run default --plugin ${file} --only ${name},topk --limit 8`, 'beside topk, at its sizes'],
    [
      `npx saxbench train --sae ${name} --plugin ${file} --subject ${EMBEDDED_LM} --site ${EMBEDDED_SITE} --dataset text-world --out trained`,
      'one SAE, to keep',
    ],
    [
      `npx saxbench run default --checkpoint trained --plugin ${file} --only trained --limit 8`,
      'score what was trained',
    ],
    [`npx saxbench submit ${file} --rehearse`, 'the protocol of the leaderboard, on other data: to tune on'],
  ],
  baseline: (name, file) => [
    [`npx saxbench run default --plugin ${file} --only ${name},diffmean --limit 8`, 'beside another baseline'],
  ],
  task: (name, file) => [
    [`npx saxbench run default --plugin ${file} --only topk,pca,${name} --limit 8`, 'two methods on it'],
  ],
  dataset: (name, file) => [
    [
      `npx saxbench run default --subject ${EMBEDDED_LM} --plugin ${file} --dataset ${name} --dataset-option path=${file.replace(/\.ts(?='?$)/, '.csv')} --only topk,linear-probe --limit 8`,
      'two methods on its texts',
    ],
  ],
  judge: (name, file) => [
    [
      `npx saxbench run default --plugin ${file} --option steering.judge=${name} --only diffmean,steering --only subjects=${EMBEDDED_LM}`,
      'what it makes of steered texts',
    ],
  ],
  'dump-script': (_name, file) => [
    [
      `python3 ${file} --model gpt2 --site blocks.6.hook_resid_post --texts texts.jsonl --out dump`,
      'needs torch and transformers; its head says what texts.jsonl is',
    ],
    ['npx saxbench validate dump', 'what it wrote'],
    ['npx saxbench run default --activations dump', 'methods and tasks of a suite on it'],
  ],
  domain: (name, file) => {
    const folder = file.replace(/\/suite\.json('?)$/, '$1');
    return [
      [`npx saxbench validate ${folder}`, 'counts by concept and part, copies, leaks, lengths'],
      [`npx saxbench run ${folder} --subject ${EMBEDDED_LM} --limit 8`, 'small, on a model that comes with saxbench'],
      [
        `npx saxbench run ${folder}`,
        `whole, on SmolLM2-135M; ${name} is a set to start from, too small to tell methods apart`,
      ],
    ];
  },
  suite: (_name, file) => [
    [`npx saxbench validate ${file}`, 'names, options and sizes'],
    [`npx saxbench run ${file} --limit 8`, 'small; without --limit, whole'],
  ],
};

/** What has a name already, in words; undefined where it is free. */
async function takenBy(kind: Kind, name: string, registry: Registry): Promise<string | undefined> {
  if (kind === 'dump-script') return undefined;
  if (kind === 'suite' || kind === 'domain') {
    const { suiteIds } = await import('../suite/load.ts');
    return suiteIds().includes(name) ? 'suite' : undefined;
  }
  const { CHECKPOINT } = await import('../registry.ts');
  const rivals: PluginKind[] = kind === 'sae' || kind === 'baseline' ? ['sae', 'baseline'] : [kind];
  for (const rival of rivals) if ((await registry.ids(rival)).includes(name)) return rival;
  return rivals.length > 1 && name === CHECKPOINT.id ? 'kind of method' : undefined;
}

async function checkName(kind: Kind, name: string): Promise<void> {
  if (!NAME.test(name) || name.length > MAX_NAME) {
    throw new UserError(
      `new ${kind}: expected a name of lower-case letters, digits and single dashes, at most ${MAX_NAME}, as in my-${kind}; found '${name}'.`,
    );
  }
  const { openRegistry } = await import('../registry.ts');
  const owner = await takenBy(kind, name, openRegistry());
  if (owner !== undefined)
    throw new UserError(`new ${kind}: saxbench has a ${owner} '${name}' of its own; choose another name.`);
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

/** Writes the starting files. @throws UserError where one of them is there already, or the folder cannot be written. */
async function writeFiles(kind: Kind, name: string, folder: string): Promise<string[]> {
  const { packageRoot } = await import('../paths.ts');
  const { ensureFolder } = await import('../io/ensure-folder.ts');
  const { writeError } = await import('../io/atomic.ts');
  const from = join(packageRoot, 'harness/scaffold', kind);
  const files = (await readdir(from))
    .sort()
    .map((file) => ({ source: join(from, file), to: join(folder, file.replace(STARTER, name)) }));
  for (const { to } of files) {
    if (await exists(to))
      throw new UserError(`new ${kind}: ${to} is there already; choose another name, or --out another folder.`);
  }
  for (const { source, to } of files) {
    const text = (await readFile(source, 'utf8')).replaceAll(STARTER, name);
    try {
      await ensureFolder(folder);
      await writeFile(to, text, { flag: 'wx' });
    } catch (error) {
      throw writeError(to, error);
    }
  }
  return files.map(({ to }) => to);
}

/** A path for a command line. */
function shellPath(path: string): string {
  const near = relative(process.cwd(), path);
  const text = near.startsWith('..') ? path : `./${near}`;
  return /^[\w./@:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export const command: Command = {
  name: 'new',
  usage: 'new <kind> [name]',
  summary: `Write a starting file of your own, with its test: ${KINDS.join(', ')}`,
  positionals: {
    kind: { description: 'What to start', choices: KINDS },
    name: { description: `${NAME_MEANING}; of a dump-script, dump where there is none` },
  },
  examples: [
    ['saxbench new sae my-sae', 'my-sae.ts, an SAE that works, and my-sae.test.mjs'],
    ['saxbench new task my-task --out plugins', 'in another folder'],
    ['saxbench new suite my-suite', 'my-suite.json: what to run on what'],
    ['saxbench new domain my-domain', 'my-domain/: a table of your own texts, their concepts, and what to run'],
    ['saxbench new dump-script', 'dump.py: activations of any Hugging Face model, for --activations'],
  ],
  async run({ positionals, values, print }) {
    const kind = positionals['kind'] as Kind;
    const name = positionals['name'] ?? (kind === 'dump-script' ? 'dump' : undefined);
    if (name === undefined) throw new UserError(`new: expected <name>: ${NAME_MEANING.toLowerCase()}; found nothing.`);
    await checkName(kind, name);
    const out = resolve((values['out'] as string | undefined) ?? '.');
    // A domain is a folder, the others are files.
    const folder = kind === 'domain' ? join(out, name) : out;
    const files = await writeFiles(kind, name, folder);
    const main = files.find((file) => /\.(ts|json|py)$/.test(file))!;
    const test = files.find((file) => file.endsWith('.test.mjs'));
    const next = NEXT[kind](name, shellPath(main));
    if (test !== undefined) next.unshift([`node --test ${shellPath(test)}`, 'its test']);
    if (values['json']) {
      print(JSON.stringify({ files, next: next.map(([line]) => line) }, null, 2));
      return 0;
    }
    for (const file of files) print(`wrote ${file}`);
    print('\nNext:');
    for (const [line, meaning] of next) print(`  ${line}    # ${meaning}`);
    return 0;
  },
};
