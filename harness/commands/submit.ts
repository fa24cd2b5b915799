/** @file `saxbench submit`: checks a method, runs the reference suite on it, and writes what a pull request needs. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Board } from '../../reports/submitted.ts';
import type { Values } from '../config/read.ts';
import { UserError } from '../errors.ts';
import type { PreparedRun } from '../execute/run.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import type { Opened } from '../submit/opened.ts';
import type { Command, CommandContext } from './command.ts';
import { beginning, executorFor } from './prepared.ts';

/** A field that a person says, or a plug-in does. */
function field(values: Values, name: string, own: string | undefined, example: string): string {
  const text = ((values[name] as string | undefined) ?? own ?? '').trim();
  if (text !== '') return text;
  throw new UserError(`submit: expected --${name}; found none: e.g. --${name} '${example}'.`);
}

/** The suite of a board, and the variant that says where a submission stands in it. */
export const placeIn = ({ suite, protocol: { sizes } }: Board) => ({ suite, sizes });

/** On the backend of the reference: another gives other numbers. */
export async function preparedFor(
  board: Board,
  suite: Suite,
  registry: Registry,
  { limited, say }: { limited: boolean; say(line: string): void },
): Promise<PreparedRun> {
  const { prepareRun } = await import('../execute/run.ts');
  const backend = board.reference[0]!.provenance.backend.name;
  return prepareRun(suite, registry, { backend, limited, passed: [], settings: {}, say });
}

async function formOf(values: Values): Promise<Record<string, unknown> | undefined> {
  const texts = values['checkpoint-form'] as string[] | undefined;
  if (texts === undefined) return undefined;
  const { listedOptions } = await import('../suite/option-text.ts');
  return listedOptions(texts, '--checkpoint-form', 'architecture=topk,k=32');
}

/** What nobody has run yet is known to be wrong now: names, a folder that is somebody's, changes that are in no commit. */
async function checkBefore(opened: Opened, board: Board, folder: string, values: Values): Promise<void> {
  const { checkName, sourceFolder, submissionFile } = await import('../../reports/submitted.ts');
  const { name } = opened;
  checkName(name, board);
  const file = submissionFile(folder, name);
  const [known, code] = [existsSync(file), existsSync(sourceFolder(folder, name))];
  if (known && !values['overwrite']) {
    throw new UserError(
      `submit ${name}: ${file} is there already; choose another name, or --overwrite where it is yours.`,
    );
  }
  if (!known && code) {
    throw new UserError(
      `submit ${name}: ${sourceFolder(folder, name)} is there already, and no submission of its name: move it away.`,
    );
  }
}

/** @throws UserError where a checkpoint stands where the protocol has no sizes, or the suite has what its reference was not run on: no submission could stand in its tables. */
async function checkTables({ plan }: PreparedRun, name: string, board: Board): Promise<void> {
  const { strangePlace } = await import('../../reports/submitted.ts');
  const { reference, suiteId, protocol } = board;
  for (const { subject, site, fits } of plan.sites.filter(({ fits }) =>
    fits.some(({ method }) => method.name === name),
  )) {
    const strange = strangePlace({ subject, site: { name: site } }, board);
    if (strange !== undefined) throw new UserError(`submit ${name}: ${strange}.`);
    for (const { task } of fits.flatMap(({ method, evaluations }) => (method.name === name ? evaluations : []))) {
      if (reference.some((own) => own.subject.id === subject.id && own.site.name === site && own.task.id === task.id))
        continue;
      throw new UserError(
        `submit ${name}: the suite ${suiteId} has ${subject.id} ${site} ${task.id}, and the reference of protocol ${protocol.protocol} has not: ` +
          'no fault of yours; the reference must be run again under a new protocol (CONTRIBUTING.md, "Submissions").',
      );
    }
  }
}

/** The suite on other data, beside the variant that has the same sizes. */
async function rehearse(opened: Opened, board: Board, registry: Registry, work: string, context: CommandContext) {
  const { values, say, print, signal } = context;
  const { rehearsalOf, suiteOfMethod } = await import('../submit/method-suite.ts');
  const { executePlan, exitCodeOf } = await import('../execute.ts');
  const { openStore } = await import('../store.ts');
  const { summaryTable } = await import('../../reports/submitted.ts');
  const suite = rehearsalOf(await suiteOfMethod(placeIn(board), [opened.method, board.protocol.sizes], registry));
  const made = await preparedFor(board, suite, registry, { limited: false, say });
  const { plan, places, provenance, backend } = made;
  say(beginning(`suite ${suite.id}`, made));
  const store = openStore(join(work, 'rehearsal-store'), say);
  const out = join(work, 'rehearsal');
  const summary = await executePlan(
    plan,
    { registry, store, places, out, provenance, signal, say },
    {
      showProgress: values['progress'] as boolean,
      force: values['force'] as boolean,
      executor: await executorFor(backend, opened.plugins),
    },
  );
  for (const { label, error } of summary.failures) say(`failed: ${label}: ${(error as Error).message}`);
  const { scoresOf } = await import('../../reports/index.ts');
  print(
    values['json']
      ? JSON.stringify({ out, scores: scoresOf(summary.results) }, null, 2)
      : summaryTable(summary.results),
  );
  return exitCodeOf(summary.failures);
}

