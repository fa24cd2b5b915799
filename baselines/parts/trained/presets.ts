/** @file Named sets of hyper-parameters: options that are left out take the preset's value. */
import type { OptionsSchema } from '../../../harness/contract.ts';

/** Values by preset; the first is the default. */
export type Presets<S> = Record<string, S>;

/** The schema of the options that presets fill in: each description ends with their values. */
export function presetOptions<S extends object>(
  presets: Presets<S>,
  about: string,
  schema: { [K in keyof Required<S>]: OptionsSchema[string] },
): OptionsSchema {
  const names = Object.keys(presets);
  const values = (key: string) =>
    names
      .map((name) => `${name}: ${JSON.stringify((presets[name] as Record<string, unknown>)[key] ?? null)}`)
      .join(', ');
  const filled = Object.entries<OptionsSchema[string]>(schema).map(([key, entry]) => [
    key,
    { ...entry, description: `${entry.description} By preset: ${values(key)}.` },
  ]);
  return { preset: { enum: names, default: names[0]!, description: about }, ...Object.fromEntries(filled) };
}

/** The preset's values with those that were given in their place. */
export function withPreset<S extends object>(
  presets: Presets<S>,
  { preset, ...given }: { preset: string } & Partial<S>,
): S {
  return { ...presets[preset]!, ...given };
}

/** The options that all trained methods share. */
export const TRAINING_SCHEMA = {
  epochs: { type: 'integer', minimum: 1, maximum: 1000, description: 'Passes over the training texts.' },
  batchTexts: { type: 'integer', minimum: 1, maximum: 4096, description: 'Texts of a step.' },
  learningRate: {
    type: 'number',
    exclusiveMinimum: 0,
    maximum: 10,
    description: 'Learning rate of the first step; it falls linearly to 0.',
  },
  maxLength: { type: 'integer', minimum: 2, maximum: 65536, description: 'Tokens of a text that are used.' },
} satisfies OptionsSchema;

/** The option of those that train a vector. */
export const START_SCHEMA = {
  start: { enum: ['constant', 'random'], description: 'First vector: all coordinates alike, or a random direction.' },
} satisfies OptionsSchema;

/** The option of those that draw how much of a vector is added. */
export const FACTORS_SCHEMA = {
  factors: {
    type: 'array',
    items: { type: 'number', exclusiveMinimum: 0 },
    description: 'Amounts of the vector to draw from for each text, in mean norms of rows.',
  },
} satisfies OptionsSchema;

/** Their values. */
export interface TrainingOptions {
  epochs: number;
  batchTexts: number;
  learningRate: number;
  maxLength: number;
}
