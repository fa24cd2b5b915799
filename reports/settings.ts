/** @file Results of one folder under different settings: told apart in the method's name, never averaged. */
import type { Result } from '../harness/schema/result.generated.ts';

type Settings = Record<string, string>;

/** Longest value shown: beyond it a hash or a list is cut. */
const MAX_VALUE = 24;

function flat(prefix: string, values: Record<string, unknown>): Settings {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [prefix + name, JSON.stringify(value)]));
}

/** What a method was run with; the same for all seeds of one run. */
const ofMethod = ({ method, training }: Result): Settings => ({
  ...flat('', method.options),
  ...flat('training.', training?.options ?? {}),
  version: String(method.version),
});

/** What all methods of a run are scored under. */
const ofRun = ({ subject, dataset, task, limited }: Result): Settings => ({
  ...flat('task.', task.options),
  ...flat('dataset.', dataset.options),
  'task.version': String(task.version),
  dataset: `${dataset.id} ${dataset.fingerprint}`,
  'training rows': String(dataset.trainRows),
  'test rows': String(dataset.testRows),
  concepts: String(dataset.concepts),
  subject: subject.fingerprint,
  limited: String(limited),
});

/** Names of the settings in which some of the results differ. */
function differing(all: readonly Settings[]): string[] {
  const names = [...new Set(all.flatMap((settings) => Object.keys(settings)))];
  return names.filter((name) => new Set(all.map((settings) => settings[name])).size > 1);
}

function groupsOf(results: readonly Result[], key: (result: Result) => string): Map<string, Result[]> {
  const groups = new Map<string, Result[]>();
  for (const result of results) groups.set(key(result), [...(groups.get(key(result)) ?? []), result]);
  return groups;
}

/**
 * Results of different settings that lie in one folder (seeds run before and after an option was changed, methods
 * scored by a task with other options) with what differs in the method's name: `topk (k=32)`. Others as they are.
 */
export function tellApart(results: readonly Result[]): Result[] {
  const names = new Map<Result, string[]>();
  const place = ({ subject, site, task }: Result) => JSON.stringify([subject.id, site.name, task.id]);
  const note = (group: Result[], settingsOf: (result: Result) => Settings) => {
    const settings = group.map(settingsOf);
    const different = differing(settings);
    group.forEach((result, i) => {
      const shown = different.map((name) => `${name}=${(settings[i]![name] ?? 'none').slice(0, MAX_VALUE)}`);
      names.set(result, [...(names.get(result) ?? []), ...shown]);
    });
  };
  for (const group of groupsOf(results, place).values()) {
    note(group, ofRun);
    for (const own of groupsOf(group, ({ method }) => method.name).values()) note(own, ofMethod);
  }
  return results.map((result) => {
    const shown = names.get(result)!;
    if (shown.length === 0) return result;
    return { ...result, method: { ...result.method, name: `${result.method.name} (${shown.join(', ')})` } };
  });
}
