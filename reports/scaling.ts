/** @file Scaling laws of variants that a suite trained at several widths and sparsities: fitted, with what a held-out width says. */
import { type ComputePoint, computeFrontier, fitComputeLaw } from '../harness/num/stats/compute-law.ts';
import type { HeldOut } from '../harness/num/stats/held-out.ts';
import { bootstrapLaw, type Fitted, mean } from '../harness/num/stats/law-form.ts';
import {
  fitJointLaw,
  fitReducibleLaw,
  heldOutWidth,
  type JointLaw,
  type ScalingPoint,
  whyNoJointLaw,
} from '../harness/num/stats/scaling-law.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { taskOf } from './definitions.ts';
import { formatInterval, formatNumber } from './format.ts';
import { groupBy } from './group-by.ts';
import { differing, type Setting, settingIn } from './settings.ts';
import { curvesOf } from './variants.ts';

/** One training: what it cost and the loss that it reached. */
export interface Training extends ScalingPoint, ComputePoint {}

/** What was fitted, for a table: by the whole law, and by the one without an irreducible loss. */
export interface LawRow {
  name: string;
  value: string;
  reducible: string;
}

/** The laws of one variant at one place. */
export interface ScalingStudy {
  variant: string;
  trainings: Training[];
  law: JointLaw;
  rows: LawRow[];
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

/** Whether the trainings leave the irreducible loss open; so few that most draws of them give no law leave it open too. */
export function isUnknown(intervals: Pick<Record<keyof JointLaw, [number, number]>, 'zeta'> | null): boolean {
  if (!intervals) return true;
  const [least, most] = intervals.zeta;
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
  const missing = taskOf(results)?.shows?.scaling?.missing;
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

/**
 * Studies of the variants that have enough widths and sparsities in the results of one task at one place; refusals of grids
 * that are too small for a law, or of which too much failed. One width or one sparsity is no grid.
 */
export function scalingStudies(results: readonly Result[]): { studies: ScalingStudy[]; refused: RefusedLaw[] } {
  const studies: ScalingStudy[] = [];
  const refused: RefusedLaw[] = [];
  for (const { label, own, lost } of trainingCurves(results)) {
    const trainings = own.map(({ point }) => point);
    const reason = whyNoJointLaw(trainings);
    if (reason === undefined) {
      const study = studyOf(label, trainings);
      studies.push({ ...study, reading: [...remarksOn(own, lost), ...study.reading] });
    } else if (isGrid(trainings)) {
      const without = lost > 0 ? `; ${lost} of its trainings have no loss` : '';
      refused.push({ variant: label, reason: `${reason}${without}` });
    }
  }
  return { studies, refused };
}

/** Whether trainings are of several widths and several sparsities. */
export const isGrid = (trainings: readonly ScalingPoint[]): boolean =>
  [trainings.map(({ n }) => n), trainings.map(({ k }) => k)].every((all) => new Set(all).size > 1);

/** What a reader must know of the trainings before the law. */
export function remarksOn(own: readonly Pick<TrainedSetting, 'result' | 'training'>[], lost: number): string[] {
  const remarks: string[] = [];
  const warned = own.filter(({ result }) => (result.marks ?? []).length > 0).length;
  // The law goes by the sparsity that was asked for: of a training that missed it, it says something else.
  if (warned > 0)
    remarks.push(
      `${warned} of the ${own.length} trainings have a warning (⚠ below): the law is no better than they are.`,
    );
  if (lost > 0) remarks.push(`${lost} more trainings failed or explain no variance: they are not in the law.`);
  // As tokens that grow with the width: meant so, or a mistake that only the reader can see.
  const unlike = differing(own.map(({ training }) => training));
  if (unlike.length > 0)
    remarks.push(`The trainings differ in ${unlike.join(', ')} too: the law takes what that does for the size's.`);
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

/** Parameters of the irreducible loss. */
const IRREDUCIBLE = ['zeta', 'eta', 'theta'];

type Intervals<L> = Record<keyof L, [number, number]> | null;

/** A law of one form: its fit, the intervals of its parameters, its error on a size that was held out. */
export interface LawFit<L extends JointLaw> extends Fitted<L> {
  intervals: Intervals<L>;
  held: HeldOut | undefined;
}

function studyOf(variant: string, trainings: Training[]): ScalingStudy {
  const cells = groupBy(trainings, ({ n, k }) => `${n} ${k}`);
  const [whole, reducible] = [fitJointLaw, fitReducibleLaw].map((fit) => ({
    ...fit(trainings),
    intervals: bootstrapLaw(cells, fit),
    held: heldOutWidth(trainings, fit),
  })) as [LawFit<JointLaw>, LawFit<JointLaw>];
  const rows = [...lawRows(NAMES, whole, reducible, 'n', 'width'), ...computeRows(trainings)];
  const reading = [
    ...signReading(whole, reducible),
    ...unknownReading(whole, reducible, 'width'),
    ...worseReading(trainings),
    ...heldOutReading([whole.held, reducible.held], 'width'),
  ];
  return { variant, trainings, law: whole.law, rows, reading };
}

/** A table of both forms of a law: parameters, residuals, errors on what was held out beside those of guesses. */
export function lawRows<L extends JointLaw>(
  names: Record<keyof L, string>,
  whole: LawFit<L>,
  reducible: LawFit<L>,
  symbol: string,
  size: string,
): LawRow[] {
  const known = !isUnknown(whole.intervals);
  const rows = (Object.keys(names) as (keyof L & string)[]).map((name): LawRow => {
    const told = ({ law, intervals }: LawFit<L>) => formatInterval(law[name] as number, intervals?.[name] ?? null);
    const isIrreducible = IRREDUCIBLE.includes(name);
    return {
      name: names[name],
      value: isIrreducible && !known ? 'not determined' : told(whole),
      reducible: isIrreducible ? '–' : told(reducible),
    };
  });
  const residuals = { value: formatNumber(whole.residual), reducible: formatNumber(reducible.residual) };
  rows.push({ name: 'residual: root mean square of ln(observed / fitted)', ...residuals });
  const { held } = whole;
  if (!held || !reducible.held) return rows;
  return [
    ...rows,
    {
      name: `mean relative error at ${symbol} = ${held.size}, which the fit had not seen (cells: ${held.cells})`,
      value: percent(held.error),
      reducible: percent(reducible.held.error),
    },
    {
      name: `the same of the guess that nothing changes from the next ${size}`,
      value: percent(held.unchanged),
      reducible: '',
    },
    {
      name: `the same of straight lines in logarithms through the next two ${size}s, one a cell`,
      value: percent(held.line),
      reducible: '',
    },
  ];
}

/** Whether one may extrapolate with the law and with the one without an irreducible loss: each is judged by itself. */
export function heldOutReading([whole, reducible]: readonly (HeldOut | undefined)[], size: string): string[] {
  if (!whole) return [`There are too few ${size}s to hold one out: the law is no forecast.`];
  return [
    ...verdict(whole, 'the law', size),
    ...(reducible ? verdict(reducible, 'the law without an irreducible loss', size) : []),
  ];
}

function verdict({ error, unchanged, line }: HeldOut, law: string, size: string): string[] {
  const where = `On the held-out ${size} ${law}`;
  if (error >= unchanged)
    return [`${where} is no better than the guess that nothing changes: do not extrapolate with it.`];
  return error >= line ? [`${where} is no better than straight lines through the next two ${size}s.`] : [];
}

/** The law of compute over the trainings that none beats. */
function computeRows(trainings: readonly Training[]): LawRow[] {
  const frontier = computeFrontier(trainings);
  if (frontier.length < 5) return [];
  const { law, residual } = fitComputeLaw(frontier);
  const value = `${formatNumber(law.irreducible)} + ${formatNumber(law.scale)} · C^${formatNumber(law.exponent)}`;
  const name = `L(C) over the ${frontier.length} trainings of least loss for their compute (${OPERATIONS} · parameters · tokens)`;
  return [{ name, value: `${value} (residual ${formatNumber(residual)})`, reducible: '' }];
}

/** What is known of γ: by the whole law, else by the one without a loss that the trainings do not show. */
function signReading(whole: LawFit<JointLaw>, reducible: LawFit<JointLaw>): string[] {
  const open = isUnknown(whole.intervals);
  const [low, high] = (open ? reducible : whole).intervals?.gamma ?? [Number.NaN, Number.NaN];
  const by = open ? ' by the law without an irreducible loss' : '';
  if (high < 0)
    return [`γ is below 0${by}: more latents help the more, the more of them are active (as Gao et al. found).`];
  if (low > 0)
    return [
      `γ is above 0${by}: more latents help the less, the more of them are active (Gao et al. found the opposite).`,
    ];
  return Number.isNaN(low) ? [] : [`The sign of γ is not determined by these trainings${by && `, nor${by}`}.`];
}

/** That the trainings show no irreducible loss, where they do not. */
export function unknownReading<L extends JointLaw>(whole: LawFit<L>, reducible: LawFit<L>, size: string): string[] {
  if (!isUnknown(whole.intervals)) return [];
  const residuals = `residual ${formatNumber(reducible.residual)} without it, ${formatNumber(whole.residual)} with it`;
  return [`The loss that no ${size} takes away is not determined by these trainings (${residuals}).`];
}

/** That wider SAEs did worse, where they did. */
function worseReading(trainings: readonly Training[]): string[] {
  const worse = worseWhenWider(trainings);
  if (worse.length === 0) return [];
  return [
    `At k = ${worse.join(', ')} the widest SAE did worse than a narrower one: trained too short, or k is near d_in; no law of this form describes that.`,
  ];
}
