/**
 * @file Overcomplete (KempnerInstitute): the state dict of an SAE with a linear encoder (`linear`, or one that `tied()` or
 * `untied()` made), in one .pt. A whole pickled model is refused by the reader: `torch.save(sae.state_dict(), …)`.
 *
 * Traps: the dictionary has no bias, and its rows are brought to unit length, times exp(multiplier), when the library goes to
 * evaluation; thresholds are logarithms; which SAE it is, and k, is in no tensor, but for JumpReLU's thresholds: a person says
 * `architecture` (standard, topk, batchtopk) and `k` or the `threshold` that a BatchTopK's `running_threshold` ended at.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { Fields, known } from '../fields.ts';
import { type Activation, formOf } from '../form.ts';
import type { Layout } from '../layout.ts';
import {
  type Floats,
  filled,
  type NamedWeights,
  openWeightsFile,
  refuseOtherTensors,
  rowNorms,
  rowsTimes,
  transposed,
} from '../tensors.ts';

const WEIGHTS = 'dictionary._weights';
const MULTIPLIER = 'dictionary.multiplier';
const THRESHOLDS = 'thresholds';

/** A tied encoder's are the dictionary's own, once more. */
const TIED = [WEIGHTS, MULTIPLIER].map((name) => name.replace('dictionary', 'encoder.tied_to'));

/** The names of the encoder's weight and bias by how it was made; a tied one has no weight. */
function encoderNames(weights: NamedWeights): { weight?: string; bias?: string } {
  const found = (name: string) => (weights.has(name) ? name : undefined);
  const weight = found('encoder.final_block.0.weight') ?? found('encoder.weight');
  const bias = found('encoder.final_block.0.bias') ?? found('encoder.bias');
  return known({ weight, bias });
}

interface Kind {
  activation: Activation;
  k?: number;
  threshold?: number;
}

/** What a person says beside each architecture. */
const ALSO: Readonly<Record<string, string>> = { standard: '', topk: 'k', batchtopk: 'threshold' };

/** What a person says, where the tensors do not; what would be said in vain is refused. */
function kindOf(weights: NamedWeights, given: Fields): Kind {
  if (weights.has(THRESHOLDS)) {
    given.refuseOthers('');
    return { activation: 'jumprelu' };
  }
  const kinds = Object.keys(ALSO).join(', ');
  const isKind = (value: unknown): value is string => typeof value === 'string' && Object.hasOwn(ALSO, value);
  const kind = given.get('architecture', `${kinds} (--checkpoint-form architecture=topk,k=32)`, isKind);
  given.refuseOthers(`architecture ${ALSO[kind]}`);
  if (kind === 'standard') return { activation: 'relu' };
  if (kind === 'topk') return { activation: 'topk', k: given.size('k') };
  const isThreshold = (value: unknown): value is number => typeof value === 'number' && value >= 0;
  return {
    activation: 'jumprelu',
    threshold: given.get('threshold', 'the running_threshold it ended at', isThreshold),
  };
}

export const overcomplete: Layout = {
  id: 'overcomplete',
  title: 'Overcomplete',
  takes: ['architecture', 'k', 'threshold'],
  claimTensors: ({ names }) => names.includes(WEIGHTS),
  async open(place, file) {
    const weights = await openWeightsFile(join(place.folder, file));
    const encoder = encoderNames(weights);
    const thresholds = weights.has(THRESHOLDS) ? [THRESHOLDS] : [];
    const own = [encoder.weight, encoder.bias].filter((name) => name !== undefined);
    // Learnt kernels of JumpReLU serve its gradient only; mini-batch norms and deeper encoders are another computation.
    const tensors = [WEIGHTS, MULTIPLIER, ...own, ...thresholds];
    refuseOtherTensors(weights, 'overcomplete', 'SAE with a linear encoder', tensors, TIED);
    const { activation, k, threshold } = kindOf(weights, new Fields(`overcomplete ${weights.path}: form`, place.given));
    const [d_sae, d_in] = weights.shapeOf(WEIGHTS);
    if (d_sae === undefined || d_in === undefined || (k ?? 1) > d_sae) {
      throw new UserError(
        `overcomplete ${weights.path}: expected ${WEIGHTS} [latents, inputs] with k = ${k ?? 1} of them at most; found ` +
          `[${weights.shapeOf(WEIGHTS)}].`,
      );
    }
    const sizes = { d_in, d_sae, d_out: d_in };
    const config = { architecture: activation, ...sizes, ...known({ k, advertisedL0: k }), form: formOf(activation) };
    const thresholdsOf = async (): Promise<{ threshold?: Floats }> => {
      if (threshold !== undefined) return { threshold: filled(d_sae, threshold) };
      if (activation !== 'jumprelu') return {};
      const log = await weights.read(THRESHOLDS, [d_sae]);
      return { threshold: { ...log, data: log.data.map(Math.exp) } };
    };
    return {
      facts: config,
      files: [file],
      async read() {
        const raw = await weights.read(WEIGHTS, [d_sae, d_in]);
        const size = Math.exp(await weights.scalar(MULTIPLIER));
        const lengths = rowNorms(raw).map((norm) => size / (norm + 1e-8));
        const W_dec = rowsTimes(raw, lengths);
        const own = encoder.weight === undefined ? W_dec : await weights.read(encoder.weight, [d_sae, d_in]);
        return {
          config,
          tensors: {
            W_enc: transposed(own),
            W_dec,
            b_dec: filled(d_in, 0),
            b_enc: encoder.bias === undefined ? filled(d_sae, 0) : await weights.read(encoder.bias, [d_sae]),
            ...(await thresholdsOf()),
          },
        };
      },
    };
  },
};
