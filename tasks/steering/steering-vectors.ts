/** @file One steering vector a concept: where it comes from, and how strongly the method itself ever shows it. */
import {
  type ConceptDetector,
  type FittedMethod,
  type LabelledActivations,
  type TaskContext,
  tf,
} from '../../harness/contract.ts';
import {
  bestLatents,
  type Candidates,
  createCandidates,
  matchLabels,
  meanDifferences,
  SCAN_ROWS,
  scanKept,
} from '../../harness/kit/index.ts';
import type { Applied } from './applied.ts';
import type { Kind } from './interventions.ts';
import { largestCode, NEUTRAL_PROMPT, outputScores, scorable } from './output-score.ts';
import type { SteeredPositions } from './positions.ts';

/** What is added to an activation: factor · scale · vector. */
export interface SteeringVector {
  /** [d_in]. Of a latent: what the decoder adds for one unit of it. */
  vector: Float32Array;
  /**
   * The method's largest score on the concept's training items: factor 1 is as much as it ever saw. A method without
   * scores adds as much as the difference of means does.
   */
  scale: number;
  /** Of a method that adds no vector: its own change of the subject. `vector` is zeros then, and the factor its strength. */
  own?: ConceptDetector['intervene'];
  /** Of sparse methods: the latent, so that it can be clamped. */
  latent?: number;
  details: Record<string, unknown>;
}

/** A vector at factor · scale, added or set at the positions `at`; the method's own change where it has one. */
export function steeringBy(
  { vector, scale, latent, own }: SteeringVector,
  kind: Kind | 'own',
  factor: number,
  at: SteeredPositions | undefined,
): Applied {
  if (kind === 'own') return { kind, change: own!, strength: factor * scale };
  return { kind, vector, strength: factor * scale, ...(latent !== undefined && { latent }), ...(at && { at }) };
}

/**
 * How the latent of a concept is chosen: `auroc`, the one of best AUROC on training items; `label`, the one whose description is
 * most like the concept's; `output-score`, of the 10 of best training AUROC the one of largest output score.
 */
export type LatentSelection = 'auroc' | 'label' | 'output-score';

export interface SteeringVectors {
  /** How they were chosen: the value of the axis `selection`. */
  selection: 'detector' | LatentSelection;
  /** In the order of the concepts; undefined where the method has none for it. */
  vectors: (SteeringVector | undefined)[];
}

type Tools = Pick<TaskContext<unknown>, 'latents'> & Partial<Pick<TaskContext<unknown>, 'site' | 'subject'>>;

/** Latents of best training AUROC whose output scores are compared. */
const SCORED = 10;

/**
 * Vectors for the listed concepts, from the method's own directions or else its chosen latents; undefined without either, a
 * reason where latents cannot be chosen so.
 */
export async function steeringVectors(
  method: FittedMethod,
  labelled: LabelledActivations,
  concepts: readonly number[],
  tools: Tools,
  selectBy: LatentSelection = 'auroc',
): Promise<SteeringVectors | string | undefined> {
  const detectors = concepts.map((concept) => method.detector?.(labelled.set.concepts[concept]!));
  const own = detectors.map((detector) => detector?.direction);
  if (own.some((direction) => direction !== undefined)) {
    const scored = detectors.some((detector) => detector?.score !== undefined);
    const scales = scored
      ? await largestProducts(labelled, concepts, own)
      : await matchedScales(labelled, concepts, own);
    return {
      selection: 'detector',
      vectors: own.map((vector, i) => vector && { vector, scale: scales[i]!, details: {} }),
    };
  }
  if (!method.encode || !(method.decode || method.directions)) return undefined;
  const candidates = createCandidates(await tools.latents(labelled.activations));
  const sets = concepts.map((concept) => labelled.examples(concept, 'train'));
  const choices = await chosenLatents(method, labelled, concepts, candidates, tools, selectBy);
  if (typeof choices === 'string') return choices;
  const vectors: (SteeringVector | undefined)[] = [];
  for (const [i, choice] of choices.entries()) {
    if (!choice) {
      vectors.push(undefined);
      continue;
    }
    const { candidate, details } = choice;
    const [latent, sign] = [candidates.latentOf(candidate), candidates.signOf(candidate)];
    const max = Math.max(...candidates.values(candidate, sets[i]!.items));
    const vector = (await latentEffect(method, latent)).map((value) => sign * value);
    vectors.push({ vector, scale: max, details: { latent, sign, ...details }, ...(method.sparse ? { latent } : {}) });
  }
  // A latent that is silent on all training items gives no scale: its direction's own products do.
  const silent = vectors.map((entry) => (entry && !(entry.scale > 0) ? entry.vector : undefined));
  const scales = await largestProducts(labelled, concepts, silent);
  vectors.forEach((entry, i) => {
    if (entry && silent[i]) entry.scale = scales[i]!;
  });
  return { selection: selectBy, vectors };
}

/** Of a method that adds no vector: its own change of the subject for each of the listed concepts; undefined where it has none. */
export function ownChanges(
  method: FittedMethod,
  labelled: LabelledActivations,
  concepts: readonly number[],
): (Pick<SteeringVectors, 'vectors'> & { selection: 'detector' }) | undefined {
  const detectors = concepts.map((concept) => method.detector?.(labelled.set.concepts[concept]!));
  if (!detectors.some((detector) => detector?.intervene)) return undefined;
  const change = (detector: ConceptDetector): SteeringVector => ({
    vector: new Float32Array(method.d_in),
    scale: 1,
    own: (strengths) => detector.intervene!(strengths),
    details: {},
  });
  return { selection: 'detector', vectors: detectors.map((each) => (each?.intervene ? change(each) : undefined)) };
}

