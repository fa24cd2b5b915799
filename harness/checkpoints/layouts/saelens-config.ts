/** @file `cfg.json` of a SAELens checkpoint: checked, with older flat forms brought to the present one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { shown, UserError } from '../../errors.ts';
import { readJson } from '../../io/json.ts';
import type { PursuitOptions } from '../../num/ops/matching-pursuit.ts';
import { isFlag, isPositive, isSize } from '../fields.ts';
import { type Activation, type CheckpointConfig, formOf, type RowScaling } from '../form.ts';
import { checkKeys } from './saelens-keys.ts';

const ARCHITECTURES = [
  'standard',
  'topk',
  'abstopk',
  'jumprelu',
  'gated',
  'matching_pursuit',
  'transcoder',
  'skip_transcoder',
  'jumprelu_transcoder',
  'jumprelu_skip_transcoder',
  'batchtopk',
  'matryoshka_batchtopk',
] as const;
export type SaeLensArchitecture = (typeof ARCHITECTURES)[number];

/** Those that keep a fixed number of latents for each input. */
const hasK = (architecture: string) => architecture === 'topk' || architecture === 'abstopk';

/** Those that keep k latents of a batch's inputs on average. */
const keepsBatches = (architecture: string) => architecture.endsWith('batchtopk');

/** Those that reconstruct another site than the one they read. */
const readsOther = (architecture: SaeLensArchitecture) => architecture.endsWith('transcoder');

/** Those whose codes come of one of the other architectures. */
function activationOf(architecture: SaeLensArchitecture): Activation {
  // Its threshold is trained along; SAELens itself writes a finished one as jumprelu.
  if (architecture.startsWith('jumprelu') || keepsBatches(architecture)) return 'jumprelu';
  if (readsOther(architecture) || architecture === 'standard') return 'relu';
  return architecture as Activation;
}

/** Architectures that SAELens knows and this project does not serve, with the reason. */
const REFUSED: Readonly<Record<string, string>> = {
  temporal: 'its codes depend on the positions before, and a row is encoded here by itself',
};

/** What a checkpoint in this layout says about itself, with what only reading its weights needs. */
export interface SaeLensConfig extends CheckpointConfig {
  architecture: SaeLensArchitecture;
  /** A factor for each latent stands between codes and decoder: `finetuning_scaling_factor`, before version 6. */
  decoderFactor: boolean;
}

export const SAELENS_CONFIG = 'cfg.json';
export const SAELENS_WEIGHTS = 'sae_weights.safetensors';
/** Beside the weights in a checkpoint that SAELens wrote before training ended. */
export const SAELENS_SCALER = 'activation_scaler.json';

/** Scalings of each row by itself, which stay in the method. */
const ROW_SCALINGS: readonly string[] = ['layer_norm', 'constant_norm_rescale'] satisfies RowScaling[];

/**
 * Input scalings: none, one constant, which SAELens folds into the weights when training ends, or one of each row.
 * `covariance_whitening` is folded before SAELens writes an SAE; what still has it lacks its matrices.
 */
const NORMALISATIONS = ['none', 'expected_average_only_in', 'layer_norm', 'constant_norm_rescale'] as const;

/** Activation functions by architecture; before version 6 a TopK SAE was a standard one with `topk`. */
const ACTIVATIONS: Record<SaeLensArchitecture, readonly string[]> = {
  standard: ['relu', 'tanh-relu'],
  topk: ['topk', 'relu'],
  abstopk: ['abstopk'],
  jumprelu: ['relu', 'tanh-relu'],
  gated: ['relu', 'tanh-relu'],
  matching_pursuit: ['relu'],
  transcoder: ['relu'],
  skip_transcoder: ['relu'],
  jumprelu_transcoder: ['relu'],
  jumprelu_skip_transcoder: ['relu'],
  batchtopk: ['relu'],
  matryoshka_batchtopk: ['relu'],
};

type Json = Record<string, unknown>;

function field<T>(path: string, cfg: Json, name: string, expected: string, fits: (value: unknown) => value is T): T {
  const value = cfg[name];
  if (fits(value)) return value;
  throw new UserError(`saelens ${path}: ${name}: expected ${expected}, found ${shown(value)}.`);
}

const oneOf =
  <T extends string>(known: readonly T[]) =>
  (value: unknown): value is T =>
    known.includes(value as T);

