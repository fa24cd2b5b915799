/**
 * @file The speed table: every row measured against its peers on this machine, ours and the peers in turn, each in a
 * process of its own. `npm run perf -- [--only topk] [--rounds 3] [--quick] [--gpu cuda|cpu] [--json]`; with `--gpu` backend webgpu beside PyTorch
 * on that device.
 */

import path from 'node:path';
import { refuse, scriptArguments, wholeNumber } from '../testing/script-arguments.ts';
import { type Comparison, compare, type Rounds, type Spread } from './compare.ts';
import { createMeasure } from './contenders.ts';
import { gpuRows } from './gpu/rows.ts';
import { machineInWords } from './machine.ts';
import { type Row, rows } from './rows.ts';

const { values: options } = scriptArguments('perf', '[--only topk] [--rounds 3] [--quick] [--gpu cuda|cpu] [--json]', {
  only: { type: 'string', multiple: true },
  rounds: { type: 'string', default: '3' },
  quick: { type: 'boolean', default: false },
  gpu: { type: 'string' },
  json: { type: 'boolean', default: false },
});
const roundCount = options.quick ? 1 : wholeNumber('perf', 'rounds', options.rounds);

/** Rows that are measured together share their runs: memory is read off the runs of the speed row. */
const measure = createMeasure();

/** A contender that gave no number: a mode that does not compile here, a package that is missing. */
interface Failure {
  row: string;
  name: string;
  reason: string;
}

async function measureRow(row: Row): Promise<{ comparisons: Comparison[]; failures: Failure[] }> {
  const contenders = [row.ours, ...row.peers];
  const results = new Map<string, Rounds>(contenders.map(({ name }) => [name, []]));
  const failures: Failure[] = [];
  for (let round = 0; round < roundCount; round++) {
    for (const contender of contenders) {
      if (failures.some(({ name }) => name === contender.name)) continue;
      const outcome = await measure(contender, round);
      if ('measured' in outcome) {
        results.get(contender.name)![round] = outcome.measured;
        continue;
      }
      failures.push({ row: row.id, name: contender.name, reason: outcome.skipped });
    }
  }
  const ours = results.get(row.ours.name)!;
  results.delete(row.ours.name);
  return { comparisons: compare(row, ours, results), failures };
}

const digits = (value: number) => (value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3));
const shown = ({ median, min, max }: Spread) => `${digits(median)} (${digits(min)}–${digits(max)})`;

function printLine({ row, unit, ours, peer, ratio, cpuRatio, target, met }: Comparison): void {
  const verdict = met ? 'met' : 'missed';
  const cpu = cpuRatio === undefined ? '' : digits(cpuRatio);
  console.log(
    `| ${row} | ${shown(ours)} ${unit} | ${peer.name}: ${shown(peer)} | ${shown(ratio)} | ${cpu} | ${target.atLeast} × ${target.over} | ${verdict} |`,
  );
}

/** A line of the table without numbers. */
function printFailure({ row, name, reason }: Failure): void {
  console.log(`| ${row} | | ${name}: failed: ${reason.replaceAll('|', '/')} | | | | |`);
}

/** What each side of a comparison ran on, once each. */
function printNotes(comparisons: Comparison[]): void {
  const notes = new Set(comparisons.map(({ row, peer, note }) => `- ${row}, ${peer.name}: ${note}`));
  if (notes.size > 0) console.log(`\nWhat each used:\n\n${[...notes].join('\n')}`);
}

const device = options.gpu;
if (device !== undefined && !['cuda', 'cpu'].includes(device)) {
  refuse('perf', `--gpu: expected cuda or cpu, where PyTorch computes; found '${device}'.`);
}
const known =
  device === undefined
    ? rows(options.quick)
    : gpuRows({ quick: options.quick, device, larger: path.resolve('gpt2-sized') });
const wanted = known.filter(({ id }) => !options.only || options.only.some((part) => id.includes(part)));
if (wanted.length === 0) {
  const ids = known.map(({ id }) => id).join(', ');
  refuse('perf', `--only: expected part of one of ${ids}; found '${options.only}'.`);
}
const machine = machineInWords();
if (!options.json) {
  console.log(`Measured on ${machine}.\n`);
  console.log('| row | ours | peer | ratio | CPU time | target | verdict |\n|---|---|---|---|---|---|---|');
}
const all: Comparison[] = [];
const failed: Failure[] = [];
for (const row of wanted) {
  const { comparisons, failures } = await measureRow(row);
  all.push(...comparisons);
  failed.push(...failures);
  if (options.json) continue;
  comparisons.forEach(printLine);
  failures.forEach(printFailure);
}
if (options.json) console.log(JSON.stringify({ machine, comparisons: all, failed }, null, 2));
else printNotes(all);
