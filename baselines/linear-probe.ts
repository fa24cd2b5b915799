/** @file Linear probe: a logistic regression on token activations, the standard supervised detector. */
import { auroc, defineBaseline, denseFeatures, fitLogistic, type Rng, UserError } from '../harness/contract.ts';
import { restoreDirections, storeDirections } from './parts/concept-directions.ts';
import { readTokenRows, type TokenRows } from './parts/token-rows.ts';
import { type Examples, requireLabels, trainExamples } from './parts/train-examples.ts';

interface Options {
  penalties: number[];
  validation: number;
}

/** Convergence of the fits: largest gradient component per row. Weights are then stable to about three digits. */
const TOLERANCE = 1e-6;

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
  seeded: true,
  async fit({ labelled: given, activations, options, rng, signal, progress }) {
    const labelled = requireLabels('linear-probe', given);
    const { concepts } = labelled.set;
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
      const penalty = choosePenalty(rows, examples, options, rng.fork(concept.id), activations.d_in);
      penalties.push(penalty);
      const everything = examples.items.map((_, i) => i);
      vectors.push(fitTokens(rows, examples.labels, everything, penalty, activations.d_in));
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
    const weights = fitTokens(rows, labels, training, penalty, d);
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

/** Weights [d], in units of the activation, of a logistic regression on the tokens of `items`. */
function fitTokens(rows: TokenRows, labels: Uint8Array, items: Uint32Array, penalty: number, d: number): Float64Array {
  const tokens: number[] = [];
  const tokenLabels: number[] = [];
  for (const item of items) {
    for (let row = rows.bounds[item]!; row < rows.bounds[item + 1]!; row++) {
      tokens.push(row);
      tokenLabels.push(labels[item]!);
    }
  }
  const mean = new Float64Array(d);
  const scale = new Float64Array(d);
  for (const row of tokens) for (let i = 0; i < d; i++) mean[i]! += rows.x[row * d + i]! / tokens.length;
  for (const row of tokens) for (let i = 0; i < d; i++) scale[i]! += (rows.x[row * d + i]! - mean[i]!) ** 2;
  for (let i = 0; i < d; i++) {
    const deviation = Math.sqrt(scale[i]! / tokens.length);
    // A coordinate without spread beyond its rounding in float32 tells nothing.
    scale[i] = deviation > 1e-7 * Math.abs(mean[i]!) ? 1 / deviation : 0;
  }
  const x = new Float32Array(tokens.length * d);
  tokens.forEach((row, t) => {
    for (let i = 0; i < d; i++) x[t * d + i] = (rows.x[row * d + i]! - mean[i]!) * scale[i]!;
  });
  const { weights } = fitLogistic(denseFeatures(x, tokens.length, d), tokenLabels, {
    C: 1 / (penalty * tokens.length),
    classWeight: 'balanced',
    tolerance: TOLERANCE,
  });
  return weights.map((weight, i) => weight * scale[i]!);
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
