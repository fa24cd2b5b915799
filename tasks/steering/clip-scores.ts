/** @file How zero-shot answers changed: scores of one concept at one factor over some images. */

/** Logits of one question before and after steering, row-major [images, classes]. */
export interface Answers {
  classes: number;
  before: Float32Array;
  after: Float32Array;
}

/** Everything about one concept at one factor. */
export interface Steered {
  target: Answers & { answer: number };
  /** Questions that should not change, with whether each applies to each image. */
  unrelated: (Answers & { applies: (image: number) => boolean })[];
  /** Cosine of each image's embedding before and after. */
  cosines: Float64Array;
}

export interface ClipScores {
  flip_rate: number;
  preservation: number;
  target_lift: number;
  off_target: number;
  /** null where no other logit changed. */
  selectivity: number | null;
  drift: number;
  overall: number;
}

/**
 * Scores over the listed images. `overall` is twice the harmonic mean of flip rate and preservation. Preservation
 * counts the unrelated questions that apply to an image, all of them where none applies, and is the mean cosine (at
 * least 0) where there is no unrelated question at all.
 */
export function clipScores({ target, unrelated, cosines }: Steered, images: readonly number[]): ClipScores {
  const sums = { flip: 0, lift: 0, on: 0, off: 0, cosine: 0, kept: 0, asked: 0 };
  for (const image of images) {
    const [before, after] = rowsOf(target, image);
    sums.flip += largest(after) === target.answer ? 1 : 0;
    sums.lift += probability(after, target.answer) - probability(before, target.answer);
    sums.on += after[target.answer]! - before[target.answer]!;
    sums.off += offTarget(before, after, target.answer);
    sums.cosine += cosines[image]!;
    const applying = unrelated.filter(({ applies }) => applies(image));
    for (const question of applying.length > 0 ? applying : unrelated) {
      const [was, is] = rowsOf(question, image);
      sums.kept += largest(was) === largest(is) ? 1 : 0;
      sums.asked++;
    }
  }
  const n = images.length;
  const flip_rate = sums.flip / n;
  const preservation = sums.asked > 0 ? sums.kept / sums.asked : Math.max(0, sums.cosine / n);
  return {
    flip_rate,
    preservation,
    target_lift: sums.lift / n,
    off_target: sums.off / n,
    selectivity: sums.off > 0 ? sums.on / sums.off : null,
    drift: Math.min(2, Math.max(0, 1 - sums.cosine / n)),
    overall: flip_rate > 0 && preservation > 0 ? 4 / (1 / flip_rate + 1 / preservation) : 0,
  };
}

function rowsOf({ classes, before, after }: Answers, image: number): [Float32Array, Float32Array] {
  const [from, to] = [image * classes, (image + 1) * classes];
  return [before.subarray(from, to), after.subarray(from, to)];
}

/** Place of the largest value; the first among equals. */
export function largest(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function probability(row: Float32Array, answer: number): number {
  const peak = Math.max(...row);
  const sum = row.reduce((total, value) => total + Math.exp(value - peak), 0);
  return Math.exp(row[answer]! - peak) / sum;
}

/** Mean |Δ logit| over the classes other than `answer`. */
function offTarget(before: Float32Array, after: Float32Array, answer: number): number {
  let sum = 0;
  for (let c = 0; c < before.length; c++) if (c !== answer) sum += Math.abs(after[c]! - before[c]!);
  return before.length > 1 ? sum / (before.length - 1) : 0;
}
