/** @file Finds the folders of subjects: embedded ones by id, others by path; and the family that loads a folder. */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Site } from '../contract/data.ts';
import type { SubjectDefinition, SubjectOutline } from '../contract/subject.ts';
import { shown, UserError, unknownName } from '../errors.ts';
import { ggufAt, placeName } from '../io/gguf-place.ts';
import { hasModelConfig, readModelConfig } from '../io/model-config.ts';
import { packageRoot } from '../paths.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import {
  cachedSubject,
  type FetchOptions,
  fetchKnownSubject,
  knownSubject,
  knownSubjectIds,
} from './known-subjects.ts';
import { namedJudges } from './named-judges.ts';

const PRETRAINED = join(packageRoot, 'models/pretrained');

/** What embedded subjects were once called. None of these stands for another model by itself: results would be taken for the old one's. */
const FORMER_NAMES: ReadonlyMap<string, string> = new Map([['tiny-lm', 'tiny-lm-planted']]);

/** Ids of the subjects that come with the package, sorted. */
export function embeddedSubjectIds(): string[] {
  if (!existsSync(PRETRAINED)) return [];
  return readdirSync(PRETRAINED, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(PRETRAINED, entry.name, 'config.json')))
    .map((entry) => entry.name)
    .sort();
}

/** Ids that stand for a model: of those that come with the package, and of those that are fetched by their names. */
export const namedSubjectIds = (): string[] => [...embeddedSubjectIds(), ...knownSubjectIds()].sort();

/** How a suite or a person names a subject: exactly one of `path` and `hub`, or `id` alone for an embedded or a known one. */
export interface SubjectReference {
  id?: string;
  path?: string;
  hub?: string;
}

/**
 * The folder of a subject given by path (relative to `baseDir`), by its id on the hub (downloaded into the usual cache
 * when it is not there) or, without either, of an embedded subject or a known one (fetched when it is not there).
 *
 * @throws UserError when there is no such subject or the folder holds no `config.json`.
 */
export async function subjectFolder(subject: SubjectReference, baseDir: string): Promise<string> {
  if (subject.hub !== undefined) {
    const { resolveModel } = await import('../io/hub.ts');
    return (await resolveModel(subject.hub)).folder;
  }
  if (subject.path === undefined) {
    const { id = '' } = subject;
    if (embeddedSubjectIds().includes(id)) return join(PRETRAINED, id);
    if (knownSubjectIds().includes(id)) return fetchKnownSubject(id);
    const renamed = FORMER_NAMES.get(id);
    if (renamed !== undefined) {
      throw new UserError(
        `unknown subject '${id}': that model is now called '${renamed}' (the same files and numbers); name it so.`,
      );
    }
    throw unknownName('embedded or known subject', id, namedSubjectIds());
  }
  const folder = resolve(baseDir, subject.path);
  if (!existsSync(folder)) throw new UserError(`subject ${subject.path}: there is no folder or file ${folder}.`);
  if (!hasModelConfig(folder) && (await ggufAt(folder)) === undefined) {
    throw new UserError(`subject ${subject.path}: expected config.json or a .gguf file in ${folder}; found none.`);
  }
  return folder;
}

/** @throws UserError where a suite gives a subject to a dataset that needs none: no number would come of it. */
export function refuseSubject({ id = '', path, hub }: SubjectReference, dataset: string, where: string): void {
  const named = namedSubjectIds().includes(id) ? `the subject '${id}'` : undefined;
  const found = path ?? hub ?? named;
  if (found === undefined) return;
  throw new UserError(
    `${where}: dataset ${dataset} has activations of its own: expected no subject, only an 'id' that names it in results; found ${found}.`,
  );
}

/** What a person may name: an embedded or a known subject by its id, a folder that exists, or a model on the hub. */
export async function subjectByName(name: string): Promise<SubjectReference> {
  if (namedSubjectIds().includes(name)) return { id: name };
  const { isHubReference } = await import('../io/hub.ts');
  if (!existsSync(name) && isHubReference(name)) return { id: name.split('/')[1]!.split('@')[0]!, hub: name };
  if (!/[\\/.]/.test(name) && !existsSync(name)) return { id: name };
  return { id: placeName(resolve(name)), path: resolve(name) };
}

