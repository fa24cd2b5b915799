/** @file The suite of a protocol with some methods alone: the one that is submitted, at the suite's sizes. */
import { CHECKPOINT, type Registry } from '../registry.ts';
import type { Suite, SuiteMethod } from '../schema/suite.generated.ts';
import { joinPlugins } from '../suite/join-plugins.ts';
import { loadSuite, methodName } from '../suite/load.ts';
import { absolutePaths } from '../suite/override.ts';
import { selectFromSuite } from '../suite/select.ts';

/** A method that joined without sizes, a baseline, at the places of the variant that has them: nowhere else are there tables for it. */
function atPlacesOf(sizes: string, method: SuiteMethod, { methods }: Suite): SuiteMethod[] {
  if (method.subjects || method.sites || method.id === CHECKPOINT.id) return [method];
  const places = methods
    .filter(({ id }) => id === sizes)
    .map(({ subjects, sites }) => JSON.stringify({ ...(subjects && { subjects }), ...(sites && { sites }) }));
  return [...new Set(places)].map((place) => ({ ...method, ...(JSON.parse(place) as Partial<SuiteMethod>) }));
}

/**
 * The suite with these methods alone.
 *
 * @param nameOrPath What `run` calls the suite.
 * @param sizes The variant of the suite that sizes what is submitted, and says where it stands.
 * @param methods Names of the suite's methods or of plug-ins of the registry, and checkpoints.
 */
export async function suiteOfMethod(
  { suite: nameOrPath, sizes }: { suite: string; sizes: string },
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
  const selected = selectFromSuite(joined, [`methods=${names.join(',')}`]);
  return { ...selected, methods: selected.methods.flatMap((method) => atPlacesOf(sizes, method, joined)) };
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
