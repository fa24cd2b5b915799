/**
 * @file Llama Scope (OpenMOSS): `hyperparams.json` and `checkpoints/final.safetensors`, or, of the later releases,
 * `config.json` and `sae_weights.safetensors`.
 *
 * Traps: Linear weights are transposed; rows are scaled by √d_model over the data's mean norm, which the configuration has, and
 * folded into the weights here; the one threshold of all latents is on rows of that scale too, times the factor once more, as
 * SAELens's loader has it.
 */
import { join } from 'node:path';
import { UserError } from '../../errors.ts';
import { Fields, isPositive, isText, known } from '../fields.ts';
import { foldInputScale, formOf } from '../form.ts';
import type { Layout } from '../layout.ts';
import { siteOf } from '../sites.ts';
import { type Floats, filled, type NamedWeights, openWeightsFile, refuseOtherTensors, transposed } from '../tensors.ts';

const OLD = { config: 'hyperparams.json', weights: join('checkpoints', 'final.safetensors') };
const NEW = { config: 'config.json', weights: 'sae_weights.safetensors' };
const TENSORS = ['encoder.weight', 'encoder.bias', 'decoder.weight', 'decoder.bias'];
const LOG_THRESHOLD = 'log_jumprelu_threshold';

/** What another computation than this one would need, each with what it must be. */
function refuseOthers(config: Fields): void {
  const none = (value: unknown): value is undefined => value === undefined;
  for (const name of ['use_glu_encoder', 'apply_decoder_bias_to_pre_encoder']) {
    if (config.flag(name, false)) config.fail(name, 'false');
  }
  if (!config.flag('use_decoder_bias', true)) config.fail('use_decoder_bias', 'true');
  const { hook_point_in: from, hook_point_out: to = from } = config.json;
  if (to !== null && to !== from) config.fail('hook_point_out', `${String(from)}, as hook_point_in: no transcoder`);
  config.optional('sae_type', 'sae', (value): value is string => value === 'sae', undefined);
  config.optional('lora_rank', 'nothing', none, undefined);
  const isNorm = (value: unknown): value is string => value === 'dataset-wise';
  config.optional('norm_activation', 'dataset-wise', isNorm, 'dataset-wise');
}

/** Threshold and activation, once the rows are scaled by `scale`. */
async function thresholdOf(config: Fields, weights: NamedWeights, d_sae: number, scale: number): Promise<Floats> {
  if (!weights.has(LOG_THRESHOLD)) {
    const isThreshold = (value: unknown): value is number => typeof value === 'number' && value >= 0;
    const threshold = config.get('jump_relu_threshold', 'a number of 0 or more', isThreshold);
    return filled(d_sae, threshold * scale);
  }
  const log = await weights.read(LOG_THRESHOLD, [d_sae]);
  return { ...log, data: log.data.map(Math.exp) };
}

export const llamaScope: Layout = {
  id: 'llama-scope',
  title: 'Llama Scope',
  async claim({ has, file }) {
    if (has(OLD.config)) return OLD.weights;
    // Named within `checkpoints`, the configuration lies a folder above: name that.
    return file === undefined && has(NEW.config) && has(NEW.weights) && !has('cfg.json') ? NEW.weights : undefined;
  },
  async open({ folder, has }, file) {
    const name = has(OLD.config) ? OLD.config : NEW.config;
    const config = await Fields.read('llama-scope', join(folder, name));
    refuseOthers(config);
    const d_in = config.size('d_model');
    const d_sae = config.json['d_sae'] === undefined ? d_in * config.size('expansion_factor') : config.size('d_sae');
    const isActivation = (value: unknown): value is 'relu' | 'jumprelu' | 'topk' =>
      value === 'relu' || value === 'jumprelu' || value === 'topk';
    const activation = config.get('act_fn', 'relu, jumprelu or topk', isActivation);
    const k = activation === 'topk' ? config.size('top_k') : undefined;
    if (k !== undefined && k > d_sae) config.fail('top_k', `at most d_sae = ${d_sae}`);
    const norms = config.inner('dataset_average_activation_norm');
    const norm = norms.get('in', 'the mean norm of the rows it was trained on', isPositive);
    if (norms.optional('out', 'as in', isPositive, norm) !== norm) norms.fail('out', `${norm}, as in`);
    const weights = await openWeightsFile(join(folder, file));
    const thresholds = activation === 'jumprelu' && weights.has(LOG_THRESHOLD) ? [LOG_THRESHOLD] : [];
    refuseOtherTensors(weights, 'llama-scope', `${activation} SAE`, [...TENSORS, ...thresholds]);
    const hook = config.optional('hook_point_in', 'a text', isText, undefined);
    const facts = {
      architecture: activation,
      d_in,
      d_sae,
      d_out: d_in,
      ...known({ k, advertisedL0: k, hook_name: siteOf(hook), model_name: config.text('model_name') }),
    };
    const scale = Math.sqrt(d_in) / norm;
    // Codes of unit decoder rows: what TopK and a threshold see where the loss counted decoder norms.
    const includesNorm = config.flag('sparsity_include_decoder_norm', false);
    const form = formOf(activation, { rescaleByDecoderNorm: includesNorm && activation !== 'relu' });
    if (!Number.isFinite(scale))
      throw new UserError(`llama-scope ${folder}: expected a finite input scale, found ${scale}.`);
    return {
      facts,
      files: [name, file],
      async read() {
        const tensors = {
          W_enc: transposed(await weights.read('encoder.weight', [d_sae, d_in])),
          W_dec: transposed(await weights.read('decoder.weight', [d_in, d_sae])),
          b_enc: await weights.read('encoder.bias', [d_sae]),
          b_dec: await weights.read('decoder.bias', [d_in]),
          ...(activation === 'jumprelu' && { threshold: await thresholdOf(config, weights, d_sae, scale) }),
        };
        return foldInputScale({ config: { ...facts, form, inputScale: scale }, tensors }, scale);
      },
    };
  },
};
