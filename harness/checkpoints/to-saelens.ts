/** @file The common form in SAELens's words, so that SAELens loads it and gives the same codes and reconstructions. */
import { UserError } from '../errors.ts';
import type { SaeLensFolder } from '../train/saelens-write.ts';
import { type Checkpoint, type SaeForm, unitDecoder } from './form.ts';
import { rowNorms } from './tensors.ts';

/** SAELens's architecture of a form; what stands in its way where it has none. */
function architectureOf({ activation, transcodes, tanh, rows }: SaeForm, skips: boolean): string | { missing: string } {
  if (tanh) return { missing: 'codes that are a hyperbolic tangent, since version 6' };
  if (!transcodes && skips) return { missing: 'a skip connection of an SAE that is no transcoder' };
  if (['groupmax', 'switch', 'kron'].includes(activation)) return { missing: `the activation ${activation}` };
  const plain = activation === 'relu' ? 'standard' : activation;
  if (!transcodes) return plain;
  if (activation !== 'relu' && activation !== 'jumprelu') return { missing: `transcoders with ${activation}` };
  if (skips && rows) return { missing: 'a skip connection past rows that are scaled' };
  return `${activation === 'jumprelu' ? 'jumprelu_' : ''}${skips ? 'skip_' : ''}transcoder`;
}

/** Keys of `cfg.json` beside those that every one has. */
function cfgOf({ config }: Checkpoint): Record<string, unknown> {
  const { form, k, d_out, inputScale } = config;
  const { pursuit } = form;
  const keeps = form.activation === 'topk' || form.activation === 'abstopk';
  return {
    apply_b_dec_to_input: form.centred,
    ...(form.rows && { normalize_activations: form.rows }),
    // What must be taken from activations, SAELens takes from them too.
    ...(inputScale === 'estimate' && { normalize_activations: 'expected_average_only_in' }),
    ...(keeps && { k, rescale_acts_by_decoder_norm: form.rescaleByDecoderNorm }),
    ...(form.transcodes && { d_out }),
    ...(pursuit && {
      max_iterations: pursuit.steps,
      residual_threshold: pursuit.residualThreshold,
      stop_on_duplicate_support: pursuit.stopOnDuplicate,
    }),
  };
}

/** JumpReLU has no flag for decoder norms: they go into the weights, and the threshold is on their product already. */
function foldedNorms({ config, tensors }: Checkpoint): Checkpoint['tensors'] {
  if (!config.form.rescaleByDecoderNorm || config.form.activation !== 'jumprelu') return tensors;
  return unitDecoder(tensors, rowNorms(tensors['W_dec']!));
}

/** Why SAELens cannot hold a checkpoint; undefined where it can. */
export function missingInSaeLens({ config, tensors }: Checkpoint): string | undefined {
  const found = architectureOf(config.form, tensors['W_skip'] !== undefined);
  return typeof found === 'string' ? undefined : found.missing;
}

/**
 * @param origin Goes into the metadata beside site and model.
 * @throws UserError where SAELens has no word for it.
 */
export function toSaeLens(checkpoint: Checkpoint, origin: Record<string, unknown>): SaeLensFolder {
  const { config } = checkpoint;
  const architecture = architectureOf(config.form, checkpoint.tensors['W_skip'] !== undefined);
  if (typeof architecture !== 'string')
    throw new UserError(`convert: SAELens has no word for ${architecture.missing}.`);
  const { hook_name, hook_name_out, model_name, model_fingerprint } = config;
  const tensors = Object.entries(foldedNorms(checkpoint)).map(
    ([name, { shape, data }]) => [name, { dtype: 'F32' as const, shape, data }] as const,
  );
  return {
    architecture,
    d_in: config.d_in,
    d_sae: config.d_sae,
    cfg: cfgOf(checkpoint),
    metadata: {
      ...(model_name === undefined ? {} : { model_name }),
      ...(hook_name === undefined ? {} : { hook_name }),
      ...(hook_name_out === undefined ? {} : { hook_name_out }),
      ...(model_fingerprint === undefined ? {} : { saxbench_model: model_fingerprint }),
      ...origin,
    },
    tensors: Object.fromEntries(tensors),
  };
}
