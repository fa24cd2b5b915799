/** @file Start values for training a subject from nothing. */
import { type NamedTensors, type Rng, tf } from '../../harness/contract.ts';
import { type CausalLm, causalLmShapes } from './causal-lm.ts';
import { type DualEncoder, dualEncoderShapes } from './dual-encoder.ts';
import type { StackSpec } from './stack-spec.ts';
import type { TensorShapes } from './weights.ts';

/** Standard deviation of embeddings, as in GPT-2 (Radford et al. 2019) and CLIP (Radford et al. 2021, §2.5). */
const EMBEDDING_STD = 0.02;
/** ln(1 / 0.07): CLIP's first temperature. */
const LOGIT_SCALE = 2.6592;

/**
 * Fresh parameters: linear layers normal with variance 1/fan-in, those that write to the residual stream divided by
 * √(2·layers) (GPT-2), embeddings normal with σ = 0.02, gains of norms 1, biases 0. Each tensor draws from its own stream of `rng`.
 * The caller owns the tensors.
 */
export function initCausalLm(lm: CausalLm, rng: Rng): NamedTensors {
  const tables = [lm.embed, ...('table' in lm.positions ? [lm.positions.table] : [])];
  return initTensors(causalLmShapes(lm), tables, [lm.stack], rng);
}

/** Fresh parameters of a dual encoder: as `initCausalLm`, with CLIP's logit scale. */
export function initDualEncoder(model: DualEncoder, rng: Rng): NamedTensors {
  const { vision, text, logitScale } = model;
  const { [logitScale]: _, ...shapes } = dualEncoderShapes(model);
  const { classToken = [], positions } = vision;
  const tables = [classToken, positions, text.embed, text.positions].flat();
  const params = initTensors(shapes, tables, [vision.stack, text.stack], rng);
  return { [logitScale]: tf.scalar(LOGIT_SCALE), ...params };
}

function initTensors(shapes: TensorShapes, tables: string[], stacks: StackSpec[], rng: Rng): NamedTensors {
  const params: NamedTensors = {};
  const gains = stacks.some(({ gainOffset }) => gainOffset) ? tf.zeros : tf.ones;
  for (const [name, shape] of Object.entries(shapes)) {
    const embedding = tables.includes(name.replace(/\.weight$/, ''));
    if (name.endsWith('.bias')) params[name] = tf.zeros(shape);
    else if (shape.length === 1 && !embedding) params[name] = gains(shape);
    else params[name] = normalTensor(rng, name, shape, embedding ? EMBEDDING_STD : stdOf(name, shape, stacks));
  }
  return params;
}

function stdOf(name: string, shape: number[], stacks: StackSpec[]): number {
  const fanIn = shape.slice(1).reduce((product, size) => product * size, 1);
  const writer = stacks.find(({ names, blockPrefix }) => {
    const prefix = blockPrefix(0).replace(/0\.$/, '');
    return name.startsWith(prefix) && [names.out, names.down].some((end) => name.endsWith(`${end}.weight`));
  });
  return fanIn ** -0.5 / (writer ? Math.sqrt(2 * writer.layers) : 1);
}

/** A normal tensor of its own random stream: adding a tensor to a model does not change the others' start values. */
function normalTensor(rng: Rng, name: string, shape: number[], std: number): NamedTensors[string] {
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1));
  return tf.tensor(rng.fork(name).fillNormal(values, 0, std), shape, 'float32');
}
