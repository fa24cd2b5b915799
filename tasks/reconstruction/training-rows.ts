/** @file Explained variance of training rows beside that of held-out ones, with the same weights and rule of inference. */
import type { ActivationSet, Mark, MetricValue, Prepared } from '../../harness/contract.ts';
import { createRng, emptyCell, type KeptSource, rowsAsSet } from '../../harness/kit/index.ts';

/** Training rows that are looked at: what they cost is bounded, whatever the set. */
const MOST_ROWS = 2048;
/** From this difference on, if it cannot be chance, a method is marked. */
const LARGE_GAP = 0.05;

type Arrays = Prepared['arrays'];

/**
 * The first `rows` kept rows of items drawn at random, the same ones for the same set: `training_rows` [n, d_in] and the
 * group or else the item of each row, `training_units` [n].
 *
 * @param rows At most {@link MOST_ROWS} of them.
 */
export async function trainingRows(train: ActivationSet, rows: number): Promise<Arrays> {
  const { d_in, bounds, keep, groups } = train;
  const most = Math.min(rows, MOST_ROWS);
  const x: Float32Array[] = [];
  const units: number[] = [];
  for (const item of createRng(0)
    .fork('training rows')
    .permutation(bounds.length - 1)) {
    if (units.length === most) break;
    const [start, end] = [bounds[item]!, bounds[item + 1]!];
    const read = await train.read(start, end);
    for (let row = start; row < end && units.length < most; row++) {
      if (keep[row] !== 1) continue;
      x.push(read.slice((row - start) * d_in, (row - start + 1) * d_in));
      units.push(groups?.[item] ?? item);
    }
  }
  const data = new Float32Array(units.length * d_in);
  for (const [i, row] of x.entries()) data.set(row, i * d_in);
  return {
    training_rows: { shape: [units.length, d_in], data },
    training_units: { shape: [units.length], data: Int32Array.from(units) },
  };
}

/** Those rows as something to be measured: one row an item, in groups. */
export function trainingSource({ training_rows, training_units }: Arrays): KeptSource {
  const { shape, data } = training_rows!;
  return rowsAsSet(data as Float32Array, shape[1]!, { groups: Uint32Array.from(training_units!.data) });
}

/**
 * Training less held-out explained variance. The interval is that of a difference of independent estimates with unequal
 * arms (MOVER: Zou & Donner 2008); none where one of the two has none.
 */
export function generalisationGap(training: MetricValue, heldOut: MetricValue): MetricValue {
  if (training.value === null || heldOut.value === null) {
    return emptyCell('undefined: explained variance is, of training or of held-out rows');
  }
  const value = training.value - heldOut.value;
  const arm = (a: number, b: number) => Math.hypot(a, b);
  const ci95: MetricValue['ci95'] =
    training.ci95 && heldOut.ci95
      ? [
          value - arm(training.value - training.ci95[0], heldOut.ci95[1] - heldOut.value),
          value + arm(training.ci95[1] - training.value, heldOut.value - heldOut.ci95[0]),
        ]
      : null;
  return { value, ci95, n: Math.min(training.n, heldOut.n) };
}

/** The mark of a method that does much better on training rows than on held-out ones. */
export function gapMarks(gap: MetricValue, training: MetricValue, heldOut: MetricValue): Mark[] {
  if (gap.value === null || gap.value <= LARGE_GAP || (gap.ci95 && gap.ci95[0] <= 0)) return [];
  const number = ({ value }: MetricValue) => value!.toFixed(3);
  const message =
    `Explained variance is ${number(training)} on ${training.n.toLocaleString('en')} training rows and ` +
    `${number(heldOut)} on held-out ones: ${number(gap)} of it does not carry over.`;
  return [{ code: 'generalisation-gap', message }];
}
