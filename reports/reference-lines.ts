/** @file The lines of a file of reference results: whole runs of one suite under one protocol, each result once. */
import { UserError } from '../harness/errors.ts';
import { checkedResult } from '../harness/results.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { definedOtherwise } from './definitions.ts';
import { tellApart } from './settings.ts';

/** Where a result stands: one place holds one. */
export const standsAt = ({ subject, site, method, task, seed }: Result): string =>
  [subject.id, site.name, method.name, method.identity, task.id, seed].join(' ');

/**
 * The results in the lines of a suite's file.
 *
 * @param file Its name, for messages.
 * @throws UserError naming the line that is no result of a whole run of the suite, or there twice; results under different options.
 */
export async function referenceResults(suite: string, lines: string, file: string): Promise<Result[]> {
  const results: Result[] = [];
  for (const [i, line] of lines.trim().split('\n').entries()) {
    const where = `${file} line ${i + 1}`;
    const result = await checkedResult(JSON.parse(line), where);
    const of = `${result.suite.id}${result.limited ? ', limited' : ''}`;
    if (of !== suite)
      throw new UserError(`${where}: expected a result of the whole suite ${suite}; found one of ${of}.`);
    results.push(result);
  }
  const [otherwise] = definedOtherwise(results).values();
  if (otherwise !== undefined) throw new UserError(`${file}: ${otherwise}`);
  const mixed = tellApart(results).find(({ method }, i) => method.name !== results[i]!.method.name);
  if (mixed) {
    throw new UserError(
      `${file}: holds results under different options, ${mixed.method.name} among them; run into an empty --out.`,
    );
  }
  const places = results.map(standsAt);
  const copy = places.findIndex((place, i) => places.indexOf(place) < i);
  if (copy >= 0) throw new UserError(`${file} line ${copy + 1}: repeats ${places[copy]}; remove it.`);
  return results;
}
