/** @file What activations, and the code and the arithmetic that steps run, are in keys: everything that changes their numbers. */
import { isImported, type PlannedSubject, type ResolvedSuite } from '../suite/resolved.ts';

/** The digest of a part of the code. A part without one would be reused whatever becomes of it. */
export function digestOf(table: Record<string, string>, name: string): string {
  const found = table[name];
  if (found === undefined) throw new Error(`internal: no digest of the code of ${name}`);
  return found;
}

export const arithmeticOf = ({ arithmetic, code }: ResolvedSuite) => ({
  arithmetic,
  backend: digestOf(code.machine, 'backend'),
});

export const identity = ({ id, version, options }: { id: string; version: number; options: unknown }) => ({
  id,
  version,
  options,
});

/** What of the policy of positions stored activations depend on: which of their rows are left out is decided where they are read. */
const storedPolicy = ({ policy: { specialTokens, classToken } }: PlannedSubject['collect']) => ({
  specialTokens,
  classToken,
});

/** The code that collects activations, or reads those that were made elsewhere. */
function sourceCode({ code: { machine, plugins } }: ResolvedSuite, subject: PlannedSubject) {
  if (isImported(subject)) return { machine: digestOf(machine, 'import') };
  const { family, dataset } = subject;
  return {
    machine: digestOf(machine, 'collect'),
    ...(dataset.ownActivations ? {} : { family: digestOf(plugins, `subject ${family.split('@')[0]}`) }),
    dataset: digestOf(plugins, `dataset ${dataset.id}`),
  };
}

/** Where activations come from, whichever items and site. */
export const sourceOf = (suite: ResolvedSuite, subject: PlannedSubject) => {
  const { dataset, collect } = subject;
  return {
    ...arithmeticOf(suite),
    subject: subject.fingerprint,
    family: subject.family,
    code: sourceCode(suite, subject),
    dataset: { ...identity(dataset), seed: dataset.seed, fingerprint: dataset.fingerprint },
    collect: {
      version: collect.version,
      dtype: collect.dtype,
      policy: storedPolicy(collect),
      maxLength: collect.maxLength,
    },
  };
};
