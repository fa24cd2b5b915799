/** @file `--limit N`: the same suite, made small. */
import type { Suite, SuiteTraining } from '../schema/suite.generated.ts';

/** Caps where a suite states none of its own under `limits`. */
const DEFAULT_CAPS = { seeds: 1, concepts: 8, perClass: 8, tokensPerItem: 64 };

/**
 * The suite with at most `limit` items in every split, and everything else capped by the suite's own `limits`.
 * Pure: the suite given is not changed.
 */
export function limitSuite(suite: Suite, limit: number): Suite {
  const caps = suite.limits ?? {};
  const tokens = caps.tokens ?? limit * DEFAULT_CAPS.tokensPerItem;
  const capTraining = (training: SuiteTraining | undefined): SuiteTraining => ({
    ...training,
    tokens: Math.min(training?.tokens ?? tokens, tokens),
  });
  const cap = (value: number | undefined, most: number) => Math.min(value ?? most, most);
  return {
    ...suite,
    subjects: suite.subjects.map((subject) => ({
      ...subject,
      activations: {
        ...subject.activations,
        train: cap(subject.activations?.train, limit),
        test: cap(subject.activations?.test, limit),
      },
      concepts: {
        concepts: cap(subject.concepts?.concepts, caps.concepts ?? DEFAULT_CAPS.concepts),
        perClass: cap(subject.concepts?.perClass, caps.perClass ?? DEFAULT_CAPS.perClass),
      },
      training: capTraining(subject.training),
    })),
    methods: suite.methods.map((method) => ({
      ...method,
      options: { ...method.options, ...caps.methods?.[method.id] },
      ...(method.training ? { training: capTraining(method.training) } : {}),
    })),
    tasks: suite.tasks.map((task) => ({ ...task, options: { ...task.options, ...caps.tasks?.[task.id] } })),
    seeds: (suite.seeds ?? [0]).slice(0, caps.seeds ?? DEFAULT_CAPS.seeds),
  };
}
