/** @file The scaling law of compute C (Gao et al. 2024, arXiv:2406.04093, section 3): loss against what a training cost. */
import { type Fitted, fitLaw, type LawForm, logSum, mean } from './law-form.ts';

/** L(C) = irreducible + scale·C^exponent. */
export interface ComputeLaw {
  irreducible: number;
  scale: number;
  exponent: number;
}

/** One training of a certain compute, in any unit. */
export interface ComputePoint {
  compute: number;
  loss: number;
}

/** The loss that a law of compute gives. */
export const computeLoss = ({ irreducible, scale, exponent }: ComputeLaw, compute: number): number =>
  irreducible + scale * compute ** exponent;

/**
 * @param near A law to begin the search at; several starts are tried without one.
 * @throws RangeError for fewer than four computes, or losses that are not over 0.
 */
export function fitComputeLaw(points: readonly ComputePoint[], near?: ComputeLaw): Fitted<ComputeLaw> {
  const computes = new Set(points.map(({ compute }) => compute)).size;
  if (computes < 4 || points.some(({ loss, compute }) => !(loss > 0 && compute > 0)))
    throw new RangeError(`scaling law of compute: expected at least 4 computes and losses over 0; found ${computes}`);
  const c0 = mean(points.map(({ compute }) => Math.log(compute)));
  const around: LawForm<ComputePoint, ComputeLaw> = {
    form: {
      start: (all, irreducible) => [
        Math.log(irreducible),
        mean(all.map(({ loss }) => Math.log(Math.max(loss - irreducible, loss * 1e-3)))),
        -0.1,
      ],
      value([irreducible, scale, exponent], { compute }) {
        const v = Math.log(compute) - c0;
        const { log, first, second } = logSum(irreducible!, scale! + exponent! * v);
        return { log, derivatives: [first, second, second * v] };
      },
    },
    lawOf: ([irreducible, scale, exponent]) => ({
      irreducible: Math.exp(irreducible!),
      scale: Math.exp(scale! - exponent! * c0),
      exponent: exponent!,
    }),
    paramsOf: ({ irreducible, scale, exponent }) => [Math.log(irreducible), Math.log(scale) + exponent * c0, exponent],
  };
  return fitLaw(around, points, near);
}

/** Those of the least loss for their compute: no other has as little of both. Sorted by compute. */
export function computeFrontier<P extends ComputePoint>(points: readonly P[]): P[] {
  const sorted = [...points].sort((a, b) => a.compute - b.compute || a.loss - b.loss);
  let least = Infinity;
  return sorted.filter(({ loss }) => {
    if (loss >= least) return false;
    least = loss;
    return true;
  });
}
