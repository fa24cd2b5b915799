/** @file From the rounds of one row: medians, spreads, ratios round by round, and whether the targets are met. */
import type { Measurement } from './ours/measure.ts';
import type { Row, Target } from './rows.ts';

/** Median and range of some rounds. */
export interface Spread {
  median: number;
  min: number;
  max: number;
}

/** One line of the table: ours against one peer. */
export interface Comparison {
  row: string;
  title: string;
  unit: string;
  ours: Spread;
  peer: { name: string } & Spread;
  /** Above 1: ours is better. */
  ratio: Spread;
  /** The ratio of CPU seconds, where both sides measured them: the one to go by on a busy machine. */
  cpuRatio?: number;
  target: Target;
  met: boolean;
  note: string;
}

/** Rounds of one contender, in order; undefined where a round gave no number. */
export type Rounds = (Measurement | undefined)[];

function spread(values: number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, min: sorted[0]!, max: sorted.at(-1)! };
}

/** A line for each target whose peer gave numbers; `peers` by name. */
export function compare(row: Row, ours: Rounds, peers: ReadonlyMap<string, Rounds>): Comparison[] {
  const lessIsBetter = row.measure !== 'throughput';
  const numberOf = (measured: Measurement) => (row.measure === 'peak' ? measured.peak_mib : measured.value);
  const lines = [...peers].flatMap(([name, rounds]) => {
    const pairs = ours.flatMap((mine, i) => (mine && rounds[i] ? [[mine, rounds[i]] as const] : []));
    if (pairs.length === 0) return [];
    const ratios = pairs.map(([mine, its]) => {
      const ratio = numberOf(mine) / numberOf(its);
      return lessIsBetter ? 1 / ratio : ratio;
    });
    const cpu = pairs.flatMap(([mine, its]) => (mine.cpu_s && its.cpu_s ? [its.cpu_s / mine.cpu_s] : []));
    const note = `ours: ${pairs[0]![0].note}; peer: ${pairs[0]![1].note}`;
    return [
      {
        name,
        ours: spread(pairs.map(([mine]) => numberOf(mine))),
        peer: { name, ...spread(pairs.map(([, its]) => numberOf(its))) },
        ratio: spread(ratios),
        ...(row.measure !== 'peak' && cpu.length > 0 && { cpuRatio: spread(cpu).median }),
        note,
        unit: row.measure === 'peak' ? 'MiB' : pairs[0]![0].unit,
      },
    ];
  });
  // Ours is one and the same, so the peer with the smallest ratio is the best one.
  const best = [...lines].sort((a, b) => a.ratio.median - b.ratio.median)[0];
  return row.targets.flatMap((target) => {
    const line = target.over === 'fastest' ? best : lines.find(({ name }) => name === target.over);
    if (!line) return [];
    const { name: _, ...numbers } = line;
    return [{ row: row.id, title: row.title, ...numbers, target, met: line.ratio.median >= target.atLeast }];
  });
}