/** The small part of the suite, in a folder that is gone afterwards. */
async function behaviour(opened: Opened, board: Board, suite: Suite, registry: Registry, context: CommandContext) {
  const { checkBehaviour, SMALL_ITEMS } = await import('../submit/behaviour.ts');
  const { limitSuite } = await import('../suite/limit.ts');
  const { say, signal } = context;
  const made = await preparedFor(board, limitSuite(suite, SMALL_ITEMS), registry, { limited: true, say: () => {} });
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-submit-'));
  try {
    const { name, plugins } = opened;
    return await checkBehaviour({ name, made, registry, plugins, folder, signal, say });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws UserError where what was run is no longer what lies there. */
async function checkUnchanged(path: string, opened: Opened, values: Values): Promise<void> {
  const { openSubmitted } = await import('../submit/opened.ts');
  const { changedFile } = await import('../submit/source.ts');
  const { openRegistry } = await import('../registry.ts');
  const plugins = (values['plugin'] ?? []) as string[];
  const now = await openSubmitted(path, { form: await formOf(values), plugins }, openRegistry());
  const changed =
    changedFile(opened.source.files, now.source.files) ??
    changedFile(opened.source.variant ?? [], now.source.variant ?? []);
  if (changed === undefined) return;
  throw new UserError(
    `submit ${opened.name}: expected its files as they were when it began; ${changed}: submit it again.`,
  );
}

export const command: Command = {
  name: 'submit',
  usage: 'submit <path>',
  summary: 'Check a method, run the reference suite on it, write the submission and the text of its pull request',
  positionals: {
    path: { description: 'A plug-in file (saxbench new sae), or a checkpoint as run --checkpoint takes it' },
  },
  examples: [
    ["saxbench submit ./my-sae.ts --licence MIT --citation 'Doe 2027, https://…' --tuned nothing", 'a plug-in'],
    ['saxbench submit ./my-sae.ts --rehearse', 'on other data, beside topk: to tune on'],
    ["saxbench submit my-topk=./trained --licence MIT --citation 'Doe 2027' --tuned nothing", 'an SAE that is trained'],
  ],
  async run(context) {
    const { positionals, values, say, print, signal } = context;
    const path = positionals['path']!;
    const { openBoard, OWN_BOARD, composeSubmission, checkCommitted, ...submitted } = await import(
      '../../reports/submitted.ts'
    );
    const { openRegistry } = await import('../registry.ts');
    const { openSubmitted } = await import('../submit/opened.ts');
    const { checkedLicence } = await import('../submit/licence.ts');
    const board = await openBoard((values['reference'] as string | undefined) ?? OWN_BOARD);
    const registry = openRegistry();
    const plugins = (values['plugin'] ?? []) as string[];
    const opened = await openSubmitted(path, { form: await formOf(values), plugins }, registry);
    const { name, kind, definition, source } = opened;
    const work = resolve('saxbench-out', `submit-${name}`);
    if (values['rehearse']) return rehearse(opened, board, registry, work, context);
    const licence = checkedLicence(field(values, 'licence', definition?.licence, 'Apache-2.0'));
    const citation = field(values, 'citation', definition?.paper, 'Doe 2027, https://example.org/paper');
    const tuning = field(values, 'tuned', undefined, 'nothing');
    const folder = resolve((values['out'] as string | undefined) ?? join('reports', 'submissions'));
    await checkBefore(opened, board, folder, values);
    const { suiteOfMethod } = await import('../submit/method-suite.ts');
    const suite = await suiteOfMethod(placeIn(board), [opened.method], registry);
    const made = await preparedFor(board, suite, registry, { limited: false, say });
    checkCommitted(made.provenance, `submit ${name}`);
    await checkTables(made, name, board);
    say(`${name}: trying it on a small part of the suite ${suite.id}`);
    const checks = await behaviour(opened, board, suite, registry, context);
    for (const line of checks) say(`well: ${line}`);
    signal.throwIfAborted();
    const { leftOutOf, runMethod, weightsOf } = await import('../submit/run-method.ts');
    const { openStore } = await import('../store.ts');
    say(beginning(`suite ${suite.id}, protocol ${board.protocol.protocol},`, made));
    const store = openStore(join(work, 'store'), say);
    const results = await runMethod({
      ...{ name, made, registry, store, out: join(work, 'run'), signal, say },
      showProgress: values['progress'] as boolean,
      force: values['force'] as boolean,
      executor: await executorFor(made.backend, opened.plugins),
    });
    await checkUnchanged(path, opened, values);
    const weights = await weightsOf(made.plan, name, store);
    const leftOut = leftOutOf(made.plan, name);
    const facts = { name, kind, licence, citation, tuning, source, weights, checks, leftOut };
    const submission = composeSubmission(facts, results, board);
    const { atomicWriteFile } = await import('../io/atomic.ts');
    const { writeFiles } = await import('../submit/source.ts');
    const beside = submitted.sourceFolder(folder, name);
    await submitted.clearPlace(folder, name);
    if (opened.plugin) await writeFiles(beside, opened.plugin);
    const file = await submitted.writeSubmission(folder, submission);
    const { table, leaderboard } = await submitted.preview(submission, board);
    const files = [file, join(work, 'LEADERBOARD.md'), join(work, 'pull-request.md')];
    await atomicWriteFile(files[1]!, leaderboard);
    await atomicWriteFile(files[2]!, submitted.pullRequest(submission, table));
    if (values['json'])
      print(JSON.stringify({ name, protocol: submission.protocol, checksum: submission.checksum, files }, null, 2));
    else {
      print(`\n${table}\n`);
      for (const written of [...files.slice(0, 1), ...(opened.plugin ? [beside] : []), ...files.slice(1)])
        print(`wrote ${written}`);
    }
    return 0;
  },
};
