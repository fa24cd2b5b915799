/**
 * @file The scaling law of SAEs over subjects of several sizes: the joint law of the relative sizes n/d and k/d, both of whose
 * terms change with the width d of the residual stream, and its error on a subject that was held out. Relative, because at
 * equal n and k a small subject has run out of features where a large one has not begun to: neither tells of the other.
 */
import { type HeldOut, heldOut } from './held-out.ts';
import { type Fitted, fitLaw, fitReducible, type LawForm, mean } from './law-form.ts';
import { type JointLaw, jointForm, jointLoss, type ScalingPoint, whyNoJointLaw } from './scaling-law.ts';

/** One trained SAE on a subject whose activations are d numbers. */
export interface SubjectPoint extends ScalingPoint {
  d: number;
}

/** What of a training the law goes by. */
export type SubjectShape = Omit<SubjectPoint, 'loss'>;

/** L(n, k, d): the joint law of n/d and k/d, whose alpha is alpha + delta·ln d, and its zeta is zeta + theta·ln d. */
export interface SubjectLaw extends JointLaw {
  delta: number;
  theta: number;
}

/** Sizes in units of the subject's width. */
export const relative = <P extends SubjectShape>(point: P): P => ({
  ...point,
  n: point.n / point.d,
  k: point.k / point.d,
});

/** The joint law of relative sizes that holds on a subject of one size. */
export const lawOfSize = ({ delta, theta, ...law }: SubjectLaw, d: number): JointLaw => ({
  ...law,
  alpha: law.alpha + delta * Math.log(d),
  zeta: law.zeta + theta * Math.log(d),
});

/** The loss that a law over subjects gives. */
export function subjectLoss(law: SubjectLaw, shape: SubjectShape): number {
  const { n, k, d } = relative(shape);
  return jointLoss(lawOfSize(law, d), n, k);
}

/** What two subjects are compared at: the same relative width and sparsity. */
export function cellOf(shape: SubjectShape): string {
  const { n, k } = relative(shape);
  return `${n} ${k}`;
}

/** Two sizes, and over all of them what a joint law needs: what a draw of the bootstrap has to have. */
function whyNoFit(points: readonly SubjectPoint[]): string | undefined {
  const sizes = new Set(points.map(({ d }) => d)).size;
  return sizes < 2 ? `expected subjects of at least 2 sizes; found ${sizes}` : whyNoJointLaw(points.map(relative));
}

/** Those of the relative widths and sparsities that all sizes have. */
export function sharedPoints<P extends SubjectPoint>(points: readonly P[]): P[] {
  const sizes = [...new Set(points.map(({ d }) => d))];
  const cells = sizes.map((size) => new Set(points.filter(({ d }) => d === size).map(cellOf)));
  return points.filter((point) => cells.every((own) => own.has(cellOf(point))));
}

/**
 * Why no law over subjects is of use; undefined where one is: two sizes, and a joint law's relative widths and sparsities
 * that all sizes have, or a width and a size could not be told apart.
 */
export function whyNoSubjectLaw(points: readonly SubjectPoint[]): string | undefined {
  const sizes = new Set(points.map(({ d }) => d)).size;
  const shared = whyNoJointLaw(sharedPoints(points).map(relative));
  return whyNoFit(points) ?? (shared && `of n / d and k / d that all ${sizes} sizes have: ${shared}`);
}

/** The form of the law around the middle of the points: the joint law's, with both its terms moved by ln d. */
function subjectForm(points: readonly SubjectPoint[]): LawForm<SubjectPoint, SubjectLaw> {
  const reason = whyNoFit(points);
  if (reason !== undefined) throw new RangeError(`scaling law over subjects: ${reason}`);
  const joint = jointForm(points.map(relative));
  const d0 = mean(points.map(({ d }) => Math.log(d)));
  return {
    form: {
      start: (all, irreducible) => [...joint.form.start(all, irreducible), 0, 0],
      value([a, bk, bn, g, z, e, delta, theta], point) {
        const w = Math.log(point.d) - d0;
        const { log, derivatives } = joint.form.value(
          [a! + delta! * w, bk!, bn!, g!, z! + theta! * w, e!],
          relative(point),
        );
        return { log, derivatives: [...derivatives, derivatives[0]! * w, derivatives[4]! * w] };
      },
    },
    lawOf(params) {
      const [delta, theta] = params.slice(6) as [number, number];
      const middle = joint.lawOf(params.slice(0, 6));
      return { ...middle, alpha: middle.alpha - delta * d0, zeta: middle.zeta - theta * d0, delta, theta };
    },
    paramsOf: (law) => [...joint.paramsOf(lawOfSize(law, Math.exp(d0))), law.delta, law.theta],
  };
}

/**
 * @param near A law to begin the search at; several starts are tried without one.
 * @throws RangeError for one size, or where all of them have not what a joint law needs.
 */
export function fitSubjectLaw(points: readonly SubjectPoint[], near?: SubjectLaw): Fitted<SubjectLaw> {
  return fitLaw(subjectForm(points), points, near);
}

/**
 * The law over subjects without its irreducible loss (zeta is −∞; eta and theta mean nothing).
 *
 * @throws RangeError as {@link fitSubjectLaw}.
 */
export function fitReducibleSubjectLaw(points: readonly SubjectPoint[]): Fitted<SubjectLaw> {
  return fitReducible(subjectForm(points), points);
}

/**
 * How well a law that never saw the largest subject gives the losses on it; undefined where the others are too few for a law.
 *
 * @param fit The whole law, or the one without its irreducible loss.
 */
export function heldOutSubject(
  points: readonly SubjectPoint[],
  fit: (points: SubjectPoint[]) => Fitted<SubjectLaw> = fitSubjectLaw,
): HeldOut | undefined {
  return heldOut<SubjectPoint, SubjectLaw>(points, {
    sizeOf: ({ d }) => d,
    cellOf,
    whyNoLaw: whyNoSubjectLaw,
    fit,
    lossOf: subjectLoss,
  });
}
