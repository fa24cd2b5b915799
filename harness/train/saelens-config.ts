/** @file `cfg.json` of a SAELens checkpoint: checked, with older flat forms brought to the present one. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { shown, UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import type { PursuitOptions } from '../num/ops/matching-pursuit.ts';
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
] as const;
export type SaeLensArchitecture = (typeof ARCHITECTURES)[number];

/** Those that keep a fixed number of latents for each input. */
const hasK = (architecture: SaeLensArchitecture) => architecture === 'topk' || architecture === 'abstopk';

/** Those that reconstruct another site than the one they read. */
const readsOther = (architecture: SaeLensArchitecture) =>
  architecture === 'transcoder' || architecture === 'skip_transcoder';

/** How a checkpoint treats its input and its codes. */
export interface SaeLensForm {
  /** b_dec is subtracted from the input (`apply_b_dec_to_input`). */
  centred: boolean;
  /** TopK and AbsTopK choose by pre-activation times decoder norm. */
  rescaleByDecoderNorm: boolean;
  /** Codes are the hyperbolic tangent of what the ReLU lets through (`tanh-relu`). */
  tanh: boolean;
  /** A factor for each latent stands between codes and decoder: `finetuning_scaling_factor`, before version 6. */
  decoderFactor: boolean;
  /** How matching pursuit goes on and stops. */
  pursuit?: PursuitOptions;
}

/** What a checkpoint says about itself. */
export interface SaeLensConfig {
  architecture: SaeLensArchitecture;
  d_in: number;
  d_sae: number;
  /** Width of what is reconstructed. */
  d_out: number;
  k?: number;
  /** The site that it was trained on, where the checkpoint says so. */
  hook_name?: string;
  /** The site that a transcoder reconstructs, where the checkpoint says so. */
  hook_name_out?: string;
  model_name?: string;
  /** Of that model's files, where this project trained the SAE on a model of its folder. */
  model_fingerprint?: string;
  form: SaeLensForm;
  /**
   * Its weights expect inputs times one constant, which brings their mean norm to √d_in: a number where the checkpoint
   * has it, `estimate` where it must be taken from activations. Absent once SAELens has folded it into the weights.
   */
  inputScale?: number | 'estimate';
}

export const SAELENS_CONFIG = 'cfg.json';
export const SAELENS_WEIGHTS = 'sae_weights.safetensors';
/** Beside the weights in a checkpoint that SAELens wrote before training ended. */
export const SAELENS_SCALER = 'activation_scaler.json';

/**
 * Input scalings that a method can carry: none, or one constant, which SAELens folds into the weights when training
 * ends. A scale of each row by itself is refused: `decode` sees codes only and could not take it back.
 */
const NORMALISATIONS = ['none', 'expected_average_only_in'] as const;

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
};

type Json = Record<string, unknown>;

function field<T>(path: string, cfg: Json, name: string, expected: string, fits: (value: unknown) => value is T): T {
  const value = cfg[name];
  if (fits(value)) return value;
  throw new UserError(`saelens ${path}: ${name}: expected ${expected}, found ${shown(value)}.`);
}

const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
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
  const isFlag = (value: unknown): value is boolean => typeof value === 'boolean';
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
    field(path, { [name]: cfg[name] ?? missing }, name, 'true or false', (v): v is boolean => typeof v === 'boolean');
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
  if ((pursuit || transcodes) && scaling !== 'none') {
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
  if (rescale && (!hasK(architecture) || decoderFactor)) {
    const beside = decoderFactor ? 'finetuning_scaling_factor' : `the architecture ${architecture}`;
    throw new UserError(`saelens ${path}: rescale_acts_by_decoder_norm: expected false with ${beside}, found true.`);
  }
  const centred = boolean('apply_b_dec_to_input', !transcodes);
  if ((transcodes && centred) || ((transcodes || pursuit) && decoderFactor)) {
    const name = transcodes && centred ? 'apply_b_dec_to_input' : 'finetuning_scaling_factor';
    throw new UserError(`saelens ${path}: ${name}: expected false with the architecture ${architecture}, found true.`);
  }
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
    hook_name: text('hook_name', 'hook_point'),
    ...(transcodes && { hook_name_out: text('hook_name_out', 'hook_point_out') }),
    model_name: text('model_name', 'model'),
    ...(typeof metadata['saxbench_model'] === 'string' ? { model_fingerprint: metadata['saxbench_model'] } : {}),
    form: {
      centred,
      rescaleByDecoderNorm: rescale,
      tanh,
      decoderFactor,
      ...(pursuit && { pursuit }),
    },
    ...(scaling === 'none' ? {} : { inputScale: 'estimate' as const }),
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
  const isScale = (value: unknown): value is number => typeof value === 'number' && value > 0 && value < Infinity;
  return {
    ...config,
    inputScale: field(scaler, { scaling_factor }, 'scaling_factor', 'a positive number or null', isScale),
  };
}
