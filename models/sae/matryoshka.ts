/**
 * @file Matryoshka BatchTopK SAE: the first latents, and ever more of them, reconstruct on their own.
 *
 * State of tuning at 12,288 latents: run once by the suite wide, 390 steps of 512: explained variance .554 and still rising
 * (TopK .585). Its recipe was tuned on narrower ones.
 */
import { defineSae, type Tensor1D, type Tensor2D, tf, UserError } from '../../harness/contract.ts';
import { nestedDecode, nestedErrors } from '../../harness/kit/index.ts';
import { batchTopkCodes, batchTopkHyperparameters, batchTopkVariant } from './shared/batchtopk-codes.ts';
import { centredEncoder } from './shared/encoder.ts';
import { checkK } from './shared/linear-parts.ts';
import type { TopkFamily } from './shared/topk-family.ts';
import { errorUnit, withAuxk } from './shared/topk-family-loss.ts';

interface MatryoshkaParameters extends TopkFamily {
  groups: number[];
  groupWeights: number[] | null;
}

/** First latent after each group: rounded down, the last group takes what is left. */
export function groupEnds(groups: readonly number[], d_sae: number): number[] {
  const upTo = (g: number) => groups.slice(0, g + 1).reduce((sum, fraction) => sum + fraction, 0);
  return groups.map((_, g) => (g === groups.length - 1 ? d_sae : Math.floor(upTo(g) * d_sae + 1e-6)));
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
    const { W_dec, b_dec } = params as { W_dec: Tensor2D; b_dec: Tensor1D };
    const ends = groupEnds(hp.groups, codes.d_sae);
    const reconstructions = nestedDecode(codes.values, codes.indices, W_dec, b_dec, ends);
    const [groups, ...size] = reconstructions.shape;
    const reconstruction = tf.reshape(tf.slice(reconstructions, [groups - 1, 0, 0], [1, ...size]), size) as Tensor2D;
    const weights = hp.groupWeights ?? hp.groups.map(() => 1);
    const all = weights.reduce((sum, weight) => sum + weight, 0);
    const error = nestedErrors(target, reconstructions, {
      weights: weights.map((weight) => weight / all),
      unit: errorUnit(target, state),
    });
    const step = { x, target, reconstruction };
    const { total, nmse, aux } = withAuxk(error, params, step, state, hp);
    return { total, parts: { nmse, aux }, carry, codes, reconstruction };
  },
});
