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

/** What one image shows. */
interface ImageScores {
  flip: number;
  lift: number;
  /** Change of the target's logit, and mean absolute change of the others. */
  on: number;
  off: number;
  cosine: number;
  /** Unrelated questions that count, and answers to them that stayed. */
  asked: number;
  kept: number;
}

/**
 * Scores over the listed images. `overall` is twice the harmonic mean of flip rate and preservation. Preservation
 * counts the unrelated questions that apply to an image, all of them where none applies, and is the mean cosine (at
 * least 0) where there is no unrelated question at all.
 */
export function clipScores(steered: Steered, images: readonly number[]): ClipScores {
  return scoresOf(images.map((image) => imageScores(steered, image)));
}

/**
 * The scores, and what each image adds to the error of each: its influence function, of `selectivity` and `overall` by
 * their derivatives. A score that no image can move has none.
 */
export function clipScoresWithInfluences(
  steered: Steered,
  images: readonly number[],
): { scores: ClipScores; influences: Record<keyof ClipScores, number[]> } {
  const each = images.map((image) => imageScores(steered, image));
  const scores = scoresOf(each);
  const n = each.length;
  const { flip_rate: f, preservation: p, selectivity } = scores;
  const [asked, off] = [total(each, 'asked'), total(each, 'off')];
  const mean = (of: (image: ImageScores) => number) => {
    const value = each.reduce((sum, image) => sum + of(image) / n, 0);
    return each.map((image) => (of(image) - value) / n);
  };
  const flips = mean(({ flip }) => flip);
  const cosines = mean(({ cosine }) => cosine);
  const kept = asked > 0 ? each.map((image) => (image.kept - p * image.asked) / asked) : cosines;
  const [byFlip, byKept] = f > 0 && p > 0 ? [4 * (p / (f + p)) ** 2, 4 * (f / (f + p)) ** 2] : [0, 0];
  return {
    scores,
    influences: {
      flip_rate: flips,
      preservation: kept,
      target_lift: mean(({ lift }) => lift),
      off_target: mean((image) => image.off),
      selectivity: each.map((image) => (off > 0 ? (image.on - selectivity! * image.off) / off : 0)),
      drift: cosines.map((value) => -value),
      overall: flips.map((flip, i) => byFlip * flip + byKept * kept[i]!),
    },
  };
}

function imageScores({ target, unrelated, cosines }: Steered, image: number): ImageScores {
  const [before, after] = rowsOf(target, image);
  const applying = unrelated.filter(({ applies }) => applies(image));
  const questions = applying.length > 0 ? applying : unrelated;
  const kept = questions.filter((question) => {
    const [was, is] = rowsOf(question, image);
    return largest(was) === largest(is);
  });
  return {
    flip: largest(after) === target.answer ? 1 : 0,
    lift: probability(after, target.answer) - probability(before, target.answer),
    on: after[target.answer]! - before[target.answer]!,
    off: offTarget(before, after, target.answer),
    cosine: cosines[image]!,
    asked: questions.length,
    kept: kept.length,
  };
}

const total = (each: readonly ImageScores[], name: keyof ImageScores): number =>
  each.reduce((sum, image) => sum + image[name], 0);

function scoresOf(each: readonly ImageScores[]): ClipScores {
  const sum = (name: keyof ImageScores) => total(each, name);
  const n = each.length;
  const [asked, off] = [sum('asked'), sum('off')];
  const flip_rate = sum('flip') / n;
  const preservation = asked > 0 ? sum('kept') / asked : Math.max(0, sum('cosine') / n);
  return {
    flip_rate,
    preservation,
    target_lift: sum('lift') / n,
    off_target: off / n,
    selectivity: off > 0 ? sum('on') / off : null,
    drift: Math.min(2, Math.max(0, 1 - sum('cosine') / n)),
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
