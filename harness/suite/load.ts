/** @file Suites: data files under tasks/suites, or any JSON file by its path. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { RandomInit } from '../contract/subject.ts';
import { SUITE_FILE } from '../domain/settings.ts';
import { UserError, unknownName } from '../errors.ts';
import { readJson } from '../io/json.ts';
import { packageRoot } from '../paths.ts';
import { CHECKPOINT } from '../registry.ts';
import type { Suite, SuiteMethod, SuiteSubject } from '../schema/suite.generated.ts';
import { validate } from '../schema/validate.ts';
import { domainSuite } from './domain.ts';
import { expandGrids } from './grid.ts';
import { meantFor } from './meant-for.ts';
import type { SubjectReference } from './subjects.ts';

/** A suite with the folder that its relative paths start from. */
export interface LoadedSuite {
  suite: Suite;
  file: string;
  baseDir: string;
  /** Whether it is a domain's folder. */
  domain?: boolean;
}

const SUITES = join(packageRoot, 'tasks/suites');

/** Ids of the suites that come with the package, sorted. */
export function suiteIds(): string[] {
  if (!existsSync(SUITES)) return [];
  return readdirSync(SUITES)
    .filter((name) => name.endsWith('.json'))
    .map((name) => basename(name, '.json'))
    .sort();
}

/**
 * A suite by id, or by the path of its file (anything with a slash or ending in `.json`), or of a domain's folder.
 *
 * @throws UserError for an unknown id, a missing file, or a file that is not a suite.
 */
export async function loadSuite(nameOrPath: string): Promise<LoadedSuite> {
  const isKnown = suiteIds().includes(nameOrPath);
  if (!isKnown && isFolder(nameOrPath)) {
    const where = `suite ${nameOrPath}`;
    const baseDir = resolve(nameOrPath);
    const suite = expandGrids(await domainSuite(nameOrPath, suiteIds()), where);
    checkNames(suite, where);
    return { suite, file: join(baseDir, SUITE_FILE), baseDir, domain: true };
  }
  const isPath = nameOrPath.endsWith('.json') || /[\\/]/.test(nameOrPath);
  if (!isPath && !isKnown) throw unknownName('suite', nameOrPath, suiteIds());
  const file = isPath ? resolve(nameOrPath) : join(SUITES, `${nameOrPath}.json`);
  const where = `suite ${nameOrPath}`;
  const suite = expandGrids(await validate('suite', await readJson(file, 'suite'), where), where);
  checkNames(suite, where);
  if (suite.id !== basename(file, '.json')) {
    throw new UserError(
      `${where}: id: expected '${basename(file, '.json')}', as the file is named; found '${suite.id}'.`,
    );
  }
  return { suite, file, baseDir: dirname(file) };
}

const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory();

/** Length of a name that the schema allows. */
const MAX_NAME = 80;

/** The name that a method has in results. */
export function methodName({
  id,
  name,
  path,
  trainedOn,
}: Pick<SuiteMethod, 'id' | 'name' | 'path' | 'trainedOn'>): string {
  if (trainedOn !== undefined) return name ?? `${id}-${trainedOn}`;
  return name ?? (path === undefined ? id : nameOfFolder(path));
}

/** A folder's name as names in results are: letters and digits, joined by single dashes, dots and underscores. */
function nameOfFolder(path: string): string {
  const plain = basename(resolve(path)).replace(/[^A-Za-z0-9._-]+/g, '-');
  const short = plain.replace(/([._-])[._-]+/g, '$1').slice(0, MAX_NAME);
  return short.replace(/^[._-]|[._-]$/g, '') || CHECKPOINT.id;
}

/** The name of a subject with its weights drawn anew. */
export const randomName = (name: string, randomInit: RandomInit): string =>
  `${name}-random${randomInit === 'all' ? '' : `-${randomInit}`}`;

/** The name that a subject has in results. One with random weights has a name of its own, unless it is given one. */
export function subjectName(subject: Omit<SuiteSubject, 'sites'>): string {
  if (subject.name !== undefined) return subject.name;
  const source = subject.path ?? subject.hub?.split('@')[0] ?? subject.activations?.from;
  const own = subject.id ?? basename(resolve(source ?? 'subject'));
  if (subject.randomInit === undefined || (subject.id !== undefined && source !== undefined)) return own;
  return randomName(own, subject.randomInit);
}

/** A subject of a command line with its weights drawn anew: the id that it has of its place is the name of the trained model. */
export function drawnAnew(subject: SubjectReference, randomInit: RandomInit): Omit<SuiteSubject, 'sites'> {
  const { id, path, hub } = subject;
  const isPlaced = id !== undefined && (path ?? hub) !== undefined;
  return { ...subject, ...(isPlaced && { id: randomName(id, randomInit) }), randomInit };
}

/** @throws UserError for names that occur twice, unknown subjects, subjects without or with several sources. */
export function checkNames(suite: Suite, where: string): void {
  for (const [i, subject] of suite.subjects.entries()) {
    const sources = { path: subject.path, hub: subject.hub, 'activations.from': subject.activations?.from };
    const given = Object.entries(sources).filter(([, value]) => value !== undefined);
    if (given.length > 1) {
      const names = given.map(([name]) => `'${name}'`).join(' and ');
      throw new UserError(`${where}: subjects[${i}]: has ${names}; keep one of them.`);
    }
    if (given.length === 0 && subject.id === undefined) {
      throw new UserError(`${where}: subjects[${i}]: expected 'id', 'path', 'hub' or 'activations.from'; found none.`);
    }
    if (subject.dataset === undefined && subject.activations?.from === undefined) {
      throw new UserError(`${where}: subjects[${i}] lacks the key 'dataset': which text or images to pass through it.`);
    }
  }
  const subjects = suite.subjects.map(subjectName);
  refuseTwice(subjects, `${where}: subjects`);
  for (const [i, subject] of subjects.entries()) {
    const own = suite.methods.filter(({ subjects: only }) => only?.includes(subject) ?? true);
    for (const site of suite.subjects[i]!.sites) {
      const here = own.filter((method) => meantFor(method, site));
      refuseTwice(here.map(methodName), `${where}: methods (give one of them another 'name')`);
    }
  }
  const sites = suite.subjects.flatMap((subject) => subject.sites);
  for (const { id, sites: only = [] } of suite.methods) {
    const unknown = only.find((site) => !sites.includes(site));
    if (unknown !== undefined) throw unknownName(`site in ${where}: ${id}`, unknown, sites);
  }
  // A task may stand there twice with other options for other subjects.
  for (const subject of subjects) {
    const own = suite.tasks.filter(({ subjects: only }) => only?.includes(subject) ?? true);
    refuseTwice(
      own.map(({ id }) => id),
      `${where}: tasks${own.length < suite.tasks.length ? ` of ${subject}` : ''}`,
    );
  }
  for (const { id, methods: only } of suite.tasks) {
    const names = suite.methods.flatMap((method) => [methodName(method), method.id]);
    const unknown = only?.find((name) => !names.includes(name));
    if (unknown !== undefined) throw unknownName(`method in ${where}: task ${id}`, unknown, names);
  }
  for (const { id, subjects: only } of [...suite.methods, ...suite.tasks]) {
    for (const name of only ?? []) {
      if (!subjects.includes(name)) throw unknownName(`subject in ${where}: ${id}`, name, subjects);
    }
  }
}

function refuseTwice(names: string[], where: string): void {
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new UserError(`${where}: the name '${twice}' occurs twice.`);
}
