/** @file Matryoshka BatchTopK SAE: the first latents, and ever more of them, reconstruct on their own. */
import { defineSae, type NamedTensors, type Scalar, type Tensor2D, tf, UserError } from '../../harness/contract.ts';
import { sparseDecode } from '../../harness/kit/index.ts';
import {
  type BatchTopkCodes,
  batchTopkCodes,
  batchTopkHyperparameters,
  batchTopkVariant,
} from './shared/batchtopk-codes.ts';
import { centredEncoder } from './shared/encoder.ts';
import { checkK } from './shared/linear-parts.ts';
import type { TopkFamily } from './shared/topk-family.ts';
import { normalisedError, withAuxk } from './shared/topk-family-loss.ts';

interface MatryoshkaParameters extends TopkFamily {
  groups: number[];
  groupWeights: number[] | null;
}

/** First latent after each group: rounded down, the last group takes what is left. */
export function groupEnds(groups: readonly number[], d_sae: number): number[] {
  const upTo = (g: number) => groups.slice(0, g + 1).reduce((sum, fraction) => sum + fraction, 0);
  return groups.map((_, g) => (g === groups.length - 1 ? d_sae : Math.floor(upTo(g) * d_sae + 1e-6)));
}

/**
 * The reconstructions [n, d_out] by the latents of the first group, of the first two, …, of all. Each code is decoded once: the
 * groups' parts stand below one another in one product and are added up.
 */
function prefixReconstructions(
  params: NamedTensors,
  { values, indices }: BatchTopkCodes['codes'],
  ends: number[],
): Tensor2D[] {
  const W_dec = params['W_dec'] as Tensor2D;
  const [n, width] = [values.shape[0], W_dec.shape[1]];
  const within = ends.map((end, g) =>
    tf.cast(tf.logicalAnd(tf.greaterEqual(indices, ends[g - 1] ?? 0), tf.less(indices, end)), 'float32'),
  );
  const parts = tf.concat(within.map((mask) => tf.mul(values, mask) as Tensor2D));
  const decoded = sparseDecode(parts, tf.tile(indices, [ends.length, 1]), W_dec, undefined, { activeOnly: true });
  const prefixes: Tensor2D[] = [];
  for (const g of ends.keys()) {
    const own = tf.slice(decoded, [g * n, 0], [n, width]);
    prefixes.push(tf.add(prefixes.at(-1) ?? params['b_dec']!, own) as Tensor2D);
  }
  return prefixes;
}

/** @throws UserError unless each group holds a latent, the fractions make one, and every group has a weight. */
function checkGroups({ groups, groupWeights }: MatryoshkaParameters, d_sae: number): void {
  const fail = (name: string, expected: string, found: unknown): never => {
    throw new UserError(`sae matryoshka: ${name}: expected ${expected}, found ${JSON.stringify(found)}.`);
  };
  const sum = groups.reduce((total, fraction) => total + fraction, 0);
  if (Math.abs(sum - 1) > 1e-6) fail('groups', 'fractions of d_sae that add up to 1', groups);
  const ends = groupEnds(groups, d_sae);
  const empty = ends.findIndex((end, g) => end <= (ends[g - 1] ?? 0));
  if (empty >= 0) fail('groups', `at least one of d_sae = ${d_sae} latents in each group`, groups);
  if (groupWeights === null) return;
  if (groupWeights.length !== groups.length) fail('groupWeights', `${groups.length}, one for each group`, groupWeights);
  if (!groupWeights.some((weight) => weight > 0)) fail('groupWeights', 'one above 0', groupWeights);
}

export default defineSae<MatryoshkaParameters>({
  ...batchTopkVariant,
  id: 'matryoshka',
  title: 'Matryoshka SAE (BatchTopK, nested reconstructions)',
  paper: 'Bussmann, Nabeshima, Karvonen & Nanda 2025, arXiv:2503.17547',
  version: 1,
  hyperparameters: {
    ...batchTopkHyperparameters,
    groups: {
      type: 'array',
      items: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
      minItems: 1,
      default: [1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2],
      description: 'Fractions of the latents in each group; group g reconstructs with all before it.',
    },
    groupWeights: {
      type: ['array', 'null'],
      items: { type: 'number', minimum: 0 },
      default: null,
      description:
        "Weights of the groups' reconstruction losses, whose weighted mean is minimised; null: all the same.",
    },
  },
  validate(shape, hp) {
    checkK('matryoshka', hp.k, shape, false);
    checkGroups(hp, shape.d_sae);
  },
  loss(params, { x, target }, state, hp) {
    const { codes, carry } = batchTopkCodes(centredEncoder(params), x, hp.k);
    const reconstructions = prefixReconstructions(params, codes, groupEnds(hp.groups, codes.d_sae));
    const reconstruction = reconstructions.at(-1)!;
    const weights = hp.groupWeights ?? hp.groups.map(() => 1);
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const errors = reconstructions.map((prefix, g) =>
      tf.mul(normalisedError(target, prefix, state), weights[g]! / all),
    );
    const step = { x, target, reconstruction };
    const { total, nmse, aux } = withAuxk(tf.addN(errors) as Scalar, params, step, state, hp);
    return { total, parts: { nmse, aux }, carry, codes, reconstruction };
  },
});
