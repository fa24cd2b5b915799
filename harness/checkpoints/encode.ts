/** @file From rows to codes, for each activation that a checkpoint may have. */
import type { Codes } from '../contract.ts';
import { absTopkEncode } from '../num/ops/abs-topk-encode.ts';
import { kronTopkEncode } from '../num/ops/kron-encode.ts';
import { matchingPursuit } from '../num/ops/matching-pursuit.ts';
import { topkEncode } from '../num/ops/topk-encode.ts';
import { type NamedTensors, type Tensor, type Tensor1D, type Tensor2D, tf } from '../num/tf.ts';
import type { CheckpointConfig, Experts, SaeForm } from './form.ts';
import { scaleRows } from './rows.ts';

/** ReLU, or what stands in its place. */
const rectify = (pre: Tensor, { tanh }: SaeForm) => (tanh ? tf.tanh(tf.relu(pre)) : tf.relu(pre)) as Tensor2D;

/** The largest positive pre-activation of each of k groups of latents that lie side by side. */
function groupMax(pre: Tensor2D, k: number): Codes {
  const [n, d_sae] = pre.shape;
  const groups = tf.reshape(tf.relu(pre), [n, k, d_sae / k]);
  const offsets = tf.range(0, d_sae, d_sae / k, 'int32');
  const indices = tf.add(tf.cast(tf.argMax(groups, 2), 'int32'), offsets) as Tensor2D;
  return { kind: 'topk', indices, values: tf.max(groups, 2) as Tensor2D, d_sae };
}

/**
 * The k largest latents of the expert of largest probability, times that probability: as switch_sae has it, the router's
 * input centred by a bias of its own. Its latents only are chosen from; the rest is 0.
 */
function switchEncode(
  input: Tensor2D,
  x: Tensor2D,
  params: NamedTensors,
  { count, heaviside }: Experts,
  k: number,
): Codes {
  const { W_enc, W_router, b_router } = params as { W_enc: Tensor2D; W_router: Tensor2D; b_router: Tensor1D };
  const [n, d_sae] = [x.shape[0], W_enc.shape[1]];
  const probabilities = tf.softmax(tf.matMul(tf.sub(x, b_router) as Tensor2D, W_router));
  const chosen = tf.oneHot(tf.argMax(probabilities, 1) as Tensor1D, count);
  const weights = heaviside ? chosen : tf.mul(chosen, probabilities);
  const latents = tf.reshape(tf.relu(tf.matMul(input, W_enc)), [n, count, d_sae / count]);
  const gated = tf.reshape(tf.mul(latents, tf.expandDims(weights, 2)), [n, d_sae]);
  const { values, indices } = tf.topk(gated, k, false);
  return { kind: 'topk', indices: indices as Tensor2D, values: values as Tensor2D, d_sae };
}

/**
 * Codes of x [n, d_in].
 *
 * @param params The tensors of the common form; what a decoder norm changes is folded.
 */
export function encode({ k, form }: CheckpointConfig, params: NamedTensors, x: Tensor2D): Codes {
  const { W_enc, b_dec } = params as { W_enc: Tensor2D; b_dec: Tensor1D };
  const scaled = scaleRows(x, form.rows);
  const input = form.centred ? (tf.sub(scaled, b_dec) as Tensor2D) : scaled;
  if (form.pursuit) {
    const W_dec = params['W_dec'] as Tensor2D;
    return { kind: 'topk', ...matchingPursuit(input, W_dec, form.pursuit), d_sae: W_dec.shape[0] };
  }
  if (form.heads) {
    const { W_base, W_extension } = params as { W_base: Tensor2D; W_extension: Tensor2D };
    const centre = tf.zerosLike(b_dec);
    const codes = kronTopkEncode(input, { W_base, W_extension, centre }, form.heads, k!);
    return { kind: 'topk', ...codes, d_sae: params['W_dec']!.shape[0]! };
  }
  if (form.experts) return switchEncode(input, scaled, params, form.experts, k!);
  if (form.activation === 'topk' || form.activation === 'abstopk') {
    const choose = form.activation === 'topk' ? topkEncode : absTopkEncode;
    const codes = choose(input, { W_enc, bias: params['b_enc'] as Tensor1D }, k!);
    return { kind: 'topk', ...codes, d_sae: W_enc.shape[1] };
  }
  const product = tf.matMul(input, W_enc);
  if (form.activation === 'gated') {
    const gate = tf.cast(tf.greater(tf.add(product, params['b_gate']!), 0), 'float32');
    const magnitude = rectify(tf.add(tf.mul(product, tf.exp(params['r_mag']!)), params['b_mag']!), form);
    return { kind: 'dense', values: tf.mul(gate, magnitude) as Tensor2D };
  }
  const pre = tf.add(product, params['b_enc']!) as Tensor2D;
  if (form.activation === 'groupmax') return groupMax(pre, k!);
  if (form.activation !== 'jumprelu') return { kind: 'dense', values: rectify(pre, form) };
  const active = tf.cast(tf.greater(pre, params['threshold']!), 'float32');
  return { kind: 'dense', values: tf.mul(rectify(pre, form), active) as Tensor2D };
}
