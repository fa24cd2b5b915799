/**
 * @file openai/sparse_autoencoder: one .pt with the state dict and, as plain values in it, the activation.
 *
 * Traps: TopK says that rows are layer-normed, ReLU that they are not (the library's own `from_state_dict` goes by that); the
 * pre-bias is subtracted after the layer norm; a tied decoder lies as `decoder.linear.weight`, the encoder once more.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { known } from '../fields.ts';
import { formOf } from '../form.ts';
import type { Layout } from '../layout.ts';
import { type NamedWeights, openWeightsFile, refuseOtherTensors, transposed } from '../tensors.ts';

const TENSORS = ['pre_bias', 'latent_bias', 'encoder.weight'];
const TIED = 'decoder.linear.weight';

/** Counters of training. */
const COUNTERS = ['stats_last_nonzero', 'latents_activation_frequency', 'latents_mean_square'];

/** Of the published ones: `resid_post_mlp_v5_32k/autoencoders/8.pt`. */
const PUBLISHED =
  /(resid_post_mlp|resid_post_attn|resid_delta_mlp|resid_delta_attn)(?:_v\d[^/\\]*)?[/\\]autoencoders[/\\](\d+)\.pt$/;

const HOOKS: Readonly<Record<string, string>> = {
  resid_post_mlp: 'hook_resid_post',
  resid_post_attn: 'hook_resid_mid',
  resid_delta_mlp: 'hook_mlp_out',
  resid_delta_attn: 'hook_attn_out',
};

function originOf(path: string) {
  const [, location, layer] = PUBLISHED.exec(path) ?? [];
  return location === undefined ? {} : { hook_name: `blocks.${layer}.${HOOKS[location]}`, model_name: 'gpt2-small' };
}

/** The activation's name and k. @throws UserError for one that is not known. */
function activationOf({ values, path }: NamedWeights): { activation: 'relu' | 'topk'; k?: number } {
  const name = values['activation'] ?? 'ReLU';
  const fail = (key: string, expected: string, found: unknown): never => {
    throw new UserError(`openai ${path}: ${key}: expected ${expected}, found ${JSON.stringify(found ?? null)}.`);
  };
  if (name === 'ReLU') return { activation: 'relu' };
  if (name !== 'TopK') return fail('activation', 'ReLU or TopK', name);
  const [k, postact] = ['k', 'postact_fn'].map((key) => values[`activation_state_dict.${key}`]);
  if (postact !== undefined && postact !== 'ReLU') fail('activation_state_dict.postact_fn', 'ReLU', postact);
  const isK = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
  return isK(k) ? { activation: 'topk', k } : fail('activation_state_dict.k', 'a whole number of at least 1', k);
}

export const openAi: Layout = {
  id: 'openai',
  title: 'openai/sparse_autoencoder',
  claimTensors: ({ names }) => TENSORS.every((name) => names.includes(name)),
  async open(place, file) {
    const weights = await openWeightsFile(join(place.folder, file));
    const decoder = weights.has(TIED) ? TIED : 'decoder.weight';
    refuseOtherTensors(weights, 'openai', 'Autoencoder', [...TENSORS, decoder], COUNTERS);
    const { activation, k } = activationOf(weights);
    const [d_sae, d_in] = weights.shapeOf('encoder.weight');
    if (d_sae === undefined || d_in === undefined || (k ?? 1) > d_sae) {
      throw new UserError(
        `openai ${weights.path}: expected encoder.weight [latents, inputs] with k = ${k ?? 1} of them at most; found ` +
          `[${weights.shapeOf('encoder.weight')}].`,
      );
    }
    const config = {
      architecture: activation,
      d_in,
      d_sae,
      d_out: d_in,
      ...known({ k, advertisedL0: k }),
      ...originOf(place.path),
      form: formOf(activation, { centred: true, ...(activation === 'topk' ? { rows: 'layer_norm' as const } : {}) }),
    };
    return {
      facts: config,
      files: [file],
      read: async () => ({
        config,
        tensors: {
          W_enc: transposed(await weights.read('encoder.weight', [d_sae, d_in])),
          b_enc: await weights.read('latent_bias', [d_sae]),
          // A tied one is used transposed, and so lies as the decoder rows do.
          W_dec:
            decoder === TIED
              ? await weights.read(TIED, [d_sae, d_in])
              : transposed(await weights.read(decoder, [d_in, d_sae])),
          b_dec: await weights.read('pre_bias', [d_in]),
        },
      }),
    };
  },
};
