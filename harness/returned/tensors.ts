/** @file Tensors that a plug-in from outside returned: shapes, types, codes, numbers that are not finite. */

import type { Codes } from '../contract/sae.ts';
import { type NamedTensors, type Tensor, tf } from '../num/tf.ts';
import { type AnyTensor, type Author, demand, isRecord, isTensor, kindOf, refuse, requireFinite } from './expect.ts';

/** @throws ContractError when `value` is no tensor of this shape and type that is still there. */
export function requireTensor(
  author: Author,
  name: string,
  value: unknown,
  shape: readonly number[],
  dtype: 'float32' | 'int32' = 'float32',
): void {
  const same = isTensor(value) && value.shape.length === shape.length && shape.every((d, i) => d === value.shape[i]);
  if (same && !value.isDisposed && value.dtype === dtype) return;
  const found = isTensor(value) && value.isDisposed ? 'one that was disposed of' : kindOf(value);
  refuse(author, name, `a ${dtype} tensor [${shape.join(', ')}]`, found);
}

/** @throws ContractError for NaN and infinities; a sum tells whether there are any to look for. */
export function requireFiniteTensor(author: Author, name: string, tensor: Tensor): void {
  const total = tf.tidy(() => tf.sum(tensor).dataSync()[0]!);
  if (!Number.isFinite(total)) requireFinite(author, name, tensor.dataSync());
}

/** @throws ContractError when `value` is not one or more named tensors of finite numbers. */
export function requireNamed(author: Author, name: string, value: unknown): void {
  demand(author, name, isRecord(value) && !isTensor(value), 'tensors by name', value);
  for (const [key, tensor] of Object.entries(value as NamedTensors)) {
    const gone = isTensor(tensor) && (tensor as AnyTensor).isDisposed;
    if (!isTensor(tensor) || gone)
      refuse(author, `${name}.${key}`, 'a tensor', gone ? 'a disposed one' : kindOf(tensor));
    requireFiniteTensor(author, `${name}.${key}`, tensor as Tensor);
  }
}

/**
 * Checks codes of `n` inputs over `d_sae` latents, k-sparse ones index by index.
 *
 * @throws ContractError naming what is wrong.
 */
export function requireCodes(author: Author, name: string, value: unknown, n: number, d_sae: number): void {
  const { kind } = (value ?? {}) as Partial<Codes>;
  demand(author, name, kind === 'dense' || kind === 'topk', "codes of kind 'dense' or 'topk'", value);
  const codes = value as Codes;
  if (codes.kind === 'dense') {
    requireTensor(author, `${name}: values`, codes.values, [n, d_sae]);
    return;
  }
  demand(author, `${name}: d_sae`, codes.d_sae === d_sae, String(d_sae), codes.d_sae);
  demand(author, `${name}: values`, isTensor(codes.values), `a float32 tensor [${n}, k]`, codes.values);
  const k = (codes.values as AnyTensor).shape[1] ?? 0;
  requireTensor(author, `${name}: values`, codes.values, [n, k]);
  requireTensor(author, `${name}: indices`, codes.indices, [n, k], 'int32');
  const indices = codes.indices.dataSync();
  for (let at = 0; at < indices.length; at++) {
    const index = indices[at]!;
    if (index >= 0 && index < d_sae) continue;
    refuse(author, `${name}: indices`, `latents from 0 to ${d_sae - 1}`, `${index} in row ${Math.floor(at / k)}`);
  }
}
