/**
 * @file The speed table: every row measured against its peers on this machine, ours and the peers in turn, each in a
 * process of its own. `npm run perf -- [--only topk] [--rounds 3] [--quick] [--json]`
 */

import { refuse, scriptArguments, wholeNumber } from '../testing/script-arguments.ts';
import { type Comparison, compare, type Rounds, type Spread } from './compare.ts';
import { createMeasure } from './contenders.ts';
import { type Row, rows } from './rows.ts';

const { values: options } = scriptArguments('perf', '[--only topk] [--rounds 3] [--quick] [--json]', {
  only: { type: 'string', multiple: true },
  rounds: { type: 'string', default: '3' },
  quick: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});
const roundCount = options.quick ? 1 : wholeNumber('perf', 'rounds', options.rounds);

/** Rows that are measured together share their runs: memory is read off the runs of the speed row. */
const measure = createMeasure();

async function measureRow(row: Row): Promise<Comparison[]> {
  const contenders = [row.ours, ...row.peers];
  const results = new Map<string, Rounds>(contenders.map(({ name }) => [name, []]));
  const failed = new Set<string>();
  for (let round = 0; round < roundCount; round++) {
    for (const contender of contenders) {
      if (failed.has(contender.name)) continue;
      const outcome = await measure(contender, round);
      if ('measured' in outcome) {
        results.get(contender.name)![round] = outcome.measured;
        continue;
      }
      failed.add(contender.name);
      console.error(`perf: ${row.id}: ${contender.name} skipped: ${outcome.skipped}`);
    }
  }
  const ours = results.get(row.ours.name)!;
  results.delete(row.ours.name);
  return compare(row, ours, results);
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

const wanted = rows(options.quick).filter(({ id }) => !options.only || options.only.some((part) => id.includes(part)));
if (wanted.length === 0) {
  const known = rows(options.quick).map(({ id }) => id);
  refuse('perf', `--only: expected part of one of ${known.join(', ')}; found '${options.only}'.`);
}
if (!options.json)
  console.log('| row | ours | peer | ratio | CPU time | target | verdict |\n|---|---|---|---|---|---|---|');
const all: Comparison[] = [];
for (const row of wanted) {
  const comparisons = await measureRow(row);
  all.push(...comparisons);
  if (!options.json) comparisons.forEach(printLine);
}
if (options.json) console.log(JSON.stringify(all, null, 2));
