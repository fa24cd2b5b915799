/** @file Reading fields of `config.json` with errors that name the file, the field, what was expected and found. */
import { UserError } from '../../harness/contract.ts';
import { type Activation, shown } from '../../harness/kit/index.ts';

/** Bound of every size in a config: a larger one is a corrupt file, not a model. */
const MAX_SIZE = 1 << 24;
/** The same of the number of blocks: each has names of its own, listed before any file is opened. */
const MAX_LAYERS = 4096;

/** Activation functions by the names that Hugging Face gives them. */
const ACTIVATIONS: Record<string, Activation> = {
  silu: 'silu',
  quick_gelu: 'quick_gelu',
  gelu: 'gelu',
  gelu_new: 'gelu_tanh',
  gelu_fast: 'gelu_tanh',
  gelu_pytorch_tanh: 'gelu_tanh',
};

/** Typed access to the fields of one JSON object. `null` counts as absent. */
export interface ConfigReader {
  /** A positive integer of at most 2^24. */
  size(field: string, fallback?: number): number;
  /** A number of blocks, at most 4096. */
  layers(field: string, fallback?: number): number;
  /** A positive finite number. */
  positive(field: string, fallback?: number): number;
  flag(field: string, fallback: boolean): boolean;
  oneOf<T extends string>(field: string, known: readonly T[], fallback?: T): T;
  /** An activation function by its name in Hugging Face's configs. */
  activation(field: string, fallback: string): Activation;
  /** A positive number; nothing where the field is `null`, `fallback` where it is absent. */
  positiveOrNone(field: string, fallback?: number): number | undefined;
  /** A positive integer; nothing where the field is `null`, `fallback` where it is absent. */
  sizeOrNone(field: string, fallback?: number): number | undefined;
  /** An integer from 0 to 2^24. */
  count(field: string, fallback: number): number;
  /** A list of as many positive numbers as said. */
  positives(field: string, count: number): number[];
  /** A list of as many of the known names as said, or nothing where the field is absent. */
  names<T extends string>(field: string, known: readonly T[], count: number): T[] | undefined;
  /** Refuses a value that would change the numbers in a way that is not computed here; absent is well. */
  fixed(field: string, only: boolean | number): void;
  /** The same of a field that may only be `null` or absent. */
  none(field: string): void;
  /** A token id, or the first of a list of them; nothing where the field is `null`, `fallback` where it is absent. */
  tokenId(field: string, fallback?: number): number | undefined;
  /** All of them; none where the field is `null`. */
  tokenIds(field: string, fallback?: number): number[];
  /** The reader of a nested object; an empty one where the field is absent. */
  section(field: string): ConfigReader;
  has(field: string): boolean;
  /** The value of a field of which this reader does not know the form; undefined where it is absent. */
  value(field: string): unknown;
  /** The error for a field whose value does not do. */
  wrong(field: string, expected: string): UserError;
}

/** @param where Names the file (and the section) in messages, e.g. `config.json of /models/x`. */
export function configReader(json: Record<string, unknown>, where: string): ConfigReader {
  const read = (field: string, fallback: unknown) => json[field] ?? fallback;
  const wrong = (field: string, expected: string) =>
    new UserError(`${where}: field ${field}: expected ${expected}, found ${shown(json[field])}.`);

  const oneOf: ConfigReader['oneOf'] = (field, known, fallback) => {
    const value = read(field, fallback);
    const match = known.find((name) => name === value);
    if (match !== undefined) return match;
    throw wrong(field, `one of ${known.join(', ')}`);
  };

  function whole(field: string, fallback: number | undefined, most: number, least = 1): number {
    const value = read(field, fallback);
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    throw wrong(field, `an integer from ${least} to ${most}`);
  }

  const has = (field: string) => (json[field] ?? null) !== null;
  const size: ConfigReader['size'] = (field, fallback) => whole(field, fallback, MAX_SIZE);
  const positive: ConfigReader['positive'] = (field, fallback) => {
    const value = read(field, fallback);
    if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value;
    throw wrong(field, 'a positive number');
  };

  function tokenIds(field: string, fallback?: number): number[] {
    const value = json[field] === undefined ? fallback : (json[field] ?? undefined);
    const ids: unknown[] = value === undefined ? [] : [value].flat();
    if (ids.every((id): id is number => Number.isInteger(id) && (id as number) >= 0)) return ids;
    throw wrong(field, 'a token id');
  }

  return {
    wrong,
    oneOf,
    activation: (field, fallback) => ACTIVATIONS[oneOf(field, Object.keys(ACTIVATIONS), fallback)]!,
    fixed(field, only) {
      if (read(field, only) !== only) throw wrong(field, `${only}, which alone is computed here`);
    },
    none(field) {
      if (has(field)) throw wrong(field, 'null, which alone is computed here');
    },
    has,
    value: (field) => json[field] ?? undefined,
    size,
    sizeOrNone: (field, fallback) => (has(field) ? size(field) : json[field] === null ? undefined : fallback),
    positiveOrNone: (field, fallback) => (has(field) ? positive(field) : json[field] === null ? undefined : fallback),
    count: (field, fallback) => whole(field, fallback, MAX_SIZE, 0),
    positives(field, count) {
      const list = json[field];
      const fits = Array.isArray(list) && list.length === count && list.every((x) => Number.isFinite(x) && x > 0);
      if (fits) return list;
      throw wrong(field, `a list of ${count} positive numbers`);
    },
    names(field, known, count) {
      const list = json[field] ?? undefined;
      if (list === undefined) return undefined;
      const fits = Array.isArray(list) && list.length === count && list.every((name) => known.includes(name));
      if (fits) return list;
      throw wrong(field, `a list of ${count}, each one of ${known.join(', ')}`);
    },
    layers: (field, fallback) => whole(field, fallback, MAX_LAYERS),
    positive,
    flag(field, fallback) {
      const value = read(field, fallback);
      if (typeof value === 'boolean') return value;
      throw wrong(field, 'true or false');
    },
    tokenId: (field, fallback) => tokenIds(field, fallback)[0],
    tokenIds,
    section(field) {
      const value = json[field] ?? {};
      if (typeof value !== 'object' || Array.isArray(value)) throw wrong(field, 'an object');
      return configReader(value as Record<string, unknown>, `${where}, ${field}`);
    },
  };
}
