/** @file Linear probe: a logistic regression on token activations, the standard supervised detector. */
import {
  auroc,
  createRng,
  defineBaseline,
  denseFeatures,
  fitLogistic,
  type Rng,
  UserError,
} from '../harness/contract.ts';
import { restoreDirections, storeDirections } from './parts/concept-directions.ts';
import { readTokenRows, type TokenRows } from './parts/token-rows.ts';
import { type Examples, requireLabels, trainExamples } from './parts/train-examples.ts';

interface Options {
  penalties: number[];
  validation: number;
}

/** Convergence: largest gradient component of the mean loss, in standardised features. */
const FINAL_TOLERANCE = 1e-6;
/** Enough to tell penalties apart by their AUROC. */
const SEARCH_TOLERANCE = 1e-4;

/**
 * Trained on single tokens, each with the label of its item (as AxBench trains its probe): detection takes the maximum of
 * token scores, so the probe must rank tokens. A token that occurs alike in both classes gets even odds and a
 * token of the concept high odds, in the order of how much it speaks for the concept. Features are standardised,
 * classes weighted alike; the L2 penalty λ (of mean loss + λ/2·‖w‖²) is the one whose maximum-pooled scores reach
 * the best AUROC on held-out training items (all tokens of an item on one side; the strongest penalty wins a tie). The
 * final fit uses all training items. The direction is the weight vector in units of the activation, length 1.
 */
export default defineBaseline<Options>({
  id: 'linear-probe',
  title: 'Linear probe (logistic regression)',
  paper: 'Alain & Bengio 2016, arXiv:1610.01644; Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: {
    penalties: {
      type: 'array',
      items: { type: 'number', exclusiveMinimum: 0 },
      minItems: 1,
      default: [1, 0.1, 0.01, 0.001],
      description: 'L2 strengths to choose from.',
    },
    validation: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.25,
      description: 'Share of the training items of each class that choose the penalty.',
    },
  },
  needs: 'labels',
  // The validation split is drawn once and for all: seeds would only redraw it.
  seeded: false,
  async fit({ labelled: given, activations, options, signal, progress }) {
    const labelled = requireLabels('linear-probe', given);
    const { concepts } = labelled.set;
    const rng = createRng('linear-probe/validation');
    const vectors: Float64Array[] = [];
    const penalties: number[] = [];
    for (const [c, concept] of concepts.entries()) {
      signal?.throwIfAborted();
      const examples = trainExamples('linear-probe', labelled, c);
      const rows = await readTokenRows(labelled.activations, examples.items);
      if (!rows.x.every(Number.isFinite)) {
        throw new UserError(
          `linear-probe: concept '${concept.id}': expected finite activations, found NaN or Infinity`,
        );
      }
      const factor = standardise(rows, activations.d_in);
      const penalty = choosePenalty(rows, examples, options, rng.fork(concept.id), activations.d_in);
      penalties.push(penalty);
      const everything = examples.items.map((_, i) => i);
      const final = { penalty, tolerance: FINAL_TOLERANCE };
      const weights = fitTokens(rows, examples.labels, everything, final, activations.d_in);
      // Back to units of the activation.
      vectors.push(weights.map((weight, i) => weight * factor[i]!));
      progress(c + 1, concepts.length);
    }
    const state = storeDirections('linear-probe', { concepts, vectors }, activations.d_in);
    return { ...state, json: { ...(state.json as object), penalties } };
  },
  restore: (state, { d_in }) => restoreDirections(state, d_in),
});

/** The penalty of best validation AUROC; the strongest one when a class has a single item, which cannot be split. */
function choosePenalty(rows: TokenRows, { labels }: Examples, options: Options, rng: Rng, d: number): number {
  const descending = [...options.penalties].sort((a, b) => b - a);
  const [training, validation] = splitItems(labels, options.validation, rng);
  if (descending.length === 1 || validation.length === 0) return descending[0]!;
  const truth = validation.map((item) => labels[item]!);
  let best = { penalty: descending[0]!, auroc: -1 };
  for (const penalty of descending) {
    const weights = fitTokens(rows, labels, training, { penalty, tolerance: SEARCH_TOLERANCE }, d);
    const scores = Float64Array.from(validation, (item) => maximumScore(rows, item, weights));
    const reached = auroc(scores, truth)!;
    if (reached > best.auroc) best = { penalty, auroc: reached };
  }
  return best.penalty;
}

/** Items for fitting and for validation, the same share of each class in both; at least one of a class stays to fit. */
function splitItems(labels: Uint8Array, share: number, rng: Rng): [Uint32Array, Uint32Array] {
  const held = new Set<number>();
  for (const label of [0, 1]) {
    const items = rng.shuffle(Array.from(labels.keys()).filter((item) => labels[item] === label));
    if (items.length < 2) return [Uint32Array.from(labels.keys()), new Uint32Array(0)];
    const count = Math.min(items.length - 1, Math.max(1, Math.round(share * items.length)));
    for (const item of items.slice(0, count)) held.add(item);
  }
  const all = Uint32Array.from(labels.keys());
  return [all.filter((item) => !held.has(item)), all.filter((item) => held.has(item))];
}

/** Shifts and scales each coordinate in place to mean 0 and deviation 1; returns the factors. A constant one becomes 0. */
function standardise({ x, rows }: TokenRows, d: number): Float64Array {
  const mean = new Float64Array(d);
  const factor = new Float64Array(d);
  for (let row = 0; row < rows; row++) for (let i = 0; i < d; i++) mean[i]! += x[row * d + i]! / rows;
  for (let row = 0; row < rows; row++) for (let i = 0; i < d; i++) factor[i]! += (x[row * d + i]! - mean[i]!) ** 2;
  for (let i = 0; i < d; i++) {
    const deviation = Math.sqrt(factor[i]! / rows);
    // A spread within the rounding of float32 tells nothing.
    factor[i] = deviation > 1e-7 * Math.abs(mean[i]!) ? 1 / deviation : 0;
  }
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < d; i++) x[row * d + i] = (x[row * d + i]! - mean[i]!) * factor[i]!;
  }
  return factor;
}

/** Weights [d] of a logistic regression on the tokens of `items`, each with its item's label. */
function fitTokens(
  { x, bounds }: TokenRows,
  labels: Uint8Array,
  items: Uint32Array,
  { penalty, tolerance }: { penalty: number; tolerance: number },
  d: number,
): Float64Array {
  const rows = items.reduce((sum, item) => sum + bounds[item + 1]! - bounds[item]!, 0);
  const chosen = new Float32Array(rows * d);
  const tokenLabels = new Uint8Array(rows);
  let at = 0;
  for (const item of items) {
    const tokens = bounds[item + 1]! - bounds[item]!;
    chosen.set(x.subarray(bounds[item]! * d, bounds[item + 1]! * d), at * d);
    tokenLabels.fill(labels[item]!, at, at + tokens);
    at += tokens;
  }
  const { weights } = fitLogistic(denseFeatures(chosen, rows, d), tokenLabels, {
    C: 1 / (penalty * rows),
    classWeight: 'balanced',
    tolerance,
  });
  return weights;
}

function maximumScore({ x, bounds }: TokenRows, item: number, weights: Float64Array): number {
  let max = -Infinity;
  for (let row = bounds[item]!; row < bounds[item + 1]!; row++) {
    let score = 0;
    for (let i = 0; i < weights.length; i++) score += weights[i]! * x[row * weights.length + i]!;
    if (score > max) max = score;
  }
  return max;
}