function objectOf(path: string, value: unknown): Json {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Json;
  throw new UserError(`saelens ${path}: expected a JSON object, found ${shown(value)}.`);
}

/** The architecture by its present name, its activation function and k: before version 6 the first hid in the second. */
function architectureOf(path: string, cfg: Json): { architecture: SaeLensArchitecture; tanh: boolean; k?: number } {
  const given = cfg['activation_fn'] ?? cfg['activation_fn_str'];
  const named = cfg['architecture'] ?? (given === undefined ? undefined : 'standard');
  if (typeof named === 'string' && Object.hasOwn(REFUSED, named)) {
    throw new UserError(`saelens ${path}: architecture: ${named} is not served: ${REFUSED[named]}.`);
  }
  const architecture = field(
    path,
    { architecture: named === 'standard' && given === 'topk' ? 'topk' : named },
    'architecture',
    ARCHITECTURES.join(', '),
    oneOf(ARCHITECTURES),
  );
  const known = ACTIVATIONS[architecture];
  const expected = `${known.join(' or ')} with the architecture ${architecture}`;
  const activation = field(path, { activation_fn: given ?? known[0] }, 'activation_fn', expected, oneOf(known));
  const kwargs = objectOf(`${path}: activation_fn_kwargs`, cfg['activation_fn_kwargs'] ?? {});
  const other = Object.keys(kwargs).find((name) => name !== 'k');
  if (other !== undefined) {
    throw new UserError(
      `saelens ${path}: activation_fn_kwargs: expected k or nothing, found ${JSON.stringify(other)}: it may change the codes.`,
    );
  }
  const tanh = activation === 'tanh-relu';
  if (keepsBatches(architecture)) {
    const k = field(path, cfg, 'k', 'a number above 0', isPositive);
    return { architecture, tanh, k };
  }
  if (!hasK(architecture)) return { architecture, tanh };
  const k = field(path, { k: cfg['k'] ?? kwargs['k'] }, 'k', 'a whole number of at least 1', isSize);
  if (kwargs['k'] !== undefined && kwargs['k'] !== k) {
    throw new UserError(
      `saelens ${path}: k: expected one number, found ${k} and, in activation_fn_kwargs, ${JSON.stringify(kwargs['k'])}.`,
    );
  }
  return { architecture, tanh, k };
}

const isThreshold = (value: unknown): value is number => typeof value === 'number' && value >= 0 && value < Infinity;

/** What SAELens's matching pursuit has beside the weights; its defaults where a field is absent. */
function pursuitOf(path: string, cfg: Json, d_in: number, d_sae: number): PursuitOptions {
  const given = {
    max_iterations: cfg['max_iterations'] ?? d_in,
    residual_threshold: cfg['residual_threshold'] ?? 1e-2,
    stop_on_duplicate_support: cfg['stop_on_duplicate_support'] ?? true,
  };
  const steps = field(path, given, 'max_iterations', 'a whole number of at least 1, or null for d_in', isSize);
  // Rules to stop may be off, or never met: without a bound a checkpoint could ask for steps without end.
  const most = Math.max(d_in, d_sae);
  if (steps > most) {
    throw new UserError(
      `saelens ${path}: max_iterations: expected at most ${most}, the larger of d_in and d_sae; found ${steps}.`,
    );
  }
  return {
    steps,
    residualThreshold: field(path, given, 'residual_threshold', 'a number of 0 or more', isThreshold),
    stopOnDuplicate: field(path, given, 'stop_on_duplicate_support', 'true or false', isFlag),
  };
}

/**
 * Checks `cfg.json`.
 *
 * @throws UserError naming the field, what was expected and what was found.
 */
