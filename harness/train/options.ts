/** @file Resolves a variant's hyper-parameters and the training options: defaults, recipe, overrides, checks. */
import type { OptionsSchema, RunLength, SaeDefinition, SaeShape, TrainingOptions } from '../contract.ts';
import { UserError, unknownName } from '../errors.ts';
import { defaultBatch, defaultDeadAfter, stepsOf } from './run-length.ts';

/** Options that follow from the others where nobody sets them. */
type Derived = 'batchSize' | 'deadAfterTokens';

/** What every run starts from; a variant's recipe changes some of it, a suite the rest. */
const DEFAULTS: Readonly<Omit<TrainingOptions, Derived>> = {
  tokens: 500_000,
  lr: 1e-3,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0,
  clip: 1,
  lrWarmup: 0.05,
  lrDecay: 'linear',
  lrDecayFraction: 0.2,
  normalise: 'mean-norm',
  checkpointEverySteps: 200,
};

/** Names of all training options. */
export const TRAINING_OPTIONS: readonly string[] = [...Object.keys(DEFAULTS), 'batchSize', 'deadAfterTokens'];

const CHOICES: Partial<Record<keyof TrainingOptions, readonly string[]>> = {
  lrDecay: ['none', 'linear', 'cosine'],
  normalise: ['none', 'mean-norm'],
};

/** Lowest and highest value of each number, both allowed. */
const RANGES: Partial<Record<keyof TrainingOptions, readonly [number, number]>> = {
  tokens: [1, 1e15],
  batchSize: [1, 1 << 24],
  lr: [0, 1e3],
  beta1: [0, 1 - 1e-9],
  beta2: [0, 1 - 1e-9],
  epsilon: [0, 1],
  weightDecay: [0, 1e3],
  clip: [0, 1e12],
  lrWarmup: [0, 1e12],
  lrDecayFraction: [0, 1],
  deadAfterTokens: [1, 1e15],
  checkpointEverySteps: [0, 1e12],
};

/**
 * Fills in the defaults of `schema`. Values are passed through: their JSON-Schema check is the suite's.
 *
 * @throws UserError for a name that the schema does not have.
 */
export function withDefaults<H>(schema: OptionsSchema, given: Record<string, unknown>, kind: string): H {
  for (const name of Object.keys(given)) if (!(name in schema)) throw unknownName(kind, name, Object.keys(schema));
  const defaults = Object.entries(schema).map(([name, property]) => [name, property.default] as const);
  return { ...Object.fromEntries(defaults.filter(([, value]) => value !== undefined)), ...given } as H;
}

function checkTraining(options: TrainingOptions): void {
  for (const [name, [low, high]] of Object.entries(RANGES)) {
    const value = options[name as keyof TrainingOptions];
    if (typeof value !== 'number' || !(value >= low && value <= high)) {
      throw new UserError(`training: ${name}: expected a number from ${low} to ${high}, found ${value}.`);
    }
  }
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = options[name as keyof TrainingOptions];
    if (!choices.includes(String(value))) {
      throw new UserError(`training: ${name}: expected one of ${choices.join(', ')}, found ${value}.`);
    }
  }
  for (const name of ['tokens', 'batchSize', 'checkpointEverySteps'] as const) {
    if (!Number.isInteger(options[name])) {
      throw new UserError(`training: ${name}: expected a whole number, found ${options[name]}.`);
    }
  }
}

/** How long a run with these options is. */
function runLength({ tokens = DEFAULTS.tokens, batchSize }: Partial<TrainingOptions>): RunLength {
  const size = batchSize ?? defaultBatch(tokens);
  const steps = (of: number) => stepsOf({ tokens, batchSize: of });
  return { tokens, batchSize: size, steps: steps(size), usualSteps: steps(defaultBatch(tokens)) };
}

/**
 * Defaults, then the variant's recipe, then the caller's overrides.
 *
 * @throws UserError for an unknown option, a value out of range, or a scale that the variant cannot fold back.
 */
export function resolveTraining<H>(
  definition: SaeDefinition<H>,
  shape: SaeShape,
  hp: H,
  overrides: Partial<TrainingOptions>,
): TrainingOptions {
  for (const name of Object.keys(overrides)) {
    if (!TRAINING_OPTIONS.includes(name)) throw unknownName('training option', name, TRAINING_OPTIONS);
  }
  const set = (options: Partial<TrainingOptions>) =>
    Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as Partial<TrainingOptions>;
  const given = set(overrides);
  const recipe = (run: RunLength) => set(definition.training?.(shape, hp, run) ?? {});
  const length = runLength({ ...recipe(runLength(given)), ...given });
  const options: TrainingOptions = {
    ...DEFAULTS,
    // The smallest variant, one that cannot fold a scale back, trains without one.
    ...(definition.foldScale ? {} : { normalise: 'none' as const }),
    batchSize: length.batchSize,
    deadAfterTokens: defaultDeadAfter(length.tokens),
    ...recipe(length),
    ...given,
  };
  checkTraining(options);
  if (options.normalise !== 'none' && !definition.foldScale) {
    throw new UserError(
      `training: variant '${definition.id}' cannot fold an input scale back; expected normalise 'none', found '${options.normalise}'.`,
    );
  }
  return options;
}

/** Checks sizes and the variant's own rules. */
export function checkShape<H>(definition: SaeDefinition<H>, shape: SaeShape, hp: H): void {
  for (const name of ['d_in', 'd_sae', 'd_out'] as const) {
    if (!Number.isInteger(shape[name]) || shape[name] < 1) {
      throw new UserError(
        `sae ${definition.id}: ${name}: expected a whole number of at least 1, found ${shape[name]}.`,
      );
    }
  }
  definition.validate?.(shape, hp);
}
