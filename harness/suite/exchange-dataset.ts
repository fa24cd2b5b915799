/** @file `--dataset` and `--dataset-option`: what is passed through the one subject of a run, exchanged. */
import { UserError } from '../errors.ts';
import { sha256Json } from '../io/hash.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { absoluteOptions } from './override.ts';

/** Digits that tell folders of runs on one dataset with other options apart. */
const DIGITS = 8;

/**
 * The suite, which must have one subject, with another dataset or other options of its own. The options of the suite's
 * dataset stay only where it stays. Its id and title say so: results on other data are none of the suite's.
 *
 * @param exchanged Id, options that are set, and the folder that relative paths among them start from.
 * @throws UserError for several subjects, and for imported activations.
 */
export function exchangeDataset(
  suite: Suite,
  { id, options, baseDir }: { id?: string; options: Record<string, unknown>; baseDir: string },
): Suite {
  if (id === undefined && Object.keys(options).length === 0) return suite;
  const [subject, ...others] = suite.subjects;
  if (others.length > 0 || subject === undefined) {
    throw new UserError(`--dataset: expected a run of one subject, found ${suite.subjects.length}; add --subject.`);
  }
  const own = subject.dataset;
  if (own === undefined) throw new UserError('--dataset: has no meaning for imported activations; leave it out.');
  const kept = id === undefined || id === own.id ? own : { id };
  const dataset = { ...kept, options: { ...kept.options, ...absoluteOptions(options, baseDir) } };
  const given = Object.entries(options).map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  const digits = given.length === 0 ? '' : `-${sha256Json(options).slice(0, DIGITS)}`;
  return {
    ...suite,
    id: `${suite.id}-${dataset.id}${digits}`,
    title: `${suite.title}; dataset ${[dataset.id, ...given].join(', ')}`,
    subjects: [{ ...subject, dataset }],
  };
}
