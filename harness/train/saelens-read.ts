/** @file Reads SAELens checkpoints (`cfg.json`, `sae_weights.safetensors`) as methods. */
import { join } from 'node:path';
import type { FittedMethod } from '../contract.ts';
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import { openSafetensors } from '../io/safetensors.ts';
import { type NamedTensors, tf } from '../num/tf.ts';
import { type SaeLensArchitecture, type SaeLensForm, saeLensMethod } from './saelens-method.ts';

/** What `cfg.json` says, with the older flat form brought to the present one. */
export interface SaeLensConfig {
  architecture: SaeLensArchitecture;
  d_in: number;
  d_sae: number;
  k?: number;
  /** The site that it was trained on, where the checkpoint says so. */
  hook_name?: string;
  model_name?: string;
  form: SaeLensForm;
}

const ARCHITECTURES = ['standard', 'topk', 'jumprelu', 'gated'] as const;
/**
 * Input scalings that a method can carry: none, or one constant, which SAELens folds into the weights when training
 * ends. A scale of each row by itself is refused: `decode` sees codes only and could not take it back.
 */
const NORMALISATIONS = ['none', 'expected_average_only_in'] as const;

type Json = Record<string, unknown>;

function field<T>(path: string, cfg: Json, name: string, expected: string, fits: (value: unknown) => value is T): T {
  const value = cfg[name];
  if (fits(value)) return value;
  throw new UserError(`saelens ${path}: ${name}: expected ${expected}, found ${JSON.stringify(value) ?? 'nothing'}.`);
}

const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
const oneOf =
  <T extends string>(known: readonly T[]) =>
  (value: unknown): value is T =>
    known.includes(value as T);

/** The architecture by its present name, and k: before version 6 both were hidden in the activation function. */
function architectureOf(path: string, cfg: Json): { architecture: SaeLensArchitecture; k?: number } {
  const activation = cfg['activation_fn'] ?? cfg['activation_fn_str'];
  const kwargs = (cfg['activation_fn_kwargs'] ?? {}) as Json;
  const named = cfg['architecture'] ?? (activation === undefined ? undefined : 'standard');
  const architecture = named === 'standard' && activation === 'topk' ? 'topk' : named;
  const known = field(path, { architecture }, 'architecture', ARCHITECTURES.join(', '), oneOf(ARCHITECTURES));
  if (known !== 'topk') return { architecture: known };
  return {
    architecture: known,
    k: field(path, { k: cfg['k'] ?? kwargs['k'] }, 'k', 'a whole number of at least 1', isSize),
  };
}

/**
 * Checks `cfg.json`.
 *
 * @throws UserError naming the field, what was expected and what was found.
 */
export function parseSaeLensConfig(path: string, value: unknown): SaeLensConfig {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UserError(`saelens ${path}: expected a JSON object, found ${JSON.stringify(value)?.slice(0, 40)}.`);
  }
  const cfg = value as Json;
  const { architecture, k } = architectureOf(path, cfg);
  const d_in = field(path, cfg, 'd_in', 'a whole number of at least 1', isSize);
  const d_sae = field(path, cfg, 'd_sae', 'a whole number of at least 1', isSize);
  if (k !== undefined && k > d_sae)
    throw new UserError(`saelens ${path}: k: expected at most d_sae = ${d_sae}, found ${k}.`);
  const boolean = (name: string, missing: boolean) =>
    field(path, { [name]: cfg[name] ?? missing }, name, 'true or false', (v): v is boolean => typeof v === 'boolean');
  const given = cfg['normalize_activations'] ?? 'none';
  // Before version 6 the field was a boolean.
  const scaling = given === true ? 'expected_average_only_in' : given === false ? 'none' : given;
  field(
    path,
    { normalize_activations: scaling },
    'normalize_activations',
    NORMALISATIONS.join(' or '),
    oneOf(NORMALISATIONS),
  );
  const metadata = (cfg['metadata'] ?? {}) as Json;
  const text = (name: string, older: string) => {
    const found = metadata[name] ?? cfg[name] ?? cfg[older];
    return typeof found === 'string' ? found : undefined;
  };
  return {
    architecture,
    d_in,
    d_sae,
    ...(k !== undefined && { k }),
    hook_name: text('hook_name', 'hook_point'),
    model_name: text('model_name', 'model'),
    form: {
      centred: boolean('apply_b_dec_to_input', true),
      rescaleByDecoderNorm: architecture === 'topk' && boolean('rescale_acts_by_decoder_norm', false),
    },
  };
}

/** Tensors that each architecture has beside W_enc, W_dec and b_dec; all are [d_sae]. */
const PER_LATENT: Record<SaeLensArchitecture, readonly string[]> = {
  standard: ['b_enc'],
  topk: ['b_enc'],
  jumprelu: ['b_enc', 'threshold'],
  gated: ['b_gate', 'b_mag', 'r_mag'],
};

/**
 * Loads an SAE in SAELens's layout.
 *
 * @param hook Site that it is to be used at: another one in the checkpoint is an error.
 * @throws UserError naming file, field, expected and found: an unknown architecture or input scaling, a shape that
 * differs from the configuration, NaN or infinite weights, k above d_sae, another site.
 */
export async function loadSaeLens(folder: string, hook?: string): Promise<FittedMethod & { config: SaeLensConfig }> {
  const path = join(folder, 'cfg.json');
  const config = parseSaeLensConfig(path, await readJson(path, 'saelens'));
  const { architecture, d_in, d_sae, hook_name } = config;
  if (hook !== undefined && hook_name !== undefined && hook_name !== hook) {
    throw new UserError(`saelens ${path}: hook_name: expected '${hook}', found '${hook_name}'.`);
  }
  const source = await openSafetensors(join(folder, 'sae_weights.safetensors'));
  const shapes: Record<string, number[]> = { W_enc: [d_in, d_sae], W_dec: [d_sae, d_in], b_dec: [d_in] };
  for (const name of PER_LATENT[architecture]) shapes[name] = [d_sae];
  const data: Record<string, Float32Array> = {};
  for (const [name, shape] of Object.entries(shapes)) {
    data[name] = await source.readFloat(name, { expectShape: shape, finite: true });
  }
  const params: NamedTensors = Object.fromEntries(
    Object.entries(data).map(([name, values]) => [name, tf.tensor(values, shapes[name])]),
  );
  return { ...saeLensMethod(config, params), config };
}
