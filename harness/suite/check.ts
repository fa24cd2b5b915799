/** @file Checks a suite's names, options and folders without loading a backend, a model or a dataset. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError, unknownName } from '../errors.ts';
import { resolveOptions } from '../options.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { subjectName } from './load.ts';
import { absolutePaths } from './override.ts';
import { resolveMethods, resolveTask } from './resolve.ts';
import { familyOf, subjectFolder } from './subjects.ts';

/** @throws UserError for the first thing that a run would stumble over. */
export async function checkSuite(suite: Suite, baseDir: string, registry: Registry): Promise<void> {
  const where = `suite ${suite.id}`;
  for (const task of suite.tasks) await resolveTask(task, registry, where);
  for (const { name, site, subjects: only } of await resolveMethods(absolutePaths(suite, baseDir), registry, where)) {
    const own = suite.subjects.filter((subject) => only?.includes(subjectName(subject)) ?? true);
    const sites = own.flatMap((subject) => subject.sites);
    if (site !== undefined && !sites.includes(site))
      throw unknownName(`site of the method ${name} in ${where}`, site, sites);
  }
  for (const subject of suite.subjects) {
    const from = subject.activations?.from;
    if (from !== undefined && !existsSync(resolve(baseDir, from))) {
      throw new UserError(`${where}: activations.from: there is no folder ${resolve(baseDir, from)}.`);
    }
    if (subject.dataset) {
      const { options } = await registry.get('dataset', subject.dataset.id);
      await resolveOptions(options, subject.dataset.options, `${where}: dataset ${subject.dataset.id}`);
    }
    // What lies on the hub is not downloaded for a check.
    if (from === undefined && subject.hub === undefined)
      await familyOf(await subjectFolder(subject, baseDir), registry);
  }
}
