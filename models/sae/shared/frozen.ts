/** @file Parameters that are not trained. */
import { type NamedTensors, tf } from '../../../harness/contract.ts';
import { untracked } from '../../../harness/kit/index.ts';

/** `params` with those of `names` as constants: they get no gradient, and the optimiser leaves them as they are. */
export function frozen(params: NamedTensors, ...names: string[]): NamedTensors {
  return { ...params, ...Object.fromEntries(names.map((name) => [name, untracked(() => tf.clone(params[name]!))])) };
}