/** A candidate with what results say of its choice. */
interface Choice {
  candidate: number;
  details: Record<string, unknown>;
}

/** The candidate of each concept; a reason where there can be none. */
async function chosenLatents(
  method: FittedMethod,
  labelled: LabelledActivations,
  concepts: readonly number[],
  candidates: Candidates,
  { subject, site }: Tools,
  selectBy: LatentSelection,
): Promise<(Choice | undefined)[] | string> {
  if (selectBy === 'label') {
    if (!method.labels) return 'nobody says what its latents stand for: name a file, "labels" of the method in a suite';
    const matches = matchLabels(
      method.labels,
      concepts.map((concept) => labelled.set.concepts[concept]!),
    );
    return matches.map(
      (match) =>
        match && { candidate: match.latent, details: { latent_label: match.label, similarity: match.similarity } },
    );
  }
  const sets = concepts.map((concept) => labelled.examples(concept, 'train'));
  if (selectBy === 'auroc') {
    return bestLatents(candidates, sets).map(({ candidate, trainAuroc }) => ({
      candidate,
      details: { train_auroc: trainAuroc },
    }));
  }
  const place = scorable(subject, site?.name);
  if (typeof place === 'string') return place;
  const { lm, at: siteName } = place;
  const { ids } = lm.tokenizer.encode(NEUTRAL_PROMPT);
  const largest = await largestCode(lm, siteName, ids, method);
  const choices: Choice[] = [];
  for (const aurocs of candidates.aurocs(sets)) {
    const best = [...aurocs.keys()].sort((a, b) => aurocs[b]! - aurocs[a]! || a - b).slice(0, SCORED);
    const effects = await Promise.all(
      best.map(async (candidate) => {
        const sign = candidates.signOf(candidate);
        return (await latentEffect(method, candidates.latentOf(candidate))).map((value) => sign * value);
      }),
    );
    const scores = await outputScores(lm, siteName, ids, effects, largest);
    const at = scores.indexOf(Math.max(...scores));
    choices.push({
      candidate: best[at]!,
      details: { train_auroc: aurocs[best[at]!]!, output_score: scores[at]! },
    });
  }
  return choices;
}

/** What one unit of a latent adds to the reconstruction; the unit direction where the method does not decode. */
export async function latentEffect(method: FittedMethod, latent: number): Promise<Float32Array> {
  const { d_in, d_sae } = method as { d_in: number; d_sae: number };
  if (!method.decode) return method.directions!().slice(latent * d_in, (latent + 1) * d_in);
  const decode = method.decode.bind(method);
  const sparse = tf.tidy(() => method.encode!(tf.zeros([1, d_in])).kind === 'topk');
  const effect = tf.tidy(() => {
    const on = tf.tensor2d([1, 0], [2, 1]);
    const both = sparse
      ? decode({ kind: 'topk', indices: tf.fill([2, 1], latent, 'int32'), values: on, d_sae })
      : decode({ kind: 'dense', values: tf.mul(on, tf.oneHot(tf.tensor1d([latent], 'int32'), d_sae)) });
    return tf.sub(tf.slice(both, [0, 0], [1, -1]), tf.slice(both, [1, 0], [1, -1]));
  });
  const values = (await effect.data()) as Float32Array;
  effect.dispose();
  return values;
}

/**
 * Scales for directions that come without a score (random ones): factor 1 adds as long a vector as it does for the
 * difference of means. By its own products a random direction would be steered far more gently than what it is a null for.
 */
async function matchedScales(
  labelled: LabelledActivations,
  concepts: readonly number[],
  vectors: readonly (Float32Array | undefined)[],
): Promise<number[]> {
  const lengths = vectors.map((vector) => Math.sqrt(vector?.reduce((sum, value) => sum + value * value, 0) ?? 0));
  if (lengths.every((length) => length === 0)) return lengths;
  const differences = (await meanDifferences(labelled, concepts)).map((difference) => Float32Array.from(difference));
  const fits = await largestProducts(labelled, concepts, differences);
  return fits.map((fit, c) => (lengths[c] === 0 ? 0 : (fit * Math.hypot(...differences[c]!)) / lengths[c]!));
}

/**
 * Largest product of each vector with a row of its concept's training items, over the vector's squared length: how many
 * times the vector fits into an activation. Where no product is positive, the largest absolute one. 0 where there is no
 * vector or a zero vector.
 */
async function largestProducts(
  labelled: LabelledActivations,
  concepts: readonly number[],
  vectors: readonly (Float32Array | undefined)[],
): Promise<number[]> {
  const largest = vectors.map(() => 0);
  const absolute = vectors.map(() => 0);
  if (vectors.every((vector) => vector === undefined)) return largest;
  const members = concepts.map((concept) => new Set(labelled.examples(concept, 'train').items));
  const squares = vectors.map((vector) => vector?.reduce((sum, value) => sum + value * value, 0) ?? 0);
  const { d_in } = labelled.activations;
  for await (const batch of scanKept(labelled.activations, SCAN_ROWS)) {
    for (let i = 0; i < batch.items; i++) {
      vectors.forEach((vector, c) => {
        if (!vector || squares[c] === 0 || !members[c]!.has(batch.firstItem + i)) return;
        for (let row = batch.bounds[i]!; row < batch.bounds[i + 1]!; row++) {
          let product = 0;
          for (let j = 0; j < d_in; j++) product += vector[j]! * batch.x[row * d_in + j]!;
          largest[c] = Math.max(largest[c]!, product / squares[c]!);
          absolute[c] = Math.max(absolute[c]!, Math.abs(product) / squares[c]!);
        }
      });
    }
  }
  return largest.map((value, c) => (value > 0 ? value : absolute[c]!));
}