/** Whether a known subject is meant, by its id alone. */
export const isKnown = ({ id = '', path, hub }: SubjectReference): boolean =>
  path === undefined && hub === undefined && !embeddedSubjectIds().includes(id) && knownSubjectIds().includes(id);

/** Whether a subject would have to be fetched before anything can be said of it. */
export async function isToFetch(subject: SubjectReference): Promise<boolean> {
  if (!isKnown(subject)) return subject.hub !== undefined;
  return (await cachedSubject(await knownSubject(subject.id!))) === undefined;
}

/** Fetches those of some subjects that are known ones and not here yet, and says what came from where. */
export async function fetchNamed(subjects: readonly SubjectReference[], options: FetchOptions): Promise<void> {
  const ids = new Set(subjects.filter(isKnown).map(({ id }) => id!));
  for (const id of ids) await fetchKnownSubject(id, options);
}

/** The names of encoders that a task and its judges read, usual ones among them. */
async function embeddersOf({ id, options = {} }: Suite['tasks'][number], registry: Registry): Promise<unknown[]> {
  const task = await registry.get('task', id);
  const own = task.embeds ? [options['embedder'] ?? task.options['embedder']?.default] : [];
  if (task.measure !== 'judged') return own;
  const judges = namedJudges(options, task.options['judge']?.default);
  const theirs = judges.ids.map(async (name) => {
    const { embeds, options: schema } = await registry.get('judge', name);
    return embeds ? (judges.options[name]?.['embedder'] ?? schema['embedder']?.default) : undefined;
  });
  return [...own, ...(await Promise.all(theirs))];
}

/** The models that a suite reads: its subjects, where they are not activations made elsewhere, and encoders of its tasks and judges. */
export async function modelsOf(
  { subjects, tasks }: Pick<Suite, 'subjects' | 'tasks'>,
  registry: Registry,
): Promise<SubjectReference[]> {
  const own = subjects.filter(({ activations }) => activations?.from === undefined);
  const named = (await Promise.all(tasks.map((task) => embeddersOf(task, registry)))).flat();
  const embedders = new Set(named.filter((name) => name !== undefined).map(String));
  return [...own, ...(await Promise.all([...embedders].map(subjectByName)))];
}

/**
 * The family plug-in whose `modelTypes` hold the folder's `model_type`.
 *
 * @throws UserError naming the families when none does.
 */
export async function familyOf(folder: string, registry: Registry): Promise<SubjectDefinition> {
  const { json, where } = await readModelConfig(folder);
  const modelType = json['model_type'];
  const families = await registry.all('subject');
  const family = families.find(({ modelTypes }) => modelTypes.some((type) => type === modelType));
  if (family) return family;
  const known = families.flatMap(({ modelTypes }) => modelTypes);
  throw new UserError(`${where}: model_type: expected one of ${known.sort().join(', ')}; found ${shown(modelType)}.`);
}

/** The sites that a subject's folder tells of before its weights are loaded; undefined where its family has no outline. */
export async function outlinedSites(subject: SubjectReference, registry: Registry): Promise<Site[] | undefined> {
  const folder = await subjectFolder(subject, '');
  return (await (await familyOf(folder, registry)).outline?.(folder))?.sites;
}

/** What a subject that a person names has, loaded only where its family cannot tell otherwise. */
export async function subjectOutline(name: string, registry: Registry): Promise<SubjectOutline & { id: string }> {
  const reference = await subjectByName(name);
  const folder = await subjectFolder(reference, '');
  const id = reference.id ?? name;
  const family = await familyOf(folder, registry);
  if (family.outline) return { ...(await family.outline(folder)), id };
  const { initBackend } = await import('../num/backend.ts');
  await initBackend('cpu');
  const subject = await family.load(folder, { id });
  subject.dispose();
  return { sites: subject.sites, parameters: subject.parameters, id };
}
