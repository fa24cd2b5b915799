/** @file `saxbench verify`: runs a part of a submission again, and says whether its numbers come out. */
import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { Board, Comparison, Submission } from '../../reports/submitted.ts';
import { UserError } from '../errors.ts';
import type { PreparedRun } from '../execute/run.ts';
import type { Registry } from '../registry.ts';
import type { Opened } from '../submit/opened.ts';
import type { Command, CommandContext } from './command.ts';
import { beginning, executorFor } from './prepared.ts';
import { placeIn, preparedFor } from './submit.ts';

/** Seeds that are drawn from. */
const MAX_DRAW = 1_000_000;
/** Deviations that are shown. */
const SHOWN = 5;

/** The seeds that are run again: one that the draw names; all where asked, and of what is fitted once. */
function sampleOf(
  { kind, seeds }: Submission,
  { values }: Pick<CommandContext, 'values'>,
): { seeds: number[]; draw?: number } {
  const given = values['draw'] as number | undefined;
  if (given !== undefined && values['whole'])
    throw new UserError('verify: --draw names one seed, --whole all of them; keep one of the two.');
  if (kind !== 'sae' || values['whole'] || seeds.length === 1) return { seeds };
  const draw = given ?? randomInt(MAX_DRAW);
  return { seeds: [seeds[draw % seeds.length]!], draw };
}

/** What was submitted, in a folder of this process alone: what was hashed is what runs. */
async function openAgain(
  { name, kind, source }: Submission,
  file: string,
  given: string | undefined,
  folder: string,
  registry: Registry,
): Promise<Opened> {
  const { sourceFolder } = await import('../../reports/submitted.ts');
  const { filesOf, openSubmitted } = await import('../submit/opened.ts');
  const { changedFile, submittedFiles, writeFiles } = await import('../submit/source.ts');
  const where = `verify ${file}`;
  const beside = sourceFolder(dirname(file), name);
  const code = kind === 'checkpoint' ? source.variant : source.files;
  const copies: string[] = [];
  if (code) {
    const from = kind === 'checkpoint' ? beside : given === undefined ? beside : dirname(given);
    await writeFiles(folder, await submittedFiles(from, code, where));
    copies.push(join(folder, code[0]!.path));
  }
  if (kind !== 'checkpoint') return openSubmitted(copies[0]!, { plugins: [] }, registry);
  const place = given ?? source.hub;
  if (place === undefined) {
    throw new UserError(
      `${where}: expected the place of its checkpoint, which is in no submission: verify ${basename(file)} CHECKPOINT.`,
    );
  }
  const changed = changedFile(source.files, await filesOf(place, source.form));
  if (changed !== undefined)
    throw new UserError(`${where}: expected the checkpoint ${place} to be what was submitted; ${changed}.`);
  const site = source.site === undefined ? '' : `@${source.site}`;
  return openSubmitted(`${name}=${place}${site}`, { form: source.form, plugins: copies }, registry);
}

/** The lines of the verdict. */
function verdict(
  submission: Submission,
  found: Comparison,
  made: PreparedRun,
  sample: { seeds: number[]; draw?: number },
): string[] {
  const { name, environment, results } = submission;
  const words = { 'bit-equal': 'bit-equal', 'within-tolerance': 'within tolerance', differs: 'DIFFERS' }[found.outcome];
  const drawn = sample.draw === undefined ? 'every seed' : `seed ${sample.seeds.join()}, drawn by ${sample.draw}`;
  const { backend } = made.provenance;
  const lines = [
    `${name}: ${words}: ${found.results} of ${results.length} results made again (${drawn}), ${found.equal} of them bit for bit`,
  ];
  if (found.sameKey < found.results) {
    const [theirs, ours] = [environment, made.provenance].map(
      (each) =>
        `saxbench ${each.saxbench} ${each.git?.commit.slice(0, 8) ?? ''} on ${each.backend.name} ${each.backend.detail}, Node ${each.node}`,
    );
    lines.push(
      `submitted: ${theirs}`,
      `here: ${ours}: other code or arithmetic, so a tolerance a metric holds where bits differ (3 √2 standard deviations over seeds of the reference's SAEs)`,
    );
  } else
    lines.push(`the same code and instruction set (${backend.name} ${backend.detail}): nothing but equal bits will do`);
  for (const { where, submitted, found: value, tolerance, size } of found.deviations.slice(0, SHOWN)) {
    const out = size > 1 ? 'beyond' : 'within';
    lines.push(
      `${where}: submitted ${submitted ?? 'none'}, found ${value ?? 'none'}: ${out} ${tolerance.toPrecision(3)}`,
    );
  }
  if (found.deviations.length > SHOWN)
    lines.push(`and ${found.deviations.length - SHOWN} more metrics that deviate less`);
  return [...lines, ...found.others];
}

