/** @file `--subject`, `--random-init`, `--site`, `--activations` and `--seed`: a suite with its subjects, sites or seeds exchanged. */
import { resolve } from 'node:path';
import type { RandomInit } from '../contract/subject.ts';
import { UserError } from '../errors.ts';
import { readModelConfig } from '../io/model-config.ts';
import { isRemote } from '../io/remote-data.ts';
import type { Suite, SuiteMethod, SuiteSubject } from '../schema/suite.generated.ts';
import { withAbsoluteEmbedders } from './embedder.ts';
import { knownSubject } from './known-subjects.ts';
import { drawnAnew, methodName, randomName, subjectName } from './load.ts';
import { meantFor } from './meant-for.ts';
import { isKnown, namedSubjectIds, type SubjectReference, subjectFolder } from './subjects.ts';

export interface SuiteOverrides {
  /** A folder, a model on the hub, or an embedded subject. */
  subject?: SubjectReference;
  sites?: string[];
  /** A folder of imported activations with its modality, the names of its sites, its rows and the seed of its splits. */
  imported?: {
    folder: string;
    modality: 'text' | 'image';
    sites: string[];
    rows: number;
    d_in?: number;
    seed?: number;
  };
  seed?: number;
  /** Draw the weights of all subjects anew. */
  randomInit?: RandomInit;
}

/** A path as a suite or a command line gives it; places elsewhere stay what they are. */
const absolutePath = (path: string, baseDir: string) => (isRemote(path) ? path : resolve(baseDir, path));

/** A dataset's options with absolute paths: one of them, or a list; those of the objects in its lists too. */
export function absoluteOptions(options: Record<string, unknown>, baseDir: string): Record<string, unknown> {
  const absolute = (name: string, value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((entry) => absolute(name, entry));
    if (typeof value === 'string') return /^path$|Path$/.test(name) ? absolutePath(value, baseDir) : value;
    return typeof value === 'object' && value !== null ? absoluteOptions({ ...value }, baseDir) : value;
  };
  return Object.fromEntries(Object.entries(options).map(([name, value]) => [name, absolute(name, value)]));
}

function withAbsolutePaths(name: 'dataset' | 'general', { [name]: given }: SuiteSubject, baseDir: string) {
  return given?.options === undefined ? {} : { [name]: { ...given, options: absoluteOptions(given.options, baseDir) } };
}

/**
 * Paths of a suite made absolute, so that it means the same wherever it is used. Among a dataset's options, paths are
 * the strings named `path` or `…Path`.
 */
export function absolutePaths(suite: Suite, baseDir: string): Suite {
  const absolute = (path: string) => absolutePath(path, baseDir);
  return {
    ...suite,
    subjects: suite.subjects.map((subject) => ({
      ...subject,
      ...(subject.path === undefined ? {} : { path: absolute(subject.path) }),
      ...withAbsolutePaths('dataset', subject, baseDir),
      ...withAbsolutePaths('general', subject, baseDir),
      ...(subject.activations?.from === undefined
        ? {}
        : { activations: { ...subject.activations, from: absolute(subject.activations.from) } }),
    })),
    tasks: suite.tasks.map((task) =>
      task.options ? { ...task, options: withAbsoluteEmbedders(task.options, baseDir) } : task,
    ),
    methods: suite.methods.map((method) => ({
      ...method,
      ...(method.path === undefined ? {} : { path: absolute(method.path) }),
      ...(method.labels === undefined ? {} : { labels: absolute(method.labels) }),
    })),
  };
}

/**
 * Whether a model's folder holds an image tower, by its config: a section of it (OpenCLIP's too), or that tower alone. Of a
 * known one the table says it: a suite's own need not be fetched to be replaced.
 */
async function seesImages(subject: SubjectReference): Promise<boolean> {
  if (isKnown(subject)) return (await knownSubject(subject.id!)).modality === 'image';
  const { json } = await readModelConfig(await subjectFolder(subject, ''));
  return ['vision_config', 'image_size', 'model_cfg'].some((field) => field in json);
}

/** Whether there is a network: none where the dataset has activations of its own. */
const hasFolder = ({ id = '', path, hub }: SubjectReference) =>
  path !== undefined || hub !== undefined || namedSubjectIds().includes(id);

/** The suite's subject of a modality, whose dataset, sizes, methods and tasks a new one takes over. */
async function templateFor(suite: Suite, images: boolean): Promise<SuiteSubject | undefined> {
  for (const candidate of suite.subjects) {
    if (candidate.dataset !== undefined && hasFolder(candidate) && (await seesImages(candidate)) === images)
      return candidate;
  }
  return undefined;
}

function noTemplate(suite: Suite, subject: SubjectReference, images: boolean): UserError {
  return new UserError(
    `--subject ${subject.path ?? subject.hub ?? subject.id}: suite ${suite.id} has no ${images ? 'image' : 'text'} subject whose dataset ` +
      'it could use; write a suite with a dataset for it.',
  );
}

