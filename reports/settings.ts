/** @file Results of one folder under different settings: told apart in the method's name, never averaged. */
import { backendInWords, type Conditions, conditionsOf, inWords } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { byTable, groupBy } from './group-by.ts';

/** Longest value shown: beyond it a hash or a list is cut. */
const MAX_VALUE = 24;
/** Digits of a hash that stands for settings which no option shows, such as the code of a plug-in. */
const HASH_DIGITS = 8;

/** What a method was run with; the same for all seeds of one run. */
export const ofMethod = ({ method, training }: Result): Conditions => ({
  ...inWords('', method.options),
  ...inWords('training.', training?.options ?? {}),
  version: String(method.version),
});

/** What all methods of a run are scored under. */
export const ofRun = (result: Result): Conditions => ({
  ...conditionsOf({ ...result, backend: backendInWords(result.provenance.backend) }),
  'task.version': String(result.task.version),
  'training rows': String(result.dataset.trainRows),
  'test rows': String(result.dataset.testRows),
  concepts: String(result.dataset.concepts),
});

/** Names of the settings in which some of the results differ. */
export function differing(all: readonly Conditions[]): string[] {
  const names = [...new Set(all.flatMap((settings) => Object.keys(settings)))];
  return names.filter((name) => new Set(all.map((settings) => settings[name])).size > 1);
}

/** A method under its options, with what else it was run under. */
export interface Setting {
  method: Result['method'];
  /** What all methods of a run share, and the method's version. */
  run: Conditions;
  /** Training options: some go by the method's sizes. */
  training: Conditions;
}

export const settingIn = (result: Result): Setting => ({
  method: result.method,
  run: { ...ofRun(result), version: String(result.method.version) },
  training: inWords('training.', result.training?.options ?? {}),
});

/**
 * In words, how each result of a group differs from the others; a hash as well where the words do not tell all of them
 * apart.
 *
 * @param before The words that each result has already.
 */
function wordsOf(
  group: readonly Result[],
  settingsOf: (result: Result) => Conditions,
  hashOf: (result: Result) => string,
  before: ReadonlyMap<Result, readonly string[]>,
): Map<Result, string[]> {
  const settings = group.map(settingsOf);
  const different = differing(settings);
  const words = group.map((result, i) => {
    const shown = different.map((name) => `${name}=${(settings[i]![name] ?? 'none').slice(0, MAX_VALUE)}`);
    return [...(before.get(result) ?? []), ...shown];
  });
  const hashes = new Map<string, string>();
  const clash = group.some((result, i) => {
    const text = words[i]!.join();
    const known = hashes.get(text);
    hashes.set(text, hashOf(result));
    return known !== undefined && known !== hashOf(result);
  });
  const hash = (result: Result) => (clash ? [`#${hashOf(result).slice(0, HASH_DIGITS)}`] : []);
  return new Map(group.map((result, i) => [result, [...words[i]!, ...hash(result)]]));
}

/**
 * Results of different settings that lie in one folder (seeds run before and after an option was changed, a checkpoint
 * that was trained again, methods scored by a task with other options) with what differs in the method's name:
 * `topk k=16` and `topk k=32`. Others as they are. Results of one name at one place then differ in their seed only.
 */
export function tellApart(results: readonly Result[]): Result[] {
  const names = new Map<Result, string>();
  for (const group of byTable(results)) {
    const ofGroup = wordsOf(group, ofRun, ({ settings }) => settings.table, new Map());
    for (const own of groupBy(group, ({ method }) => method.name)) {
      // A seed whose training failed has no options of it to differ by.
      const trained = own.find(({ training }) => training)?.training;
      const ofSeed = (result: Result) =>
        ofMethod(result.failed === undefined ? result : { ...result, training: result.training ?? trained });
      for (const [result, words] of wordsOf(own, ofSeed, ({ settings }) => settings.row, ofGroup)) {
        if (words.length > 0) names.set(result, `${result.method.name} ${words.join(', ')}`);
      }
    }
  }
  return results.map((result) => {
    const name = names.get(result);
    return name === undefined ? result : { ...result, method: { ...result.method, name } };
  });
}
