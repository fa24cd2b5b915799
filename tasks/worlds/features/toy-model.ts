/** @file The toy model of superposition (Elhage et al. 2022), trained here: x′ = ReLU(WᵀWx + b) through d dimensions. */
import { type Rng, type Scalar, type Tensor1D, type Tensor2D, tf, type Variable } from '../../../harness/contract.ts';
import { createAdam, createRng } from '../../../harness/kit/index.ts';
import { csrOf, type FeatureWorld, sumsOf } from './sums.ts';
import { drawToyFeatures, type ToyConfig, toyBatch } from './toy.ts';

/** A trained model. */
export interface ToyModel {
  /** Wᵀ: row i is the direction of feature i, of its own length; row-major [features, d]. */
  directions: Float32Array;
  /** [features] */
  bias: Float32Array;
}

/**
 * Σᵢ Iᵢ (xᵢ − x′ᵢ)² is minimised in the mean over fresh batches by Adam, whose rate falls linearly to 0 over the last half:
 * features then settle where they belong. Xavier's normal start, b = 0. Needs a backend.
 */
export async function trainToyModel(config: ToyConfig, rng: Rng): Promise<ToyModel> {
  const { features, d, importance, steps, batch, lr, relu } = config;
  const start = rng.fork('start').fillNormal(new Float32Array(features * d), 0, Math.sqrt(2 / (features + d)));
  const rows = tf.tidy(() => tf.variable(tf.tensor2d(start, [features, d])));
  const bias = tf.tidy(() => tf.variable(tf.zeros([features]) as Tensor1D));
  const weights = tf.tensor1d(Array.from({ length: features }, (_, i) => importance ** i));
  const variables: Record<string, Variable> = { bias: bias as Variable, rows: rows as Variable };
  const adam = createAdam(variables);
  const draws = rng.fork('batches');
  try {
    for (let step = 0; step < steps; step++) {
      const data = toyBatch(config, batch, draws);
      tf.tidy(() => {
        const x = tf.tensor2d(data, [batch, features]);
        const { grads } = tf.variableGrads(() => {
          const hidden = tf.matMul(x, rows as Tensor2D);
          const out = tf.add(tf.matMul(hidden, rows as Tensor2D, false, true), bias);
          const error = tf.square(tf.sub(x, relu ? tf.relu(out) : out));
          return tf.div(tf.sum(tf.mul(error, weights)), batch) as Scalar;
        }, Object.values(variables));
        const named = Object.entries(variables).map(([name, variable]) => [name, grads[variable.name]!]);
        adam.step(Object.fromEntries(named), lr * Math.min(1, 2 * (1 - step / steps)));
      });
    }
    return { directions: (await rows.data()) as Float32Array, bias: (await bias.data()) as Float32Array };
  } finally {
    adam.dispose();
    tf.dispose([rows, bias, weights]);
  }
}

/** Activations h = Wx of the model that a seed trains; it is trained when the first is asked for. */
export function createToyWorld(config: ToyConfig, seed: number): FeatureWorld {
  const { features, d } = config;
  const rng = createRng(seed).fork('superposition');
  const items = rng.fork('items');
  const ofItem = (id: string) => drawToyFeatures(config, items.fork(id));
  let trained: Promise<ToyModel> | undefined;
  const model = () => {
    trained ??= trainToyModel(config, rng.fork('model'));
    return trained;
  };
  return {
    features,
    d,
    directions: async () => unitRows((await model()).directions, d),
    of: (ids) => csrOf(ids.map(ofItem), features),
    rows: async (ids) => sumsOf(ids.map(ofItem), (await model()).directions, new Float32Array(d)),
  };
}

/** Rows at unit length; one that the model does not represent keeps its rounding's direction. */
function unitRows(rows: Float32Array, d: number): Float32Array {
  const out = new Float32Array(rows.length);
  for (let at = 0; at < rows.length; at += d) {
    const length = Math.hypot(...rows.subarray(at, at + d)) || 1;
    for (let j = at; j < at + d; j++) out[j] = rows[j]! / length;
  }
  return out;
}
