/** @file Scaling laws of variants that a suite trained at several widths and sparsities: fitted, with what a held-out width says. */
import { type ComputePoint, computeFrontier, fitComputeLaw } from '../harness/num/stats/compute-law.ts';
import type { HeldOut } from '../harness/num/stats/held-out.ts';
import { bootstrapLaw, mean } from '../harness/num/stats/law-form.ts';
import {
  fitJointLaw,
  heldOutWidth,
  type JointLaw,
  type ScalingPoint,
  whyNoJointLaw,
} from '../harness/num/stats/scaling-law.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { formatInterval, formatNumber } from './format.ts';
import { groupBy } from './group-by.ts';
import { type Setting, settingIn } from './settings.ts';
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

function trainingOf({ method, rows, training }: Result, missing: string): { point?: Training } {
  const value = rows.find(({ control }) => !control)?.metrics[missing]?.value;
  const options: Record<string, unknown> = { ...method.options };
  const k = Number(options[method.sparsity ?? ''] ?? Number.NaN);
  if (!training || value === null || value === undefined || !method.d_sae || !(k > 0) || value >= 1) return {};
  const compute = OPERATIONS * training.parameters * training.tokens;
  return { point: { n: method.d_sae, k, loss: 1 - value, compute } };
}

/** Widest interval of the logarithm of a loss of which something is known: a factor of some 50. */
const UNKNOWN = 4;

/** Whether the trainings leave the irreducible loss open. */
export function isUnknown(intervals: Pick<Record<keyof JointLaw, [number, number]>, 'zeta'> | null): boolean {
  const [least, most] = intervals?.zeta ?? [0, 0];
  return most - least > UNKNOWN;
}

const percent = (part: number) => `${(100 * part).toPrecision(2)} %`;

/** A variant that was trained at several sizes, too few for a law. */
export interface RefusedLaw {
  variant: string;
  /** What is missing, in words. */
  reason: string;
}

interface TrainedSetting extends Setting {
  result: Result;
  /** None where the training failed or reached no loss below that of the mean. */
  point?: Training;
}

/** The trainings of a task's results curve by curve: variants, and what but width and sparsity they differ in. */
export function trainingCurves(
  results: readonly Result[],
  settingOf: (result: Result) => Setting = settingIn,
): { label: string; own: (TrainedSetting & { point: Training })[]; lost: number }[] {
  const missing = results[0]?.task.shows?.scaling?.missing;
  if (missing === undefined) return [];
  const settings = results
    .filter(({ method }) => method.kind === 'sae' && method.sparsity !== undefined)
    .map((result): TrainedSetting => ({ ...settingOf(result), result, ...trainingOf(result, missing) }));
  const trained = settings.filter((each): each is TrainedSetting & { point: Training } => each.point !== undefined);
  return curvesOf(trained, WIDTH).map(({ label, own }) => {
    // What failed has no training to say which of a variant's curves it would be of.
    const lost = settings.filter(({ method, point }) => !point && method.id === own[0]!.method.id).length;
    return { label, own, lost };
  });
}

/** Studies of the variants that have enough widths and sparsities in the results of one task at one place. */
export function scalingStudies(results: readonly Result[]): ScalingStudy[] {
  return trainingCurves(results).flatMap(({ label, own, lost }) => {
    const trainings = own.map(({ point }) => point);
    if (whyNoJointLaw(trainings) !== undefined) return [];
    const study = studyOf(label, trainings);
    return [{ ...study, reading: [...remarksOn(own, lost), ...study.reading] }];
  });
}

/** Grids of one place that are too small for a law, or of which too much failed. One width or one sparsity is no grid. */
export function refusedLaws(results: readonly Result[]): RefusedLaw[] {
  return trainingCurves(results).flatMap(({ label, own, lost }) => {
    const trainings = own.map(({ point }) => point);
    const reason = whyNoJointLaw(trainings);
    const isGrid = [trainings.map(({ n }) => n), trainings.map(({ k }) => k)].every((all) => new Set(all).size > 1);
    if (reason === undefined || !isGrid) return [];
    return [{ variant: label, reason: `${reason}${lost > 0 ? `; ${lost} of its trainings have no loss` : ''}` }];
  });
}

