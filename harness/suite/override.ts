/** @file `--subject`, `--site`, `--activations` and `--seed`: a suite with its subjects, sites or seeds exchanged. */
import { isAbsolute, join, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import type { Suite, SuiteSubject } from '../schema/suite.generated.ts';
import { type SubjectReference, subjectFolder } from './subjects.ts';

export interface SuiteOverrides {
  /** A folder, a model on the hub, or an embedded subject. */
  subject?: SubjectReference;
  sites?: string[];
  /** A folder of imported activations with the names of its sites. */
  imported?: { folder: string; sites: string[] };
  seed?: number;
}

/**
 * Paths of a suite made absolute, so that it means the same wherever it is used. Among a dataset's options, paths are
 * the strings named `path` or `…Path`.
 */
export function absolutePaths(suite: Suite, baseDir: string): Suite {
  const absolute = (path: string) => (isAbsolute(path) ? path : resolve(baseDir, path));
  const absoluteOptions = (options: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(options).map(([name, value]) => {
        return [name, typeof value === 'string' && /^path$|Path$/.test(name) ? absolute(value) : value];
      }),
    );
  return {
    ...suite,
    subjects: suite.subjects.map((subject) => ({
      ...subject,
      ...(subject.path === undefined ? {} : { path: absolute(subject.path) }),
      ...(subject.dataset?.options === undefined
        ? {}
        : { dataset: { ...subject.dataset, options: absoluteOptions(subject.dataset.options) } }),
      ...(subject.activations?.from === undefined
        ? {}
        : { activations: { ...subject.activations, from: absolute(subject.activations.from) } }),
    })),
    methods: suite.methods.map((method) => ({
      ...method,
      ...(method.path === undefined ? {} : { path: absolute(method.path) }),
    })),
  };
}

/** Whether a model's folder holds an image tower, by its `config.json`. */
async function seesImages(subject: SubjectReference): Promise<boolean> {
  const config = await readJson(join(await subjectFolder(subject, ''), 'config.json'), 'subject');
  return typeof config === 'object' && config !== null && 'vision_config' in config;
}

/** The suite's subject of the same modality, whose dataset and sizes the new one takes over. */
async function templateFor(suite: Suite, subject: SubjectReference): Promise<SuiteSubject> {
  const images = await seesImages(subject);
  for (const candidate of suite.subjects) {
    if (candidate.dataset !== undefined && (await seesImages(candidate)) === images) return candidate;
  }
  throw new UserError(
    `--subject ${subject.path ?? subject.hub ?? subject.id}: suite ${suite.id} has no ${images ? 'image' : 'text'} subject whose dataset ` +
      'it could use; write a suite with a dataset for it.',
  );
}

/**
 * The suite with what a command line exchanges. Paths in it must be absolute already.
 *
 * @throws UserError when the suite has no dataset for the new subject, or two exclusive flags are given.
 */
export async function overrideSuite(suite: Suite, overrides: SuiteOverrides): Promise<Suite> {
  const { subject, sites, imported, seed } = overrides;
  if (subject && imported) throw new UserError('--subject and --activations exclude each other; give one of them.');
  let subjects = suite.subjects;
  if (subject) {
    const { sites: usual, dataset, concepts, activations, training } = await templateFor(suite, subject);
    subjects = [{ ...subject, sites: usual, dataset, concepts, activations, training }];
  } else if (imported) {
    const [first] = suite.subjects;
    const { train, test } = first?.activations ?? {};
    const { concepts, training } = first ?? {};
    const activations = { from: imported.folder, train, test };
    subjects = [{ sites: imported.sites, activations, concepts, training } as SuiteSubject];
  }
  if (sites) subjects = subjects.map((each) => ({ ...each, sites }));
  // A suite's methods and tasks may be meant for subjects that are no longer there.
  const everywhere = subject !== undefined || imported !== undefined;
  const free = <T extends { subjects?: string[] }>({ subjects: _only, ...rest }: T) => rest as T;
  return {
    ...suite,
    subjects,
    methods: everywhere ? suite.methods.map(free) : suite.methods,
    tasks: everywhere ? suite.tasks.map(free) : suite.tasks,
    ...(seed === undefined ? {} : { seeds: [seed] }),
  };
}