export function parseSaeLensConfig(path: string, value: unknown): SaeLensConfig {
  const cfg = objectOf(path, value);
  const { architecture, tanh, k } = architectureOf(path, cfg);
  const d_in = field(path, cfg, 'd_in', 'a whole number of at least 1', isSize);
  const d_sae = field(path, cfg, 'd_sae', 'a whole number of at least 1', isSize);
  if (k !== undefined && k > d_sae)
    throw new UserError(`saelens ${path}: k: expected at most d_sae = ${d_sae}, found ${k}.`);
  const boolean = (name: string, missing: boolean) =>
    field(path, { [name]: cfg[name] ?? missing }, name, 'true or false', isFlag);
  const given = cfg['normalize_activations'] ?? 'none';
  // Before version 6 the field was a boolean.
  const name = given === true ? 'expected_average_only_in' : given === false ? 'none' : given;
  const scaling = field(
    path,
    { normalize_activations: name },
    'normalize_activations',
    NORMALISATIONS.join(' or '),
    oneOf(NORMALISATIONS),
  );
  const pursuit = architecture === 'matching_pursuit' ? pursuitOf(path, cfg, d_in, d_sae) : undefined;
  const transcodes = readsOther(architecture);
  const rows = ROW_SCALINGS.includes(scaling) ? (scaling as RowScaling) : undefined;
  if ((pursuit || transcodes) && scaling === 'expected_average_only_in') {
    throw new UserError(
      `saelens ${path}: normalize_activations: expected none with the architecture ${architecture}, whose ` +
        `${pursuit ? 'encoder is its decoder' : 'output is no input'}; found '${scaling}'.`,
    );
  }
  const outer = { d_out: cfg['d_out'] ?? d_in };
  const d_out = transcodes ? field(path, outer, 'd_out', 'a whole number of at least 1', isSize) : d_in;
  const metadata = objectOf(`${path}: metadata`, cfg['metadata'] ?? cfg['meta'] ?? {});
  checkKeys(path, cfg, metadata, transcodes);
  const rescale = boolean('rescale_acts_by_decoder_norm', false);
  const decoderFactor = boolean('finetuning_scaling_factor', false);
  if (rescale && (!(hasK(architecture) || keepsBatches(architecture)) || decoderFactor)) {
    const beside = decoderFactor ? 'finetuning_scaling_factor' : `the architecture ${architecture}`;
    throw new UserError(`saelens ${path}: rescale_acts_by_decoder_norm: expected false with ${beside}, found true.`);
  }
  const centred = boolean('apply_b_dec_to_input', !transcodes);
  if ((transcodes && centred) || ((transcodes || pursuit) && decoderFactor)) {
    const name = transcodes && centred ? 'apply_b_dec_to_input' : 'finetuning_scaling_factor';
    throw new UserError(`saelens ${path}: ${name}: expected false with the architecture ${architecture}, found true.`);
  }
  const named = <N extends string>(name: N, value: string | undefined) =>
    (value === undefined ? {} : { [name]: value }) as { [key in N]?: string };
  const text = (name: string, older: string) => {
    const found = metadata[name] ?? cfg[name] ?? cfg[older];
    return typeof found === 'string' ? found : undefined;
  };
  return {
    architecture,
    d_in,
    d_sae,
    d_out,
    ...(k !== undefined && { k }),
    ...named('hook_name', text('hook_name', 'hook_point')),
    ...(transcodes && { transcodes: true as const }),
    ...(transcodes && named('hook_name_out', text('hook_name_out', 'hook_point_out'))),
    ...named('model_name', text('model_name', 'model')),
    ...(typeof metadata['saxbench_model'] === 'string' ? { model_fingerprint: metadata['saxbench_model'] } : {}),
    form: formOf(activationOf(architecture), {
      centred,
      rescaleByDecoderNorm: rescale,
      tanh,
      transcodes,
      ...(pursuit && { pursuit }),
      ...(rows && { rows }),
    }),
    decoderFactor,
    ...(scaling === 'expected_average_only_in' ? { inputScale: 'estimate' as const } : {}),
    ...(k !== undefined && { advertisedL0: k }),
  };
}

/**
 * Reads what a checkpoint's folder says about it, without the weights.
 *
 * @throws UserError for a missing file, an unknown architecture or input scaling, an impossible size.
 */
export async function readSaeLensConfig(folder: string): Promise<SaeLensConfig> {
  const path = join(folder, SAELENS_CONFIG);
  const config = parseSaeLensConfig(path, await readJson(path, 'saelens'));
  const scaler = join(folder, SAELENS_SCALER);
  if (config.inputScale === undefined || !existsSync(scaler)) return config;
  const { scaling_factor } = objectOf(scaler, await readJson(scaler, 'saelens'));
  if (scaling_factor === null || scaling_factor === undefined) return config;
  return {
    ...config,
    inputScale: field(scaler, { scaling_factor }, 'scaling_factor', 'a positive number or null', isPositive),
  };
}
