/** @file One steering vector a concept: where it comes from, and how strongly the method itself ever shows it. */
import {
  type ConceptDetector,
  type FittedMethod,
  type LabelledActivations,
  type TaskContext,
  tf,
} from '../../harness/contract.ts';
import { bestLatents, createCandidates, meanDifferences, SCAN_ROWS, scanKept } from '../../harness/kit/index.ts';

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

export interface SteeringVectors {
  /** How they were chosen: the value of the axis `selection`. */
  selection: 'detector' | 'auroc';
  /** In the order of the concepts; undefined where the method has none for it. */
  vectors: (SteeringVector | undefined)[];
}

type Tools = Pick<TaskContext<unknown>, 'latents'>;

/** Vectors for the listed concepts, from the method's own directions or else its best latents; undefined without either. */
export async function steeringVectors(
  method: FittedMethod,
  labelled: LabelledActivations,
  concepts: readonly number[],
  { latents }: Tools,
): Promise<SteeringVectors | undefined> {
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
  if (detectors.some((detector) => detector?.intervene)) {
    const change = (detector: ConceptDetector): SteeringVector => ({
      vector: new Float32Array(method.d_in),
      scale: 1,
      own: (strengths) => detector.intervene!(strengths),
      details: {},
    });
    return { selection: 'detector', vectors: detectors.map((each) => (each?.intervene ? change(each) : undefined)) };
  }
  if (!method.encode || !(method.decode || method.directions)) return undefined;
  const candidates = createCandidates(await latents(labelled.activations));
  const sets = concepts.map((concept) => labelled.examples(concept, 'train'));
  const vectors: SteeringVector[] = [];
  for (const [i, { candidate, latent, sign, trainAuroc }] of bestLatents(candidates, sets).entries()) {
    const max = Math.max(...candidates.values(candidate, sets[i]!.items));
    const vector = (await latentEffect(method, latent)).map((value) => sign * value);
    const details = { latent, sign, train_auroc: trainAuroc };
    vectors.push({ vector, scale: max, details, ...(method.sparse ? { latent } : {}) });
  }
  // A latent that is silent on all training items gives no scale: its direction's own products do.
  const silent = vectors.map(({ scale, vector }) => (scale > 0 ? undefined : vector));
  const scales = await largestProducts(labelled, concepts, silent);
  vectors.forEach((entry, i) => {
    if (silent[i]) entry.scale = scales[i]!;
  });
  return { selection: 'auroc', vectors };
}

/** What one unit of a latent adds to the reconstruction; the unit direction where the method does not decode. */
async function latentEffect(method: FittedMethod, latent: number): Promise<Float32Array> {
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
