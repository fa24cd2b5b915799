/** @file Grades by the likeness of embeddings, where they begin learnt from training texts alone. Rows are unit vectors. */
import { quantiles } from '../../../harness/kit/index.ts';

/** Scores at which grades begin: 1 above `weak`, 2 if also at or above `clear`. */
export interface Grades {
  weak: number;
  clear: number;
}

export const gradeOf = (score: number, { weak, clear }: Grades): number => (score <= weak ? 0 : score < clear ? 1 : 2);

/** 1 above the 95th percentile of scores that should be low, 2 if also at or above the median of those that should be high. */
export function gradesOf(high: readonly number[], low: readonly number[]): Grades {
  const [weak] = quantiles(low, [0.95]) as [number];
  const [median] = quantiles(high, [0.5]) as [number];
  return { weak, clear: Math.max(weak, median) };
}

/** Product of two rows of `dim` values, the first beginning at `a`. */
export function product(x: Float32Array, a: number, y: ArrayLike<number>, b: number, dim: number): number {
  let sum = 0;
  for (let j = 0; j < dim; j++) sum += x[a + j]! * y[b + j]!;
  return sum;
}

/** Texts of one concept by their embeddings: of those with it and of those without. */
export interface ConceptLikeness extends Grades {
  /** Likeness of a unit row to the texts with the concept less that to those without. */
  score(row: Float32Array, at: number): number;
}

/** Sum of rows. */
function sumOf(rows: Float32Array, dim: number): Float64Array {
  const sum = new Float64Array(dim);
  for (let i = 0; i < rows.length; i++) sum[i % dim]! += rows[i]!;
  return sum;
}

/** Scaled to length 1; zeros stay zeros. */
function unit(values: Float64Array): Float64Array {
  const length = Math.hypot(...values) || 1;
  return values.map((value) => value / length);
}

/**
 * Score of a text: its cosine with the mean of the texts with the concept less its cosine with the mean of those without.
 * Grades begin where the training texts' own scores say, each taken with the means of the others alone.
 */
export function conceptLikeness(positive: Float32Array, negative: Float32Array, dim: number): ConceptLikeness {
  const sums = [sumOf(positive, dim), sumOf(negative, dim)] as const;
  const [ours, theirs] = [unit(sums[0]), unit(sums[1])];
  /** Scores of a class's own texts, each left out of its class's mean. */
  const leftOut = (rows: Float32Array, own: 0 | 1): number[] =>
    Array.from({ length: rows.length / dim }, (_, i) => {
      const without = unit(sums[own].map((value, j) => value - rows[i * dim + j]!));
      const [mine, other] = own === 0 ? [without, theirs] : [ours, without];
      return product(rows, i * dim, mine, 0, dim) - product(rows, i * dim, other, 0, dim);
    });
  return {
    ...gradesOf(leftOut(positive, 0), leftOut(negative, 1)),
    score: (row, at) => product(row, at, ours, 0, dim) - product(row, at, theirs, 0, dim),
  };
}

/**
 * Grades of keeping to a prompt: the cosine of a text with the prompt that it follows, against that with the prompt of
 * another text, half of them away in their order.
 */
export function topicGrades(prompts: Float32Array, texts: Float32Array, dim: number): Grades {
  const n = texts.length / dim;
  const cosines = (shift: number) =>
    Array.from({ length: n }, (_, i) => product(texts, i * dim, prompts, ((i + shift) % n) * dim, dim));
  return gradesOf(cosines(0), cosines(n >> 1));
}
