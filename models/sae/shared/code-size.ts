/**
 * @file TopK codes in other units than pre-activations. Adam moves every weight by about the same length, whatever the weights'
 * own: an encoder whose columns are as short as its codes are small is turned over within a few steps, and latents fall
 * silent. So training keeps the encoder long, multiplies by `size`, and folds that in at the end.
 */
import { type Codes, type NamedTensors, type Tensor2D, type TrainState, tf } from '../../../harness/contract.ts';
import { topkEncode } from '../../../harness/kit/index.ts';
import type { CodesAmong } from './auxk.ts';
import { linearEncoder } from './encoder.ts';
import { topkCodes } from './topk-codes.ts';

/** A code over its pre-activation: the buffer `size`, a scalar. */
const sizeOf = ({ buffers }: TrainState) => buffers['size']!;

/** The k largest positive pre-activations of each input, times `size`. */
export function sizedCodes(params: NamedTensors, x: Tensor2D, k: number, state: TrainState): Codes & { kind: 'topk' } {
  const codes = topkCodes(linearEncoder(params), x, k);
  return { ...codes, values: tf.mul(codes.values, sizeOf(state)) };
}

/** The same among some latents. */
export const sizedAmong =
  (state: TrainState): CodesAmong =>
  (params, x, k, among) => {
    const { indices, values } = topkEncode(x, linearEncoder(params), k, among);
    return { indices, values: tf.mul(values, sizeOf(state)) };
  };

/** The encoder of inference, whose pre-activations are the codes. */
export function foldedEncoder({ W_enc, b_enc }: NamedTensors, state: TrainState): NamedTensors {
  return { W_enc: tf.mul(W_enc!, sizeOf(state)), b_enc: tf.mul(b_enc!, sizeOf(state)) };
}
