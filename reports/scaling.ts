/** @file Scaling laws of variants that a suite trained at several widths and sparsities: fitted, with what a held-out width says. */
import {
  bootstrapLaw,
  type ComputePoint,
  computeFrontier,
  fitComputeLaw,
  fitJointLaw,
  heldOutWidth,
  type JointLaw,
  type ScalingPoint,
  whyNoJointLaw,
} from '../harness/num/stats/scaling-law.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { formatInterval, formatNumber } from './format.ts';
import { groupBy } from './group-by.ts';
import { settingIn } from './settings.ts';
import { curvesOf } from './variants.ts';

/** One training: what it cost and the loss that it reached. */
export interface Training extends ScalingPoint, ComputePoint {}

/** The laws of one variant at one place. */
export interface ScalingStudy {
  variant: string;
  trainings: Training[];
  law: JointLaw;
  /** Name and value of what was fitted, for a table. */
  rows: { name: string; value: string }[];
  /** What it says, in sentences. */
  reading: string[];
}

/** Options that make an SAE wider. */
const WIDTH = ['d_sae', 'expansion'];

/** Operations of a training step for each parameter and token: forward, and twice that backward, a product and a sum each. */
const OPERATIONS = 6;

function trainingOf({ method, rows, training }: Result, missing: string): Training[] {
  const value = rows.find(({ control }) => !control)?.metrics[missing]?.value;
  const options: Record<string, unknown> = { ...method.options };
  const k = Number(options[method.sparsity ?? ''] ?? Number.NaN);
  if (!training || value === null || value === undefined || !method.d_sae || !(k > 0) || value >= 1) return [];
  const compute = OPERATIONS * training.parameters * training.tokens;
  return [{ n: method.d_sae, k, loss: 1 - value, compute }];
}

/** Widest interval of the logarithm of a loss of which something is known: a factor of some 50. */
const UNKNOWN = 4;

/** Whether the trainings leave the irreducible loss open. */
function isUnknown(intervals: Record<keyof JointLaw, [number, number]> | null): boolean {
  const [least, most] = intervals?.zeta ?? [0, 0];
  return most - least > UNKNOWN;
}

const percent = (part: number) => `${(100 * part).toPrecision(2)} %`;

/** Studies of the variants that have enough widths and sparsities in the results of one task at one place. */
export function scalingStudies(results: readonly Result[]): ScalingStudy[] {
  const missing = results[0]?.task.shows?.scaling?.missing;
  if (missing === undefined) return [];
  const settings = results.flatMap((result) => {
    const { method } = result;
    const trainings = method.kind === 'sae' && method.sparsity !== undefined ? trainingOf(result, missing) : [];
    return trainings.map((point) => ({ ...settingIn(result), point, warned: (result.marks ?? []).length > 0 }));
  });
  return curvesOf(settings, WIDTH).flatMap(({ label, own }) => {
    const trainings = own.map(({ point }) => point);
    if (whyNoJointLaw(trainings) !== undefined) return [];
    const study = studyOf(label, trainings);
    const warned = own.filter((each) => each.warned).length;
    // The law goes by the sparsity that was asked for: of a training that missed it, it says something else.
    const warning = `${warned} of the ${own.length} trainings have a warning (⚠ below): the law is no better than they are.`;
    return [warned === 0 ? study : { ...study, reading: [warning, ...study.reading] }];
  });
}

function studyOf(variant: string, trainings: Training[]): ScalingStudy {
  const cells = groupBy(trainings, ({ n, k }) => `${n} ${k}`);
  const { law, residual } = fitJointLaw(trainings);
  const intervals = bootstrapLaw(cells, fitJointLaw);
  const names: Record<keyof JointLaw, string> = {
    ...{ alpha: 'α', beta_k: 'β of ln k', beta_n: 'β of ln n', gamma: 'γ of ln k · ln n' },
    ...{ zeta: 'ζ: ln of the irreducible loss at k = 1', eta: 'η: its exponent in k' },
  };
  const lossKnown = !isUnknown(intervals);
  const rows = (Object.keys(names) as (keyof JointLaw)[]).map((name) => {
    const known = lossKnown || (name !== 'zeta' && name !== 'eta');
    const value = known ? formatInterval(law[name], intervals?.[name] ?? null) : 'not determined';
    return { name: names[name], value };
  });
  rows.push({ name: 'residual: root mean square of ln(observed / fitted)', value: formatNumber(residual) });
  const held = heldOutWidth(trainings);
  if (held) {
    rows.push(
      { name: `mean relative error at n = ${held.n}, which the fit had not seen`, value: percent(held.error) },
      { name: 'the same of the guess that nothing changes from the next width', value: percent(held.unchanged) },
    );
  }
  return { variant, trainings, law, rows: [...rows, ...computeRows(trainings)], reading: readingOf(intervals, held) };
}

/** The law of compute over the trainings that none beats. */
function computeRows(trainings: readonly Training[]): ScalingStudy['rows'] {
  const frontier = computeFrontier(trainings);
  if (frontier.length < 5) return [];
  const { law, residual } = fitComputeLaw(frontier);
  const value = `${formatNumber(law.irreducible)} + ${formatNumber(law.scale)} · C^${formatNumber(law.exponent)}`;
  const name = `L(C) over the ${frontier.length} trainings of least loss for their compute (${OPERATIONS} · parameters · tokens)`;
  return [{ name, value: `${value} (residual ${formatNumber(residual)})` }];
}

function readingOf(
  intervals: Record<keyof JointLaw, [number, number]> | null,
  held: ReturnType<typeof heldOutWidth>,
): string[] {
  const lines: string[] = [];
  const [low, high] = intervals?.gamma ?? [Number.NaN, Number.NaN];
  if (high < 0)
    lines.push('γ is below 0: more latents help the more, the more of them are active (as Gao et al. found).');
  else if (low > 0)
    lines.push(
      'γ is above 0: more latents help the less, the more of them are active (Gao et al. found the opposite).',
    );
  else if (intervals) lines.push('The sign of γ is not determined by these trainings.');
  if (isUnknown(intervals)) lines.push('The loss that no width takes away is not determined by these trainings.');
  if (held && held.error >= held.unchanged) {
    lines.push(
      'On the held-out width the law is no better than the guess that nothing changes: do not extrapolate with it.',
    );
  }
  return lines;
}