/** What a reader must know of the trainings before the law. */
export function remarksOn(own: readonly { result: Result; point: Training }[], lost: number): string[] {
  const remarks: string[] = [];
  const warned = own.filter(({ result }) => (result.marks ?? []).length > 0).length;
  // The law goes by the sparsity that was asked for: of a training that missed it, it says something else.
  if (warned > 0)
    remarks.push(
      `${warned} of the ${own.length} trainings have a warning (⚠ below): the law is no better than they are.`,
    );
  if (lost > 0) remarks.push(`${lost} more trainings failed or explain no variance: they are not in the law.`);
  return remarks;
}

/** Loss at one width and sparsity, the mean over its trainings. */
function lossesOf(trainings: readonly Training[]): Training[] {
  return groupBy(trainings, ({ n, k }) => `${n} ${k}`).map((cell) => ({
    ...cell[0]!,
    loss: mean(cell.map(({ loss }) => loss)),
  }));
}

/** Sparsities at which the widest SAE did worse than a narrower one: no law of this form describes that. */
function worseWhenWider(trainings: readonly Training[]): number[] {
  return groupBy(lossesOf(trainings), ({ k }) => String(k)).flatMap((own) => {
    const widest = own.reduce((a, b) => (b.n > a.n ? b : a));
    return own.some(({ loss }) => loss < widest.loss) ? [widest.k] : [];
  });
}

export const NAMES: Record<keyof JointLaw, string> = {
  ...{ alpha: 'α', beta_k: 'β of ln k', beta_n: 'β of ln n', gamma: 'γ of ln k · ln n' },
  ...{ zeta: 'ζ: ln of the irreducible loss at k = 1', eta: 'η: its exponent in k' },
};

function studyOf(variant: string, trainings: Training[]): ScalingStudy {
  const cells = groupBy(trainings, ({ n, k }) => `${n} ${k}`);
  const { law, residual } = fitJointLaw(trainings);
  const intervals = bootstrapLaw(cells, fitJointLaw);
  const lossKnown = !isUnknown(intervals);
  const rows = (Object.keys(NAMES) as (keyof JointLaw)[]).map((name) => {
    const known = lossKnown || (name !== 'zeta' && name !== 'eta');
    const value = known ? formatInterval(law[name], intervals?.[name] ?? null) : 'not determined';
    return { name: NAMES[name], value };
  });
  rows.push({ name: 'residual: root mean square of ln(observed / fitted)', value: formatNumber(residual) });
  const held = heldOutWidth(trainings);
  if (held) rows.push(...heldOutRows(held, `n = ${held.size}`, 'width'));
  const reading = [...readingOf(intervals, trainings), ...(held ? heldOutReading(held, 'width') : [])];
  return { variant, trainings, law, rows: [...rows, ...computeRows(trainings)], reading };
}

/** The errors on a size that was held out, for a table. */
export function heldOutRows({ error, unchanged, line }: HeldOut, size: string, sizes: string): ScalingStudy['rows'] {
  return [
    { name: `mean relative error at ${size}, which the fit had not seen`, value: percent(error) },
    { name: `the same of the guess that nothing changes from the next ${sizes}`, value: percent(unchanged) },
    {
      name: `the same of straight lines in logarithms through the next two ${sizes}s, one a cell`,
      value: percent(line),
    },
  ];
}

/** Whether one may extrapolate with a law, in a sentence; none where it beats both guesses. */
export function heldOutReading({ error, unchanged, line }: HeldOut, size: string): string[] {
  if (error >= unchanged) {
    return [
      `On the held-out ${size} the law is no better than the guess that nothing changes: do not extrapolate with it.`,
    ];
  }
  if (error >= line)
    return [`On the held-out ${size} straight lines do as well as the law: it says nothing that they do not.`];
  return [];
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
  trainings: readonly Training[],
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
  const worse = worseWhenWider(trainings);
  if (worse.length > 0) {
    lines.push(
      `At k = ${worse.join(', ')} the widest SAE did worse than a narrower one: trained too short, or k is near d_in; no law of this form describes that.`,
    );
  }
  return lines;
}
