/** @file A fitted SAE as a method: what tasks call, and what the store keeps. */

import type { Codes, FittedMethod, FittedState, MethodCost, SaeDefinition, SaeShape } from '../contract.ts';
import { UserError } from '../errors.ts';
import { type NamedTensors, type Tensor2D, tf } from '../num/tf.ts';
import { checkedSae } from '../returned/sae.ts';

/** The rows scaled to unit length; zero rows stay zero. Row-major [rows, width]. */
export function unitRows(values: Float32Array, width: number): Float32Array {
  const out = new Float32Array(values.length);
  for (let start = 0; start < values.length; start += width) {
    let square = 0;
    for (let j = start; j < start + width; j++) square += values[j]! ** 2;
    const factor = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let j = start; j < start + width; j++) out[j] = values[j]! * factor;
  }
  return out;
}

/** Numbers in tensors, and their bytes. */
export function sizeOf(tensors: readonly { size: number }[]): Omit<MethodCost, 'macs'> {
  const parameters = tensors.reduce((sum, { size }) => sum + size, 0);
  return { parameters, bytes: Float32Array.BYTES_PER_ELEMENT * parameters };
}

/**
 * Inference parameters of an SAE as a method. `encode` and `decode` give tensors that the caller disposes of;
 * `directions()` are the decoder rows scaled to unit length. Takes the tensors over: `dispose()` frees them.
 */
export function fittedFromSae<H>(plugin: SaeDefinition<H>, params: NamedTensors, hp: H, shape: SaeShape): FittedMethod {
  const definition = checkedSae(plugin, shape);
  return {
    d_in: shape.d_in,
    ...(shape.d_out === shape.d_in ? {} : { d_out: shape.d_out }),
    d_sae: shape.d_sae,
    sparse: definition.sparse ?? true,
    cost: { ...sizeOf(Object.values(params)), ...(definition.macs ? { macs: definition.macs(shape, hp) } : {}) },
    ...(definition.resolutionFree && { resolutionFree: true }),
    encode: (x) => tf.tidy(() => definition.encode(params, x, hp) as never) as Codes,
    decode: (codes) => tf.tidy(() => definition.decode(params, codes, hp)),
    ...(definition.skip && { skip: (x: Tensor2D) => tf.tidy(() => definition.skip!(params, x, hp)) }),
    directions() {
      // A clone: a variant may hand out the parameter itself.
      const rows = tf.tidy(() => tf.clone(definition.directions(params, hp)));
      const unit = unitRows(rows.dataSync() as Float32Array, rows.shape[1]);
      rows.dispose();
      return unit;
    },
    dispose: () => tf.dispose(params),
  };
}

/** What `saeState` puts beside the tensors. */
interface SaeStateJson {
  variant: string;
  hp: unknown;
  shape: SaeShape;
}

/** Inference parameters as plain numbers, for the store. */
export function saeState<H>(definition: SaeDefinition<H>, params: NamedTensors, hp: H, shape: SaeShape): FittedState {
  const tensors = Object.entries(params).map(([name, tensor]) => {
    return [name, { shape: tensor.shape, data: tensor.dataSync() as Float32Array }] as const;
  });
  const json: SaeStateJson = { variant: definition.id, hp, shape };
  return { tensors: Object.fromEntries(tensors), json };
}

/**
 * The method that {@link saeState} described.
 *
 * @throws UserError when the state belongs to another variant.
 */
export function restoreSae<H>(definition: SaeDefinition<H>, state: FittedState): FittedMethod {
  const json = state.json as SaeStateJson | undefined;
  if (json?.variant !== definition.id) {
    throw new UserError(`sae ${definition.id}: the stored state is of variant '${json?.variant}'.`);
  }
  const entries = Object.entries(state.tensors).map(
    ([name, { shape, data }]) => [name, tf.tensor(data, shape)] as const,
  );
  return fittedFromSae(definition, Object.fromEntries(entries), json.hp as H, json.shape);
}
