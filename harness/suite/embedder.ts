/** @file The encoder of items that a task's option `embedder` names. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { folderFingerprint, folderStamp } from '../io/fingerprint.ts';
import type { Registry } from '../registry.ts';
import type { Suite } from '../schema/suite.generated.ts';
import { withJudgeOptions } from './named-judges.ts';
import type { ResolvedEmbedder, ResolvedSubject } from './resolved.ts';
import { withJudges } from './set-judge.ts';
import { familyOf, subjectByName, subjectFolder } from './subjects.ts';

/**
 * Finds an encoder by its folder, its id on the hub or its name.
 *
 * @throws UserError where there is none, or the model gives no vector of an item.
 */
export async function resolveEmbedder(name: string, registry: Registry, where: string): Promise<ResolvedEmbedder> {
  const reference = await subjectByName(name);
  const folder = await subjectFolder(reference, '');
  const family = await familyOf(folder, registry);
  const sites = (await family.outline?.(folder))?.sites;
  if (sites && !sites.some(({ kind, name }) => kind === 'pooled' && /(^|\.)embed$/.test(name))) {
    throw new UserError(
      `${where}: embedder ${name}: expected an encoder that gives one vector of a text or an image (BERT, ViT, CLIP); found the ` +
        `family '${family.id}'.`,
    );
  }
  return {
    id: reference.id ?? name,
    fingerprint: await folderFingerprint(folder),
    family: `${family.id}@${family.version}`,
    place: { folder, stamp: await folderStamp(folder), baseDir: '' },
  };
}

/** @throws UserError where a subject is its own embedder: the score would say how it agrees with itself. */
export function refuseOwnEmbedder(
  subjects: readonly Pick<ResolvedSubject, 'id' | 'fingerprint'>[],
  tasks: readonly { id: string; embedder?: ResolvedEmbedder | undefined; subjects?: string[] | undefined }[],
  where: string,
): void {
  for (const { id: task, embedder, subjects: only } of tasks) {
    const same = subjects.find(
      ({ id, fingerprint }) => fingerprint === embedder?.fingerprint && (only?.includes(id) ?? true),
    );
    if (!same) continue;
    throw new UserError(
      `${where}: task ${task}: embedder ${embedder!.id}: expected an encoder that is not the subject; found ${same.id} itself.`,
    );
  }
}

/**
 * The suite with `--embedder`: the option of every task that has one, or whose judge has.
 *
 * @throws UserError where no task has one.
 */
export async function setEmbedder(suite: Suite, embedder: string, registry: Registry): Promise<Suite> {
  let read = false;
  const judged = await withJudges(suite, registry, async (judges) => {
    const definitions = await Promise.all(judges.ids.map((id) => registry.get('judge', id)));
    const reading = definitions.filter(({ embeds }) => embeds);
    if (reading.length === 0) return judges;
    read = true;
    const { ids, options } = judges;
    const set = reading.map(({ id }) => [id, { ...options[id], embedder }]);
    return { ids, options: { ...options, ...Object.fromEntries(set) } };
  });
  const tasks: Suite['tasks'] = [];
  for (const task of (judged ?? suite).tasks) {
    const { embeds } = await registry.get('task', task.id);
    read ||= embeds === true;
    tasks.push(embeds ? { ...task, options: { ...task.options, embedder } } : task);
  }
  if (read) return { ...suite, tasks };
  const names = suite.tasks.map(({ id }) => id).join(', ');
  throw new UserError(
    `--embedder ${embedder}: expected a task that reads one, such as monosemanticity, or whose judge does; found ${names}.`,
  );
}

/** A task's options with embedders that are named by a path from a suite's folder, its judge's too, by the whole of it. */
export function withAbsoluteEmbedders(options: Record<string, unknown>, baseDir: string): Record<string, unknown> {
  const named = (given: Record<string, unknown>) =>
    given['embedder'] === undefined ? given : { ...given, embedder: absoluteEmbedder(given['embedder'], baseDir) };
  return withJudgeOptions(named(options), named);
}

/** An embedder that is named by a path from a suite's folder, by the whole of it. */
export function absoluteEmbedder(embedder: unknown, baseDir: string): unknown {
  if (typeof embedder !== 'string') return embedder;
  const path = resolve(baseDir, embedder);
  return /^\.{1,2}[\\/]/.test(embedder) || existsSync(path) ? path : embedder;
}