async function runAgain(
  submission: Submission,
  opened: Opened,
  board: Board,
  seeds: number[],
  folder: string,
  registry: Registry,
  context: CommandContext,
) {
  const { values, say, signal } = context;
  const { suiteOfMethod } = await import('../submit/method-suite.ts');
  const { onlySeeds, runMethod, weightsOf } = await import('../submit/run-method.ts');
  const { openStore } = await import('../store.ts');
  const suite = await suiteOfMethod(placeIn(board), [opened.method], registry);
  const whole = await preparedFor(board, suite, registry, { limited: false, say });
  const made = { ...whole, plan: onlySeeds(whole.plan, seeds) };
  say(beginning(`${submission.name} again: suite ${suite.id}, protocol ${submission.protocol},`, made));
  const store = openStore(join(folder, 'store'), say);
  const { name } = opened;
  const results = await runMethod({
    ...{ name, made, registry, store, out: join(folder, 'run'), signal, say },
    showProgress: values['progress'] as boolean,
    executor: await executorFor(made.backend, opened.plugins),
  });
  return { made, results, weights: await weightsOf(made.plan, name, store) };
}

export const command: Command = {
  name: 'verify',
  usage: 'verify <file> [source]',
  summary: 'Run a part of a submission again: bit-equal, within tolerance, or not. It runs its code: read that first',
  positionals: {
    file: {
      description: 'A submission, reports/submissions/<name>.json, its code in the folder of its name beside it',
    },
    source: { description: 'Where its plug-in or its checkpoint lies, where that is elsewhere' },
  },
  examples: [
    ['saxbench verify reports/submissions/my-sae.json', 'one seed, drawn, at every site, by every task'],
    ['saxbench verify reports/submissions/my-sae.json --whole --record', 'all of it; written beside the submission'],
  ],
  async run(context) {
    const { positionals, values, print } = context;
    const file = positionals['file']!;
    const reports = await import('../../reports/submitted.ts');
    const { openRegistry } = await import('../registry.ts');
    const board = await reports.openBoard((values['reference'] as string | undefined) ?? reports.OWN_BOARD);
    const submission = await reports.readSubmission(file);
    reports.checkSubmission(submission, board);
    const sample = sampleOf(submission, context);
    const folder = await mkdtemp(join(tmpdir(), 'saxbench-verify-'));
    try {
      const registry = openRegistry();
      const opened = await openAgain(submission, file, positionals['source'], join(folder, 'code'), registry);
      const { made, results, weights } = await runAgain(
        submission,
        opened,
        board,
        sample.seeds,
        folder,
        registry,
        context,
      );
      const sampled = submission.results.filter(({ seed }) => sample.seeds.includes(seed));
      const found = reports.compareAgain(
        { results: sampled, weights: submission.weights },
        { results, weights },
        board,
      );
      const lines = verdict(submission, found, made, sample);
      const [worst] = found.deviations;
      const { arguments: _, ...environment } = made.provenance;
      const record = {
        ...{ outcome: found.outcome, results: sampled.length, of: submission.results.length, ...sample },
        ...(worst
          ? {
              worst: { where: worst.where, submitted: worst.submitted, found: worst.found, tolerance: worst.tolerance },
            }
          : {}),
        environment,
      };
      const to = reports.verificationFile(dirname(file), submission.name);
      if (values['record']) await reports.writeVerification(to, record, submission);
      if (values['json']) print(JSON.stringify({ name: submission.name, ...record, lines }, null, 2));
      else for (const line of lines) print(line);
      if (values['record'] && !values['json']) print(`wrote ${to}`);
      return found.outcome === 'differs' ? 1 : 0;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};
