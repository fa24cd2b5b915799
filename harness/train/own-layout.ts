/**
 * @file SAEs in this project's own layout, for variants that SAELens has no form for: `sae.json` says what it is,
 * `sae.safetensors` holds its tensors under the variant's own names. The variant's code is needed to use it.
 */
import { join } from 'node:path';
import type { FittedState, SaeShape } from '../contract.ts';
import { shown, UserError } from '../errors.ts';
import { atomicWriteJson } from '../io/atomic.ts';
import { sha256Json } from '../io/hash.ts';
import { readJson } from '../io/json.ts';
import { openSafetensors } from '../io/safetensors.ts';
import { writeSafetensors } from '../io/safetensors-write.ts';

export const OWN_CONFIG = 'sae.json';
export const OWN_WEIGHTS = 'sae.safetensors';

const FORMAT = 'saxbench-sae-1';

/** What an SAE in this layout says about itself. */
export interface OwnSae {
  /** The plug-in that defines it, its version, and the digest of its own files where it comes from outside. */
  variant: string;
  version: number;
  source?: string;
  shape: SaeShape;
  /** Hyper-parameters, complete. */
  hp: Record<string, unknown>;
  /** Shapes by name of the tensors. */
  tensors: Record<string, number[]>;
  /** The site and the model that it was trained on. */
  hook_name: string;
  /** The site that it reconstructs, where that is another. */
  hook_name_out?: string;
  model_name: string;
  /** Of that model's files; absent where activations were imported. */
  model_fingerprint?: string;
}

/** Stands in the weights' metadata: what their numbers mean hangs on it, and shapes alone do not tell it. */
const digestOf = ({ variant, version, source, shape, hp }: Omit<OwnSae, 'tensors'>): string =>
  sha256Json({ variant, version, source, shape, hp });

/** Writes an SAE. @throws UserError when the folder cannot be written. */
export async function writeOwnSae(folder: string, own: Omit<OwnSae, 'tensors'>, state: FittedState): Promise<void> {
  const entries = Object.entries(state.tensors);
  const tensors = entries.map(([name, { shape, data }]) => [name, { dtype: 'F32' as const, shape, data }] as const);
  await writeSafetensors(join(folder, OWN_WEIGHTS), Object.fromEntries(tensors), { sae: digestOf(own) });
  const shapes = Object.fromEntries(entries.map(([name, { shape }]) => [name, shape]));
  await atomicWriteJson(join(folder, OWN_CONFIG), { format: FORMAT, ...own, tensors: shapes });
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
const isSize = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
const isShape = (value: unknown) =>
  Array.isArray(value) && value.every((length) => Number.isInteger(length) && length >= 0);

/**
 * Reads what an SAE says about itself, without its weights.
 *
 * @throws UserError naming the field, what was expected and what was found.
 */
export async function readOwnSae(folder: string): Promise<OwnSae> {
  const path = join(folder, OWN_CONFIG);
  const json = await readJson(path, 'sae');
  const field = (name: string, expected: string, fits: (value: unknown) => boolean): void => {
    const value = isObject(json) ? json[name] : json;
    if (!isObject(json) || !fits(value))
      throw new UserError(`sae ${path}: ${name}: expected ${expected}, found ${shown(value)}.`);
  };
  field('format', FORMAT, (value) => value === FORMAT);
  field('variant', 'the id of an SAE plug-in', isText);
  field('version', 'its version, 1 or more', isSize);
  field('source', 'a digest, or nothing', (value) => value === undefined || isText(value));
  field(
    'shape',
    'd_in, d_sae and d_out',
    (value) => isObject(value) && ['d_in', 'd_sae', 'd_out'].every((name) => isSize(value[name])),
  );
  field('shape', 'an input whose sizes multiply to d_in, or none', (value) => {
    const { d_in, input } = value as Record<string, unknown>;
    return (
      input === undefined || (Array.isArray(input) && input.every(isSize) && input.reduce((a, b) => a * b, 1) === d_in)
    );
  });
  field('hp', 'an object of hyper-parameters', isObject);
  field('tensors', 'shapes by name', (value) => isObject(value) && Object.values(value).every(isShape));
  field('hook_name', 'the name of a site', isText);
  field('hook_name_out', 'the name of a site, or nothing', (value) => value === undefined || isText(value));
  field('model_name', 'the name of a model', isText);
  field('model_fingerprint', 'a digest, or nothing', (value) => value === undefined || isText(value));
  const { format: _format, ...own } = json as unknown as OwnSae & { format: string };
  return own;
}

/**
 * The weights, as `restoreSae` takes them.
 *
 * @throws UserError for missing, additional or misshapen tensors, for values that are not finite, and for weights that were
 * written with another variant, version, shape or hyper-parameters.
 */
export async function readOwnState(folder: string): Promise<FittedState> {
  const own = await readOwnSae(folder);
  const { variant, hp, shape, tensors: shapes } = own;
  const source = await openSafetensors(join(folder, OWN_WEIGHTS));
  const other = source.names.find((name) => !Object.hasOwn(shapes, name));
  if (other !== undefined) {
    throw new UserError(`sae ${source.path}: tensor '${other}': expected only those that ${OWN_CONFIG} names.`);
  }
  const tensors: FittedState['tensors'] = {};
  for (const [name, expectShape] of Object.entries(shapes)) {
    tensors[name] = { shape: expectShape, data: await source.readFloat(name, { expectShape, finite: true }) };
  }
  const { sae: digest } = source.metadata;
  // Older files have none.
  if (digest !== undefined && digest !== digestOf(own)) {
    throw new UserError(
      `sae ${source.path}: expected weights of the variant, version, source, shape and hp in ${OWN_CONFIG}; ` +
        'found those of others: one of the two files was changed, or is of another SAE.',
    );
  }
  return { tensors, json: { variant, hp, shape } };
}
