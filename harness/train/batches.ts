/** @file The stream of training batches: input rows, and the same rows of a target site. */
import type { ActivationSet, SaeBatch, SaeDefinition } from '../contract.ts';
import { UserError } from '../errors.ts';
import { tf } from '../num/tf.ts';

/**
 * The set to reconstruct: `activations` itself, or for variants that declare another site `target`.
 *
 * @throws UserError when a target is needed and missing, or its rows are not those of the same tokens.
 */
export function checkTarget<H>(
  definition: SaeDefinition<H>,
  activations: ActivationSet,
  target?: ActivationSet,
): ActivationSet {
  if (definition.data?.target === undefined) return activations;
  if (!target)
    throw new UserError(`sae ${definition.id}: needs a target site; expected 'target' activations, found none.`);
  if (target.n !== activations.n) {
    throw new UserError(
      `sae ${definition.id}: target: expected the ${activations.n} rows of the input site, found ${target.n}.`,
    );
  }
  const { tokenIds, positions } = activations;
  const other = tokenIds.findIndex(
    (id, row) => id !== target.tokenIds[row] || positions[row] !== target.positions[row],
  );
  if (other >= 0) {
    const at = (set: ActivationSet) => `token ${set.tokenIds[other]} at position ${set.positions[other]}`;
    throw new UserError(
      `sae ${definition.id}: target: expected the rows of the input site, in row ${other} ${at(activations)}; found ${at(target)}: collect both from the same items.`,
    );
  }
  return target;
}

/**
 * Batches from batch number `from` on, multiplied by `scale`, as tensors that the caller disposes of.
 *
 * @throws UserError when the target site keeps other rows than the input site.
 */
export async function* trainingBatches<H>(
  definition: SaeDefinition<H>,
  activations: ActivationSet,
  target: ActivationSet,
  { size, seed, from, scale }: { size: number; seed: number; from: number; scale: number },
): AsyncGenerator<SaeBatch> {
  const shuffle = { from, previous: definition.data?.previous ?? false, reuse: true };
  const targets = target === activations ? undefined : target.shuffled(size, seed, shuffle)[Symbol.asyncIterator]();
  const tensor = (x: Float32Array, d: number) =>
    tf.tidy(() => tf.mul(tf.tensor2d(x, [size, d]), scale)) as SaeBatch['x'];
  for await (const batch of activations.shuffled(size, seed, shuffle)) {
    const other = targets && (await targets.next()).value;
    if (other && !other.rows.every((row: number, i: number) => row === batch.rows[i])) {
      throw new UserError(
        `sae ${definition.id}: target: its kept rows differ from those of the input site; collect both with one policy.`,
      );
    }
    const x = tensor(batch.x, activations.d_in);
    const result: SaeBatch = { x, target: other ? tensor(other.x, target.d_in) : x };
    if (batch.previous) result.previous = tensor(batch.previous, activations.d_in);
    yield result;
  }
}
