/** @file `saxbench run`: runs a suite, prints a summary, writes the reports. */
import { join, resolve } from 'node:path';
import type { Values } from '../config/read.ts';
import { UserError } from '../errors.ts';
import type { Failure } from '../execute/executor.ts';
import type { RunSummary } from '../execute.ts';
import type { Plan, StepKind } from '../plan.ts';
import type { Registry } from '../registry.ts';
import type { Result } from '../schema/result.generated.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { isImported } from '../suite/resolved.ts';
import { suiteFor } from './asked-suite.ts';
import type { Command, CommandContext } from './command.ts';
import { registryFor } from './plugins.ts';
import { beginning, executorFor, prepared } from './prepared.ts';

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

export const command: Command = {
  name: 'run',
  usage: 'run [suite]',
  summary: 'Run a suite: train, evaluate, report. The same command again goes on where it stopped',
  positionals: {
    suite: {
      description: 'A suite by id (saxbench ls suites), the path of its file, or the folder of a domain',
      default: 'default',
    },
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
    [
      'saxbench run ./my-domain --subject smollm2-135m',
      'a folder of your own texts and concepts (saxbench new domain)',
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
    const { chatFor, endpointUrl, uploads } = await import('./judging.ts');
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
    for (const line of uploads(plan, values)) say(line);
    sayImports(plan, say);
    if (values['dry-run']) return showPlan(plan, registry, context);
    await removeOthers(findings);
    for (const line of outdatedLines(findings)) say(line);
    say(beginning(`suite ${suite.id}`, made));
    const { executePlan } = await import('../execute.ts');
    const { openStore } = await import('../store.ts');
    const { writeRunRecord } = await import('./run-record.ts');
    await writeRunRecord(out, { cwd: process.cwd(), suite: context.positionals['suite']!, values });
    const store = openStore(values['store'] as string, say);
    const chat = await chatFor(plan, context);
    const run = { registry, store, places, out, provenance, signal, say, ...(chat ? { chat } : {}) };
    const summary = await executePlan(plan, run, {
      showProgress: values['progress'] as boolean,
      force: values['force'] as boolean,
      executor: await executorFor(backend, (values['plugin'] ?? []) as string[]),
    });
    if (chat && chat.calls() > 0) say(`judge endpoint ${chat.endpoint}: ${chat.calls()} requests were sent.`);
    return conclude(summary, plan, out, context);
  },
};
