/** @file Linear probe: a logistic regression on token activations, the standard supervised detector. */
import { defineBaseline, type Rng, UserError } from '../harness/contract.ts';
import { auroc, createRng, type LogisticModel } from '../harness/kit/index.ts';
import { restoreDirections, storeDirections } from './parts/concept-directions.ts';
import {
  bestToken,
  type FitSettings,
  fitProbe,
  type Level,
  type ProbeData,
  standardise,
  tokenMoments,
} from './parts/probe-fits.ts';
import { readTokenRows } from './parts/token-rows.ts';
import { requireLabels, trainExamples } from './parts/train-examples.ts';

interface Options {
  level: Level | 'best';
  penalties: number[];
  validation: number;
}

type Choice = Pick<FitSettings, 'level' | 'penalty'>;

/** Convergence: largest gradient component of the mean loss, in standardised features. */
const FINAL_TOLERANCE = 1e-6;
/** Enough to tell settings apart by their AUROC. */
const SEARCH_TOLERANCE = 1e-3;

/**
 * Labels belong to items, scores to tokens, and detection takes the maximum of an item's scores. AxBench trains on
 * every token with its item's label; where a concept stands in a few tokens of many, that mostly fits tokens that
 * have nothing to do with it, and a random direction chosen by its pooled AUROC can beat it. The multiple-instance fit
 * trains what detection uses. Both are tried with each L2 strength, on standardised tokens with classes weighted alike,
 * and the best AUROC of pooled scores on held-out training items decides (all tokens of an item on one side; on a tie the
 * stronger penalty, then `token`). The final fit uses all training items. The direction is the weight vector in units of
 * the activation, length 1.
 */
export default defineBaseline<Options>({
  id: 'linear-probe',
  title: 'Linear probe (logistic regression)',
  paper: 'Alain & Bengio 2016, arXiv:1610.01644; Andrews et al. 2002 (multiple-instance learning)',
  version: 1,
  options: {
    level: {
      enum: ['best', 'token', 'instance'],
      default: 'best',
      description: 'Fit on tokens with item labels (token), multiple-instance (instance), or the better one (best).',
    },
    penalties: {
      type: 'array',
      items: { type: 'number', exclusiveMinimum: 0 },
      minItems: 1,
      default: [0.1, 0.01, 0.001],
      description: 'L2 strengths to choose from.',
    },
    validation: {
      type: 'number',
      exclusiveMinimum: 0,
      exclusiveMaximum: 1,
      default: 0.25,
      description: 'Share of the training items of each class that choose level and penalty.',
    },
  },
  needs: 'labels',
  // The validation split is drawn once and for all: seeds would only redraw it.
  seeded: false,
  async fit({ labelled: given, activations, options, signal, progress }) {
    const labelled = requireLabels('linear-probe', given);
    const { concepts } = labelled.set;
    const d = activations.d_in;
    const rng = createRng('linear-probe/validation');
    const vectors: Float64Array[] = [];
    const choices: Choice[] = [];
    for (const [c, concept] of concepts.entries()) {
      signal?.throwIfAborted();
      const { items, labels } = trainExamples('linear-probe', labelled, c);
      const tokens = await readTokenRows(labelled.activations, items);
      if (!allFinite(tokens.x)) {
        throw new UserError(
          `linear-probe: concept '${concept.id}': expected finite activations, found NaN or Infinity`,
        );
      }
      const factor = standardise(tokens, d);
      const moments = tokenMoments(tokens, labels, d);
      const data: ProbeData = { tokens, labels, items: Uint32Array.from(labels.keys()), d, moments };
      const choice = choose(data, options, rng.fork(concept.id));
      const rough = fitProbe(data, { ...choice, tolerance: SEARCH_TOLERANCE });
      const { weights } = fitProbe(data, { ...choice, tolerance: FINAL_TOLERANCE }, rough);
      choices.push(choice);
      // Back to units of the activation.
      vectors.push(weights.map((weight, i) => weight * factor[i]!));
      progress(c + 1, concepts.length);
    }
    const state = storeDirections('linear-probe', { concepts, vectors }, d);
    return { ...state, json: { ...(state.json as object), choices } };
  },
  restore: (state, { d_in }) => restoreDirections(state, d_in),
});

/** A loop, since a call for every number costs as much as a fit. */
function allFinite(x: Float32Array): boolean {
  for (let i = 0; i < x.length; i++) if (!Number.isFinite(x[i])) return false;
  return true;
}

/** The settings of best validation AUROC; the first where a class has a single item, which cannot be split. */
function choose(data: ProbeData, options: Options, rng: Rng): Choice {
  const candidates = settings(options, data.tokens.rows > data.labels.length);
  const [training, validation] = splitItems(data.labels, options.validation, rng);
  if (candidates.length === 1 || validation.length === 0) return candidates[0]!;
  const truth = validation.map((item) => data.labels[item]!);
  let best = { choice: candidates[0]!, auroc: -1 };
  const part = { ...data, items: training };
  let token: LogisticModel | undefined;
  for (const choice of candidates) {
    // The multiple-instance fit starts from the token fit of the same penalty, which comes before it.
    const start = choice.level === 'instance' ? token : undefined;
    const model = fitProbe(part, { ...choice, tolerance: SEARCH_TOLERANCE }, start);
    token = choice.level === 'token' ? model : undefined;
    const { weights } = model;
    const scores = Float64Array.from(validation, (item) => bestToken(data.tokens, item, weights).score);
    const reached = auroc(scores, truth)!;
    if (reached > best.auroc) best = { choice, auroc: reached };
  }
  return best.choice;
}

/** Strongest penalty first. Where every item has one token the two levels are the same. */
function settings({ level, penalties }: Options, severalTokens: boolean): Choice[] {
  const levels: Level[] = !severalTokens ? ['token'] : level === 'best' ? ['token', 'instance'] : [level];
  const descending = [...penalties].sort((a, b) => b - a);
  return descending.flatMap((penalty) => levels.map((each): Choice => ({ level: each, penalty })));
}

/** Items for fitting and for validation, the same share of each class in both; at least one of a class stays to fit. */
function splitItems(labels: Uint8Array, share: number, rng: Rng): [Uint32Array, Uint32Array] {
  const all = Uint32Array.from(labels.keys());
  const held = new Set<number>();
  for (const label of [0, 1]) {
    const items = rng.shuffle(all.filter((item) => labels[item] === label));
    if (items.length < 2) return [all, new Uint32Array(0)];
    const count = Math.min(items.length - 1, Math.max(1, Math.round(share * items.length)));
    for (const item of items.slice(0, count)) held.add(item);
  }
  return [all.filter((item) => !held.has(item)), all.filter((item) => held.has(item))];
}
