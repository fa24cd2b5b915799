/** @file A domain's folder as a suite: what its `suite.json` says, and for all else the suite of its kind of examples. */
import { basename, join, resolve } from 'node:path';
import type { Domain } from '../domain/domain.ts';
import { examplesModality } from '../domain/read.ts';
import { DATA_KEYS, readSuiteFile, SUITE_FILE, settingsOf } from '../domain/settings.ts';
import { type DomainSplit, splitDomain } from '../domain/splits.ts';
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import { resolveOptions } from '../options.ts';
import { packageRoot } from '../paths.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { validate } from '../schema/validate.ts';

/** Suites of domains, by what their examples are: no suites that are run by name. */
const TEMPLATES = join(packageRoot, 'tasks/suites/domain');

/** The dataset that reads a domain, by what its examples are. */
const DATASETS = { text: 'domain', image: 'domain-images' } as const;

/** A folder's name as ids are. */
function idOf(folder: string): string {
  const plain = basename(folder)
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .replace(/([._-])[._-]+/g, '$1')
    .replace(/^[._-]|[._-]$/g, '');
  return plain || 'domain';
}

type Given = Record<string, unknown>;

/** The split that runs of the domain's suite make, by the options of its first subject's dataset. */
export async function domainSplit(domain: Domain, { subjects }: Suite, registry: Registry): Promise<DomainSplit> {
  const id = DATASETS[domain.modality];
  const own = subjects.find(({ dataset }) => dataset?.id === id)?.dataset;
  const { options } = await registry.get('dataset', id);
  const resolved = await resolveOptions(options, own?.options, `dataset ${id}`);
  return splitDomain(domain, own?.seed ?? 0, resolved['testShare'] as number);
}

/** A subject with the folder as its dataset, where it names no other; options that it gives that dataset stay. */
function onDomain(subject: unknown, dataset: string): unknown {
  if (typeof subject !== 'object' || subject === null || Array.isArray(subject)) return subject;
  const given = subject as Given & { dataset?: Given & { id?: unknown; options?: Given } };
  const { id = dataset, options, ...rest } = given.dataset ?? {};
  if (id !== dataset) return subject;
  return { ...given, dataset: { ...rest, id, options: { path: '.', ...options } } };
}

/**
 * The suite that running a folder means; paths in it start from the folder.
 *
 * @param taken Names of suites of their own, which the folder's runs are not to be mixed up with.
 * @throws UserError for a `suite.json` that is none, and for a folder without examples.
 */
export async function domainSuite(given: string, taken: readonly string[]): Promise<Suite> {
  const folder = resolve(given);
  const modality = await examplesModality(folder);
  const where = `suite ${join(folder, SUITE_FILE)}`;
  const own = await readSuiteFile(folder);
  settingsOf(own, where);
  const ofRun = Object.fromEntries(Object.entries(own).filter(([key]) => !DATA_KEYS.some((known) => known === key)));
  const name = idOf(folder);
  const id = taken.includes(name) ? `${name}-domain` : name;
  const { description: _, ...template } = (await readJson(join(TEMPLATES, `${modality}.json`), 'suite')) as Given;
  const suite: Given = { ...template, title: `Domain ${name}`, ...ofRun, id: ofRun['id'] ?? id };
  if (taken.includes(String(suite['id']))) {
    throw new UserError(`${where}: id: '${suite['id']}' is a suite of saxbench's own; give another, or none.`);
  }
  const { subjects } = suite;
  const filled = Array.isArray(subjects) ? subjects.map((each) => onDomain(each, DATASETS[modality])) : subjects;
  return validate('suite', { ...suite, subjects: filled }, where);
}
