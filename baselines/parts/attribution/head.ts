/** @file The classifier that attribution explains: a small MLP on the last hidden state of a text. */
import {
  type NamedTensors,
  type Rng,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  tf,
  type Variable,
} from '../../../harness/contract.ts';
import { createAdam } from '../../../harness/kit/index.ts';

/** Weights of a head: `w1` [d, h], `b1` [h], `w2` [h, 2], `b2` [2]. */
export const HEAD = ['w1', 'b1', 'w2', 'b2'] as const;
export type HeadWeights = Record<(typeof HEAD)[number], Float32Array>;

export interface HeadSettings {
  epochs: number;
  batchSize: number;
  lr: number;
  weightDecay: number;
  dropout: number;
  /** `twice`: the cross-entropy of softmax probabilities taken for logits, as AxBench's code has it. */
  softmax: 'once' | 'twice';
}

const hiddenOf = (d: number): number => Math.floor(d / 2);

export const headShapes = (d: number): Record<(typeof HEAD)[number], number[]> => ({
  w1: [d, hiddenOf(d)],
  b1: [hiddenOf(d)],
  w2: [hiddenOf(d), 2],
  b2: [2],
});

/** Logits [n, 2], negative and positive, of states [n, d]; `masks` are those of dropout, scaled. */
function logitsOf(head: NamedTensors, states: Tensor2D, masks?: { input: Tensor2D; hidden: Tensor2D }): Tensor2D {
  const input = masks ? tf.mul(states, masks.input) : states;
  const hidden = tf.relu(tf.add(tf.matMul(input as Tensor2D, head['w1'] as Tensor2D), head['b1']!));
  const kept = (masks ? tf.mul(hidden, masks.hidden) : hidden) as Tensor2D;
  return tf.add(tf.matMul(kept, head['w2'] as Tensor2D), head['b2']!) as Tensor2D;
}

/** Probability of the concept [n]. */
export function probabilityOf(head: NamedTensors, states: Tensor2D): Tensor1D {
  const probabilities = tf.softmax(logitsOf(head, states));
  return tf.reshape(tf.slice(probabilities, [0, 1], [-1, 1]), [-1]) as Tensor1D;
}

/** PyTorch's start of linear layers: uniform within ±1/√(inputs). */
export function startOf(d: number, rng: Rng): HeadWeights {
  const shapes = headShapes(d);
  const bound = { w1: d, b1: d, w2: hiddenOf(d), b2: hiddenOf(d) };
  return Object.fromEntries(
    HEAD.map((name) => {
      const size = shapes[name].reduce((product, length) => product * length, 1);
      const values = rng.fork(name).fillUniform(new Float32Array(size));
      return [name, values.map((value) => (2 * value - 1) / Math.sqrt(bound[name]))];
    }),
  ) as HeadWeights;
}

/**
 * Trains a head on states [n, d] with labels 1 and 0: AdamW, a rate that falls linearly to 0, items in a new order each epoch.
 *
 * @returns Its weights, and the share of the items that it then classifies rightly.
 */
export async function trainHead(
  states: Float32Array,
  labels: Uint8Array,
  start: HeadWeights,
  settings: HeadSettings,
  rng: Rng,
  signal?: AbortSignal,
): Promise<{ weights: HeadWeights; accuracy: number }> {
  const n = labels.length;
  const d = states.length / n;
  const shapes = headShapes(d);
  const params = Object.fromEntries(
    HEAD.map((name) => [name, tf.tidy(() => tf.variable(tf.tensor(start[name], shapes[name])))]),
  ) as Record<string, Variable>;
  const adam = createAdam(params, { weightDecay: settings.weightDecay });
  const all = tf.tensor2d(states, [n, d]);
  const perEpoch = Math.ceil(n / settings.batchSize);
  const steps = settings.epochs * perEpoch;
  try {
    let order: Uint32Array = new Uint32Array(0);
    for (let step = 0; step < steps; step++) {
      signal?.throwIfAborted();
      if (step % perEpoch === 0) order = rng.fork(`epoch ${step / perEpoch}`).permutation(n);
      const from = (step % perEpoch) * settings.batchSize;
      const batch = order.subarray(from, Math.min(n, from + settings.batchSize));
      const grads = tf.tidy(() => {
        const x = tf.gather(all, tf.tensor1d(Int32Array.from(batch), 'int32')) as Tensor2D;
        const masks = dropoutMasks(batch.length, d, settings.dropout, rng.fork(`dropout ${step}`));
        const loss = () => crossEntropy(logitsOf(params, x, masks), batch, labels, settings.softmax);
        return tf.variableGrads(loss, Object.values(params)).grads;
      });
      // Gradients come by the variables' own names.
      const named = Object.fromEntries(HEAD.map((name) => [name, grads[params[name]!.name]!]));
      adam.step(named, settings.lr * (1 - step / steps));
      tf.dispose(grads);
    }
    const found = await Promise.all(HEAD.map(async (name) => [name, (await params[name]!.data()).slice()] as const));
    const probability = tf.tidy(() => probabilityOf(params, all));
    const right = (await probability.data()).filter((value, i) => Number(value >= 0.5) === labels[i]).length;
    probability.dispose();
    return { weights: Object.fromEntries(found) as HeadWeights, accuracy: right / n };
  } finally {
    adam.dispose();
    tf.dispose([all, ...Object.values(params)]);
  }
}

function dropoutMasks(n: number, d: number, rate: number, rng: Rng) {
  if (rate === 0) return undefined;
  const mask = (label: string, width: number) => {
    const draws = rng.fork(label).fillUniform(new Float32Array(n * width));
    return tf.tensor2d(
      draws.map((value) => (value < rate ? 0 : 1 / (1 - rate))),
      [n, width],
    );
  };
  return { input: mask('input', d), hidden: mask('hidden', hiddenOf(d)) };
}

function crossEntropy(logits: Tensor2D, batch: Uint32Array, labels: Uint8Array, softmax: HeadSettings['softmax']) {
  const targets = tf.oneHot(
    tf.tensor1d(
      Int32Array.from(batch, (item) => labels[item]!),
      'int32',
    ),
    2,
  );
  const outputs = softmax === 'twice' ? tf.softmax(logits) : logits;
  return tf.neg(tf.mean(tf.sum(tf.mul(targets, tf.logSoftmax(outputs)), 1))) as Scalar;
}
