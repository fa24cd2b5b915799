/** @file Start values for training a subject from nothing. */
import { type NamedTensors, type Rng, tf } from '../../harness/contract.ts';
import { type ClipConfig, clipShapes } from './clip-config.ts';
import { type LlamaConfig, llamaShapes } from './llama-config.ts';
import type { StackSpec } from './transformer.ts';
import type { TensorShapes } from './weights.ts';

/** Standard deviation of embeddings, as in GPT-2 (Radford et al. 2019) and CLIP (Radford et al. 2021, §2.5). */
const EMBEDDING_STD = 0.02;
/** ln(1 / 0.07): CLIP's first temperature. */
const LOGIT_SCALE = 2.6592;

/**
 * Fresh parameters by Hugging Face names: linear layers normal with variance 1/fan-in, those that write to the residual
 * stream divided by √(2·layers) (GPT-2), embeddings normal with σ = 0.02, norms 1, biases 0. Each tensor draws from its
 * own stream of `rng`. The caller owns the tensors.
 */
export function initLlama(config: LlamaConfig, rng: Rng): NamedTensors {
  return initTensors(llamaShapes(config), [config.stack], rng);
}

/** Fresh parameters of a CLIP: as `initLlama`, with CLIP's logit scale. */
export function initClip(config: ClipConfig, rng: Rng): NamedTensors {
  return initTensors(clipShapes(config), [config.vision.stack, config.text.stack], rng);
}

function initTensors(shapes: TensorShapes, stacks: StackSpec[], rng: Rng): NamedTensors {
  const params: NamedTensors = {};
  for (const [name, shape] of Object.entries(shapes)) {
    if (name === 'logit_scale') params[name] = tf.scalar(LOGIT_SCALE);
    else if (name.endsWith('.bias')) params[name] = tf.zeros(shape);
    else if (shape.length === 1 && name.endsWith('.weight')) params[name] = tf.ones(shape);
    else params[name] = normalTensor(rng, name, shape, stdOf(name, shape, stacks));
  }
  return params;
}

function stdOf(name: string, shape: number[], stacks: StackSpec[]): number {
  if (/embed/.test(name) && !name.includes('patch_embedding')) return EMBEDDING_STD;
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