/**
 * The suite with what a command line exchanges. Paths in it must be absolute already.
 *
 * @throws UserError when the suite has no dataset for the new subject, or two exclusive flags are given.
 */
export async function overrideSuite(given: Suite, overrides: SuiteOverrides): Promise<Suite> {
  const { subject, sites, imported, seed, randomInit } = overrides;
  if (randomInit && imported)
    throw new UserError('--random-init and --activations exclude each other; give one of them.');
  const suite = randomInit ? withRandomInit(given, randomInit) : given;
  if (subject && imported) throw new UserError('--subject and --activations exclude each other; give one of them.');
  let subjects = suite.subjects;
  let template: SuiteSubject | undefined;
  if (subject) {
    const images = await seesImages(subject);
    template = await templateFor(suite, images);
    if (!template) throw noTemplate(suite, subject, images);
    const { sites: usual, dataset, general, concepts, activations, training } = template;
    const named = randomInit ? drawnAnew(subject, randomInit) : subject;
    subjects = [{ ...named, sites: usual, dataset, ...(general && { general }), concepts, activations, training }];
  } else if (imported) {
    template = (await templateFor(suite, imported.modality === 'image')) ?? suite.subjects[0]!;
    const { folder: from, modality, rows, seed } = imported;
    const { concepts, training, activations: usual } = template;
    // All rows that tests and concepts leave are trained on, each at least once.
    const tokens = Math.max(training?.tokens ?? 0, rows);
    const activations = { from, modality, ...(seed === undefined ? {} : { seed }), test: usual?.test };
    subjects = [{ sites: imported.sites, activations, concepts, training: { ...training, tokens } }];
  }
  if (sites) subjects = subjects.map((each) => ({ ...each, sites }));
  // What the suite means for the subject that is replaced is meant for the new one; what it means for others only is
  // left out. A checkpoint of the command line may name the new one itself.
  const named = template && [subjectName(template), ...subjects.map(subjectName)];
  const taken = <T extends { subjects?: string[] }>(all: T[]): T[] =>
    all
      .filter(({ subjects: only }) => only === undefined || only.some((name) => named!.includes(name)))
      .map(({ subjects: _only, ...rest }) => rest as T);
  const methods = named ? taken(suite.methods) : suite.methods;
  const studied = (sites ?? named) && subjects.flatMap((each) => each.sites);
  return {
    ...suite,
    // Results on another subject are no results of the suite: they have a folder and a title of their own.
    ...(named ? ownTitle(given, subjects.map(subjectName).join(', ')) : {}),
    subjects,
    methods: studied ? methodsAt(methods, studied) : methods,
    tasks: named ? taken(suite.tasks) : suite.tasks,
    ...(seed === undefined ? {} : { seeds: [seed] }),
  };
}

/** The suite with the weights of its models drawn anew; its subjects have other names then, and so has the suite. */
function withRandomInit(suite: Suite, randomInit: RandomInit): Suite {
  const subjects = suite.subjects.map((each) => ({
    ...each,
    randomInit,
    ...(each.name && { name: randomName(each.name, randomInit) }),
  }));
  const names = new Map(suite.subjects.map((each, i) => [subjectName(each), subjectName(subjects[i]!)]));
  const renamed = <T extends { subjects?: string[] }>(all: T[]): T[] =>
    all.map((each) =>
      each.subjects ? { ...each, subjects: each.subjects.map((name) => names.get(name) ?? name) } : each,
    );
  const { methods, tasks } = suite;
  return {
    ...suite,
    ...ownTitle(suite, 'random-init'),
    ...{ subjects, methods: renamed(methods), tasks: renamed(tasks) },
  };
}

const ownTitle = ({ id }: Suite, name: string) => ({
  id: `${id}-${name}`,
  title: `Methods of the suite ${id} on ${name}`,
});

/**
 * The methods with the sites that are studied in place of the suite's: a site that none of a method's entries is meant
 * for falls to the first of them, and an entry that is left without a site is left out.
 *
 * @param studied Names of all sites that the command line studies.
 */
function methodsAt(methods: SuiteMethod[], studied: readonly string[]): SuiteMethod[] {
  const keyOf = (method: SuiteMethod) => JSON.stringify([methodName(method), method.subjects ?? null]);
  return methods.flatMap((method) => {
    if (method.sites === undefined) return [method];
    const alike = methods.filter((other) => keyOf(other) === keyOf(method));
    const open = method === alike[0] ? studied.filter((site) => !alike.some((each) => meantFor(each, site))) : [];
    const sites = [...new Set([...studied.filter((site) => meantFor(method, site)), ...open])];
    return sites.length === 0 ? [] : [{ ...method, sites }];
  });
}
