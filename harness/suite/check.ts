/** @file Checks a suite's names, options, sizes, folders and datasets without loading a backend or a model. */
import { existsSync } from 'node:fs';
import { siteOf } from '../activations/site-of.ts';
import type { Dataset, Site } from '../contract/data.ts';
import { UserError, unknownName } from '../errors.ts';
import { NotDownloaded } from '../io/remote-data.ts';
import { resolveOptions } from '../options.ts';
import type { Registry } from '../registry.ts';
import type { Suite, SuiteSubject } from '../schema/suite.generated.ts';
import { checkMethod } from './check-method.ts';
import { checkConcepts, checkModality } from './fitting-dataset.ts';
import { fullSuite } from './full.ts';
import { limitSuite } from './limit.ts';
import { subjectName } from './load.ts';
import { meantFor } from './meant-for.ts';
import { absolutePaths } from './override.ts';
import { resolveMethods, resolveTask } from './resolve.ts';
import { openDataset } from './resolve-dataset.ts';
import { isToFetch, outlinedSites, refuseSubject } from './subjects.ts';

/** @throws UserError for the first thing that a run would stumble over, with or without `--limit`. */
export async function checkSuite(given: Suite, baseDir: string, registry: Registry): Promise<void> {
  const suite = absolutePaths(given, baseDir);
  const where = `suite ${suite.id}`;
  await checkVariant(suite, registry, where);
  for (const part of ['limits', 'full'] as const) {
    for (const kind of ['methods', 'tasks'] as const) {
      const known = suite[kind].map(({ id }) => id);
      const unknown = Object.keys(suite[part]?.[kind] ?? {}).find((id) => !known.includes(id));
      if (unknown !== undefined) throw unknownName(`entry of ${where}: ${part}.${kind}`, unknown, known);
    }
  }
  if (suite.limits) await checkVariant(limitSuite(suite, 1), registry, `${where} under its limits`);
  if (given.full) await checkVariant(absolutePaths(fullSuite(given), baseDir), registry, `${where} in full`);
}

async function checkVariant(suite: Suite, registry: Registry, where: string): Promise<void> {
  // A check downloads nothing.
  for (const task of suite.tasks) await resolveTask(task, registry, where, { fetch: false });
  const methods = await resolveMethods(suite, registry, where);
  for (const subject of suite.subjects) {
    const dataset = await datasetOf(subject, registry, where);
    if (dataset) await checkConcepts(dataset, subject.concepts ?? {}, { registry, id: subject.dataset!.id });
    const own = methods.filter(({ subjects }) => subjects?.includes(subjectName(subject)) ?? true);
    const sites = await knownSites(subject, dataset, registry, where);
    const known = sites && { id: `${subjectName(subject)} in ${where}`, sites };
    for (const name of subject.sites) {
      const site = known && siteOf(known, name);
      if (site && dataset) checkModality(subjectName(subject), site, dataset);
      for (const method of own) {
        if (!known || !site || !meantFor(method, name) || (method.site !== undefined && method.site !== name)) continue;
        if (method.target !== undefined && subject.activations?.from !== undefined) continue;
        await checkMethod(method, subject.training ?? {}, site, registry, (other) => siteOf(known, other));
      }
    }
  }
  for (const { name, site, subjects } of methods) {
    const own = suite.subjects.filter((subject) => subjects?.includes(subjectName(subject)) ?? true);
    const sites = own.flatMap((subject) => subject.sites);
    if (site !== undefined && !sites.includes(site))
      throw unknownName(`site of the method ${name} in ${where}`, site, sites);
  }
}

/** A subject's sites as far as they are known without loading it; paths must be absolute. */
export const sitesOf = async (subject: SuiteSubject, registry: Registry, where: string): Promise<Site[] | undefined> =>
  knownSites(subject, await datasetOf(subject, registry, where), registry, where);

/**
 * A subject's dataset, opened as a run opens it; none for imported activations, nor where it would have to be downloaded: nothing is
 * for a check.
 */
async function datasetOf(subject: SuiteSubject, registry: Registry, where: string): Promise<Dataset | undefined> {
  if (subject.dataset === undefined || subject.activations?.from !== undefined) return undefined;
  const { id, options: given, seed = 0 } = subject.dataset;
  const definition = await registry.get('dataset', id);
  const options = await resolveOptions(definition.options, given, `${where}: dataset ${id}`);
  return openDataset(definition, { options, seed }, { baseDir: '', download: false }).catch((error: unknown) => {
    if (error instanceof NotDownloaded) return undefined;
    throw error;
  });
}

/** A subject's sites as far as they are known without loading it. Nothing is downloaded for a check. */
async function knownSites(
  subject: SuiteSubject,
  dataset: Dataset | undefined,
  registry: Registry,
  where: string,
): Promise<Site[] | undefined> {
  const from = subject.activations?.from;
  if (from !== undefined) {
    if (!existsSync(from)) throw new UserError(`${where}: activations.from: there is no folder ${from}.`);
    const { openHeader, siteOfImport } = await import('../activations/import.ts');
    return [siteOfImport(from, await openHeader(from, subject.activations))];
  }
  if (dataset?.activations) {
    refuseSubject(subject, dataset.id, where);
    return [dataset.activations.site];
  }
  if (await isToFetch(subject)) return undefined;
  return outlinedSites(subject, registry);
}
