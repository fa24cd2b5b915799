/** @file The suite of a protocol with some methods alone: the one that is submitted, at the suite's sizes. */
import type { Registry } from '../registry.ts';
import type { Suite, SuiteMethod } from '../schema/suite.generated.ts';
import { joinPlugins } from '../suite/join-plugins.ts';
import { loadSuite, methodName } from '../suite/load.ts';
import { absolutePaths } from '../suite/override.ts';
import { selectFromSuite } from '../suite/select.ts';

/**
 * The suite with these methods alone.
 *
 * @param nameOrPath What `run` calls the suite.
 * @param methods Names of the suite's methods or of plug-ins of the registry, and checkpoints.
 */
export async function suiteOfMethod(
  nameOrPath: string,
  methods: readonly (string | SuiteMethod)[],
  registry: Registry,
): Promise<Suite> {
  const { suite, baseDir } = await loadSuite(nameOrPath);
  const checkpoints = methods.flatMap((method) => (typeof method === 'string' ? [] : [method]));
  const absolute = absolutePaths(suite, baseDir);
  // A checkpoint brings the plug-in that it needs: named there, it does not join by itself.
  const wider = { ...absolute, methods: [...absolute.methods, ...checkpoints] };
  const { suite: joined } = await joinPlugins(wider, registry);
  const names = methods.map((method) => (typeof method === 'string' ? method : methodName(method)));
  return selectFromSuite(joined, [`methods=${names.join(',')}`]);
}

/** The suite on other data: every dataset drawn by the next seed, under a name of its own. */
export function rehearsalOf({ id, subjects, ...suite }: Suite): Suite {
  return {
    ...suite,
    id: `${id}-rehearsal`,
    subjects: subjects.map((subject) =>
      subject.dataset
        ? { ...subject, dataset: { ...subject.dataset, seed: (subject.dataset.seed ?? 0) + 1 } }
        : subject,
    ),
  };
}
