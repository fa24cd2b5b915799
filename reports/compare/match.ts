/** @file Which results of two runs may be compared: the same method on the same task, under the same settings. */
import { suggest, UserError } from '../../harness/errors.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { firstDifference } from '../definitions.ts';
import { groupBy } from '../group-by.ts';
import { keptResult } from '../kept.ts';
import { differing, ofMethod, ofRun } from '../settings.ts';
import type { Side } from './load.ts';

/** The seeds of one method on one task at one site, on both sides. */
export interface Match {
  before: Result[];
  after: Result[];
}

export interface Matches {
  matches: Match[];
  /** What is in both runs and cannot be compared: its name, and the setting that forbids it. */
  aside: { match: Match; name: string; reason: string }[];
  /** What a reader must know of what is compared all the same. */
  notes: string[];
}

/** Never comparable: the numbers mean something else. */
const MEANING = 'task.version';
/** The code of a method is what comparisons are for. */
const CODE = 'version';

const nameOf = ({ subject, site, task, method }: Result): string =>
  `${subject.id} ${site.name} ${task.id} ${method.name}`;

/** All that must be equal of two results, in words. What failed knows neither its data nor its training. */
const conditionsIn = (result: Result) => ({ ...ofRun(keptResult(result)), ...ofMethod(result) });

const ran = (results: readonly Result[]): Result[] => results.filter(({ failed }) => failed === undefined);

/** Settings in which two results differ, as `name: before, after`. */
function differences(before: Result, after: Result): { name: string; text: string }[] {
  const [old, now] = [conditionsIn(before), conditionsIn(after)];
  return differing([old, now])
    .filter((name) => name !== CODE)
    .map((name) => ({ name, text: `${name} ${cut(old[name])} before, ${cut(now[name])} after` }));
}

const MAX_VALUE = 40;
const cut = (value = 'none') => (value.length > MAX_VALUE ? `${value.slice(0, MAX_VALUE)}…` : value);

/** Why two groups cannot be compared; undefined where they can. */
function refusal([before]: readonly Result[], [after]: readonly Result[], across: readonly string[]) {
  if (!before || !after) return undefined;
  const found = differences(before, after);
  const meaning = found.find(({ name }) => name === MEANING);
  if (meaning) return `${meaning.text}: its numbers mean something else`;
  const definition = firstDifference(after.task, before.task);
  if (definition !== undefined) return `it defines its numbers otherwise: ${definition}`;
  const other = found.find(({ name }) => !across.includes(name));
  return other && `${other.text}; --across '${other.name}' compares them all the same`;
}

/** One setting of a method, or why a side has several that nobody can choose from. */
function oneSetting(results: readonly Result[]): Result[] | string {
  const settings = groupBy(ran(results), ({ settings: { row } }) => row);
  if (settings.length < 2) return [...results];
  const names = differing(settings.map(([first]) => conditionsIn(first!)));
  return names.length > 0 ? names.join(', ') : 'code';
}

/** Methods of both sides under one name, those under the same options first. */
function pairsOf(before: readonly Result[], after: readonly Result[]): Match[] {
  const identityOf = ({ method }: Result) => method.identity;
  const [old, now] = [groupBy(before, identityOf), groupBy(after, identityOf)];
  const same = old.flatMap((own) => {
    const other = now.find(([first]) => first!.method.identity === own[0]!.method.identity);
    return other ? [{ before: own, after: other }] : [];
  });
  const left = (groups: Result[][], side: keyof Match) =>
    groups.filter((own) => !same.some((each) => each[side] === own));
  const rest = { before: left(old, 'before').flat(), after: left(now, 'after').flat() };
  return rest.before.length + rest.after.length > 0 ? [...same, rest] : same;
}

/** @throws UserError for names that no result has, across which nothing would be compared, and for what never may differ. */
function checkAcross(across: readonly string[], results: readonly Result[]): void {
  const names = [...new Set(across.length > 0 ? results.flatMap((result) => Object.keys(conditionsIn(result))) : [])];
  for (const name of across) {
    if (name === MEANING) {
      throw new UserError(
        `--across ${name}: expected a setting; results of two versions of a task are never compared.`,
      );
    }
    if (names.includes(name)) continue;
    const close = suggest(name, names);
    const hint = close.length > 0 ? ` Did you mean: ${close.join(', ')}?` : '';
    throw new UserError(`--across ${name}: expected a setting of these results; found none of this name.${hint}`);
  }
}

/**
 * Puts the results of two runs side by side.
 *
 * @param across Settings that may differ: what is compared.
 * @throws UserError for a setting that no result has.
 */
export function matchResults(before: Side, after: Side, across: readonly string[] = []): Matches {
  checkAcross(across, [...before.results, ...after.results]);
  const found: Matches = { matches: [], aside: [], notes: [] };
  const otherCode = new Set<string>();
  const tagged = [before, after].flatMap((side) => side.results.map((result) => ({ side, result })));
  for (const group of groupBy(tagged, ({ result }) => nameOf(result))) {
    const [old, now] = [before, after].map((of) => group.flatMap(({ side, result }) => (side === of ? [result] : [])));
    for (const match of pairsOf(old!, now!)) {
      const name = nameOf((match.before[0] ?? match.after[0])!);
      const mixed = [match.before, match.after].map(oneSetting).find((each) => typeof each === 'string');
      const reason =
        mixed === undefined
          ? refusal(ran(match.before), ran(match.after), across)
          : `one side has it under several settings (${mixed as string}): keep the results of one`;
      if (reason !== undefined) found.aside.push({ match, name, reason });
      else found.matches.push(match);
      const [first, other] = [ran(match.before)[0], ran(match.after)[0]];
      if (reason === undefined && first && other && first.settings.table !== other.settings.table) {
        const known = differences(first, other).map(({ text }) => text);
        otherCode.add(
          `${first.task.id}: ${known.length > 0 ? known.join('; ') : 'made by other code of the task or its data'}`,
        );
      }
    }
  }
  found.notes.push(...otherCode);
  return found;
}
