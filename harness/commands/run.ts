/** @file `saxbench run`: runs a suite, prints a summary, writes the reports. */
import { join, resolve } from 'node:path';
import type { Values } from '../config/read.ts';
import type { RandomInit } from '../contract.ts';
import { UserError } from '../errors.ts';
import type { Executor, Failure } from '../execute/executor.ts';
import type { RunSummary } from '../execute.ts';
import { OWN_THREADS } from '../num/backends/names.ts';
import type { Precision } from '../num/precision.ts';
import { fewOpenFiles } from '../open-files.ts';
import type { Plan, StepKind } from '../plan.ts';
import type { Registry } from '../registry.ts';
import type { Result } from '../schema/result.generated.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { isImported } from '../suite/resolved.ts';
import type { Command, CommandContext } from './command.ts';
import { importedFrom } from './imported.ts';
import { registryFor } from './plugins.ts';
import { beginning, prepared } from './prepared.ts';

/** Says what a subject that is not the suite's own runs on; its SAEs are sized by its width, d_in. */
async function sizedFor(
  suite: Suite,
  given: Suite,
  imported: number | undefined,
  registry: Registry,
  say: (line: string) => void,
): Promise<{ suite: Suite; d_in?: number }> {
  const [subject] = suite.subjects;
  const own = given.subjects.some(
    ({ id, path, hub }) => id === subject!.id && path === subject!.path && hub === subject!.hub,
  );
  if (suite.id === given.id || (own && imported === undefined)) return { suite };
  let d_in = imported;
  if (d_in === undefined) {
    const { outlinedSites } = await import('../suite/subjects.ts');
    const sites = await outlinedSites(subject!, registry);
    if (!sites) {
      say(
        `${suite.title}: k and d_sae of the SAEs are the suite's: the family of ${subject!.id} does not tell the width of its ` +
          'sites before it is loaded; --option METHOD.NAME=VALUE sets others.',
      );
      return { suite };
    }
    const { siteOf } = await import('../activations/site-of.ts');
    const known = { id: subject!.id ?? given.id, sites };
    const widths = subject!.sites.map((name) => siteOf(known, name).d);
    d_in = Math.min(...widths);
  }
  const { sizedBy } = await import('../suite/widths.ts');
  const { dataset, activations, sites } = subject!;
  const data =
    dataset === undefined ? 'imported activations' : `dataset ${dataset.id} ${JSON.stringify(dataset.options ?? {})}`;
  say(
    `${suite.title}: ${sites.join(', ')} (d_in ${d_in}), ${data}, items ${JSON.stringify({ train: activations?.train, test: activations?.test })}`,
  );
  return { suite: await sizedBy(suite, d_in, registry), d_in };
}

/** The suite that the settings ask for, with absolute paths. */
async function suiteFor(
  name: string,
  registry: Registry,
  { values, say, signal }: Pick<CommandContext, 'values' | 'say' | 'signal'>,
): Promise<Suite> {
  const { checkNames, loadSuite } = await import('../suite/load.ts');
  const { checkpointByName } = await import('../suite/checkpoint.ts');
  const { absolutePaths, overrideSuite } = await import('../suite/override.ts');
  const { fetchNamed, subjectByName } = await import('../suite/subjects.ts');
  const { selectFromSuite } = await import('../suite/select.ts');
  const { limitSuite } = await import('../suite/limit.ts');
  const { suite: named, baseDir } = await loadSuite(name);
  const { fullSuite, scoredToo } = await import('../suite/full.ts');
  const loaded = values['full'] ? fullSuite(named) : named;
  const { subject, seed, limit } = values;
  const absolute = absolutePaths(loaded, baseDir);
  const site = values['checkpoint-site'] as string | undefined;
  const form = await checkpointForm(values);
  const given = ((values['checkpoint'] ?? []) as string[]).map((text) => checkpointByName(text, form));
  if (site !== undefined && given.length === 0)
    throw new UserError('--checkpoint-site: expected a --checkpoint too; found none.');
  const checkpoints = site === undefined ? given : given.map((each) => ({ ...each, site, anyOrigin: true }));
  const wider = { ...absolute, methods: [...absolute.methods, ...checkpoints] };
  const imported = await importedFrom(values);
  const own = subject === undefined ? undefined : await subjectByName(subject as string);
  if (own && !imported) await fetchNamed([own], { say, signal });
  const overridden = await overrideSuite(wider, {
    ...(own && { subject: own }),
    sites: values['site'] as string[] | undefined,
    imported,
    seed: seed as number | undefined,
    randomInit: values['random-init'] as RandomInit | undefined,
  });
  const { idleLines, joinedLines, joinPlugins } = await import('../suite/join-plugins.ts');
  const { suite: all, joined } = await joinPlugins(overridden, registry, wider);
  const whole = scoredToo(all, absolute);
  checkNames(whole, `suite ${name}`);
  const chosen = selectFromSuite(whole, (values['only'] ?? []) as string[]);
  const { exchangeDataset } = await import('../suite/exchange-dataset.ts');
  const { namedOptions } = await import('../suite/option-text.ts');
  const exchanged = exchangeDataset(chosen, {
    ...(values['dataset'] === undefined ? {} : { id: values['dataset'] as string }),
    options: namedOptions(values['dataset-option'] as string[] | undefined, '--dataset-option', 'train=48'),
    baseDir: process.cwd(),
  });
  const sized = await sizedFor(exchanged, absolute, imported?.d_in, registry, say);
  const limited = limit === undefined ? sized.suite : limitSuite(sized.suite, limit as number);
  const { setJudge, setJudgeModel } = await import('../suite/set-judge.ts');
  const judged = await setJudge(limited, values['judge'] as string | undefined, registry);
  const { setOptions } = await import('../suite/set-options.ts');
  const withOptions = setOptions(judged, (values['option'] ?? []) as string[]);
  const options = await setJudgeModel(withOptions, values['judge-model'] as string | undefined, registry);
  const { setEmbedder } = await import('../suite/embedder.ts');
  const embedder = values['embedder'] as string | undefined;
  const embedded = embedder === undefined ? options : await setEmbedder(options, embedder, registry);
  const { setPositions } = await import('../suite/set-positions.ts');
  const positions = values['positions'] as string[] | undefined;
  const final = setPositions(embedded, positions);
  const { validate } = await import('../schema/validate.ts');
  if (positions !== undefined) await validate('suite', final, '--positions');
  for (const line of joinedLines(final, joined, sized.d_in !== undefined)) say(line);
  for (const line of await idleLines(final, registry)) say(line);
  if (sized.d_in !== undefined) {
    const { sizeLines } = await import('../suite/widths.ts');
    for (const line of await sizeLines(final, sized.d_in, registry)) {
      say(`${line} (by d_in, where no --option METHOD.NAME=VALUE sets it)`);
    }
  }
  return final;
}

/** What `--checkpoint-form` says of the one `--checkpoint`. */
async function checkpointForm(values: Values): Promise<Record<string, unknown> | undefined> {
  const texts = values['checkpoint-form'] as string[] | undefined;
  if (texts === undefined) return undefined;
  const count = ((values['checkpoint'] ?? []) as string[]).length;
  if (count !== 1) throw new UserError(`--checkpoint-form: expected one --checkpoint, which it is of; found ${count}.`);
  const { listedOptions } = await import('../suite/option-text.ts');
  return listedOptions(texts, '--checkpoint-form', 'architecture=topk,k=32');
}

/** A checkpoint that the command line asks for must get its rows: at no site is a mistake. */
async function checkPlaced(plan: Plan, values: Values): Promise<void> {
  const { checkpointByName } = await import('../suite/checkpoint.ts');
  const { methodName } = await import('../suite/load.ts');
  for (const given of (values['checkpoint'] ?? []) as string[]) {
    const name = methodName(checkpointByName(given));
    if (plan.sites.some(({ fits }) => fits.some(({ method }) => method.name === name))) continue;
    const left = plan.skipped.find(({ subject, method }) => subject === undefined && method === name);
    const reason = left?.reason ?? 'gets no row: its subject, or --only, leaves it out';
    throw new UserError(`--checkpoint ${given}: ${reason}; add --subject and --site, or name another.`);
  }
}

/** A run of which nothing is left is a mistake. */
function checkTasks({ sites, skipped }: Plan): void {
  const left = skipped.find(({ task }) => task !== undefined);
  if (sites.length > 0 || !left) return;
  throw new UserError(`nothing to run: ${left.subject} ${left.task}: ${left.reason}.`);
}

/** What a person must know of imported activations before they compute on them. */
function sayImports({ sites }: Plan, say: (line: string) => void): void {
  const subjects = new Map(sites.map(({ subject }) => [subject.id, subject]));
  for (const { id, notes = [] } of subjects.values()) for (const note of notes) say(`${id}: ${note}.`);
}

function outFolder(suite: Suite, values: Values): string {
  const limit = values['limit'] === undefined ? '' : `-limit-${values['limit']}`;
  const full = values['full'] ? '-full' : '';
  return resolve((values['out'] as string | undefined) ?? join('saxbench-out', `${suite.id}${full}${limit}`));
}

async function showPlan(plan: Plan, registry: Registry, { values, say, print }: CommandContext): Promise<number> {
  const { planSteps } = await import('../plan.ts');
  const { openStore } = await import('../store.ts');
  const store = openStore(values['store'] as string, say);
  // What a judge could not be asked for is asked for again.
  const isDone = async (kind: StepKind, key: string) =>
    (await store.has(kind, key)) &&
    (kind !== 'evaluate' || (await store.open(kind, key))?.meta['incomplete'] === undefined);
  const steps = [];
  for (const step of planSteps(plan)) steps.push({ ...step, done: await isDone(step.kind, step.key) });
  const { estimateLine, estimates } = await import('./judging.ts');
  const judging = await estimates(plan, registry, values, async (key) => !(await isDone('evaluate', key)));
  if (values['json']) {
    print(JSON.stringify({ steps, skipped: plan.skipped, ...(judging.length > 0 ? { judging } : {}) }, null, 2));
    return 0;
  }
  for (const { kind, label, done } of steps) print(`${done ? 'done' : 'to do'}\t${kind}\t${label}`);
  for (const estimate of judging) print(estimateLine(estimate));
  return 0;
}

/** Failures with one message are one line: a cause that many steps share is said once. */
function showFailures(failures: readonly Failure[], say: (line: string) => void): void {
  const labels = new Map<string, string[]>();
  for (const { label, error } of failures) {
    const user = error instanceof UserError;
    const text = user ? error.message : error instanceof Error ? (error.stack ?? error.message) : String(error);
    labels.set(text, [...(labels.get(text) ?? []), label]);
  }
  for (const [text, [first, ...others]] of labels) {
    say(`failed: ${first}${others.length > 0 ? ` and ${others.length} more` : ''}: ${text}`);
  }
}

/** What results are marked with, as a warning, once for each method at a site: for who does not get the summary, which says it below its tables. */
function showMarks(results: readonly Result[], say: (line: string) => void): void {
  const lines = results.flatMap(({ subject, site, method, marks = [] }) =>
    marks.map(({ message }) => `${subject.id} ${site.name} ${method.name}: ${message}`),
  );
  for (const line of new Set(lines)) say(`warning: ${line}`);
}

/** What a reader of results must know of the texts, once for each subject. */
function showNotes(results: readonly Result[], say: (line: string) => void): void {
  const computed = results.filter(({ subject }) => !isImported(subject));
  const lines = computed.flatMap(({ subject, dataset }) =>
    (dataset.notes ?? []).map((note) => `${subject.id}: ${note}.`),
  );
  for (const line of new Set(lines)) say(line);
}

async function conclude(summary: RunSummary, plan: Plan, out: string, context: CommandContext): Promise<number> {
  const { exitCodeOf } = await import('../execute.ts');
  const { say, print, values } = context;
  const { results, present, computed, failures, failed: failedResults } = summary;
  const told = [...results, ...failedResults];
  for (const { subject, method, task, reason } of plan.skipped)
    say(`left out: ${[subject, method, task].filter(Boolean).join(' ')}: ${reason}.`);
  showFailures(failures, say);
  showNotes(results, say);
  const { writeReports } = await import('./report.ts');
  const { files, refused } =
    told.length > 0
      ? await writeReports(out, values, { ...plan, failed: failures.length })
      : { files: [], refused: [] };
  for (const reason of refused) say(`left out of the reports: ${reason}`);
  if (values['json']) {
    showMarks(results, say);
    const { scoresOf } = await import('../../reports/index.ts');
    const failed = failures.map(({ label, error }) => ({
      label,
      message: error instanceof Error ? error.message : String(error),
    }));
    print(
      JSON.stringify(
        {
          out,
          results: results.length,
          present,
          computed,
          failures: failed,
          skipped: plan.skipped,
          files,
          scores: scoresOf(results),
        },
        null,
        2,
      ),
    );
    return exitCodeOf(failures);
  }
  const { summaryTable } = await import('../../reports/index.ts');
  if (told.length > 0) print(`\n${summaryTable(told)}\n`);
  print(
    `results: ${results.length} (${present} were there already, ${results.length - present} new) in ${join(out, 'results')}`,
  );
  for (const file of files) print(`wrote ${file}`);
  return exitCodeOf(failures);
}

/** Beyond this many, threads wait for one another's activations and preparations. */
const MAX_THREADS = 4;

/** Threads, where there are cores for them and the backend computes on cores; else this one. */
async function executorFor(backend: string, values: Values): Promise<Executor> {
  const { allowedThreads } = await import('../native/addon.ts');
  const { threads } = await import('../execute/threads.ts');
  const one = OWN_THREADS.includes(backend) || fewOpenFiles();
  const most = one ? 1 : Math.min(MAX_THREADS, allowedThreads());
  const precision = values['precision'] as Precision;
  return threads({ threads: most, backend, precision, plugins: (values['plugin'] ?? []) as string[] });
}

export const command: Command = {
  name: 'run',
  usage: 'run [suite]',
  summary: 'Run a suite: train, evaluate, report. The same command again goes on where it stopped',
  positionals: {
    suite: { description: 'A suite by id (saxbench ls suites) or the path of its file', default: 'default' },
  },
  examples: [
    ['saxbench run', 'the default suite on the embedded subjects'],
    ['saxbench run default --limit 100', 'the same, small, in about a minute'],
    ['saxbench run --only methods=topk,pca --only tasks=reconstruction', 'part of it'],
    ['saxbench run --subject models/my-llama --site blocks.6.hook_resid_post', 'your own model'],
    ['saxbench run --checkpoint ./my-sae --only methods=my-sae,neurons', 'an SAE trained elsewhere, beside a baseline'],
    [
      'saxbench run --judge openai,dataset --judge-url http://localhost:8000/v1 --judge-model NAME --dry-run',
      'a model as judge of steered texts beside the dataset’s own: first what it would be asked for',
    ],
    ['saxbench run --option topk.k=32', 'an option of one method, beside the rows that are there'],
    [
      'saxbench run --plugin ./my-sae.ts --only my-sae,topk',
      'a method of your own (saxbench new sae my-sae) beside topk',
    ],
  ],
  async run(context) {
    const { values, signal, say } = context;
    const registry = await registryFor(values);
    const suite = await suiteFor(context.positionals['suite']!, registry, context);
    const { chatFor, endpointUrl } = await import('./judging.ts');
    const made = await prepared(suite, registry, context, await endpointUrl(values));
    const { plan, places, backend, provenance } = made;
    checkTasks(plan);
    await checkPlaced(plan, values);
    signal.throwIfAborted();
    const out = outFolder(suite, values);
    const { checkOwner, compareFolder, outdatedLines, refuseOthers, removeOthers } = await import(
      '../execute/results-folder.ts'
    );
    await checkOwner(out, {
      suite: suite.id,
      ...(values['limit'] === undefined ? {} : { limit: values['limit'] as number }),
    });
    const findings = await compareFolder(out, plan);
    if (!values['overwrite']) refuseOthers(out, findings);
    sayImports(plan, say);
    if (values['dry-run']) return showPlan(plan, registry, context);
    await removeOthers(findings);
    for (const line of outdatedLines(findings)) say(line);
    say(beginning(`suite ${suite.id}`, made));
    const { executePlan } = await import('../execute.ts');
    const { openStore } = await import('../store.ts');
    const store = openStore(values['store'] as string, say);
    const chat = await chatFor(plan, context);
    const run = { registry, store, places, out, provenance, signal, say, ...(chat ? { chat } : {}) };
    const summary = await executePlan(plan, run, {
      showProgress: values['progress'] as boolean,
      force: values['force'] as boolean,
      executor: await executorFor(backend.name, values),
    });
    if (chat && chat.calls() > 0) say(`judge endpoint ${chat.endpoint}: ${chat.calls()} requests were sent.`);
    return conclude(summary, plan, out, context);
  },
};
