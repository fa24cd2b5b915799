/** @file The sizes that a protocol fixes: SAEs are compared at equal width, sparsity and training. */
import type { Result } from '../../harness/schema/result.generated.ts';
import { byPlace, byTable } from '../group-by.ts';
import { type Board, sizesIn } from './board.ts';
import type { Submission } from './file.ts';

export const tableOf = ({ subject, site, task }: Result): string => `${subject.id} ${site.name} ${task.id}`;
/** A subject and a site. */
type Place = { subject: Pick<Result['subject'], 'id'>; site: Pick<Result['site'], 'name'> };
export const placeOf = ({ subject, site }: Place): string => `${subject.id} ${site.name}`;

/** Where a method may be submitted: the places of the variant that sizes all, each with its results. */
export const placesOf = ({ reference, protocol }: Pick<Board, 'reference' | 'protocol'>): Result[][] =>
  byPlace(reference.filter(({ method }) => method.id === protocol.sizes));

/** What is wrong with a place that the protocol has no sizes for, in words. */
export function strangePlace(place: Place, board: Board): string | undefined {
  const known = placesOf(board).map(([first]) => placeOf(first!));
  if (known.includes(placeOf(place))) return undefined;
  return `expected a site of ${board.protocol.sizes} (${known.join('; ')}); found ${placeOf(place)}`;
}

/** Mean over seeds of the metric that a table's bands go by; undefined where it has no value. */
function bandValue(results: readonly Result[], metric: string): number | undefined {
  const values = results.flatMap(({ rows }) => rows[0]?.metrics[metric]?.value ?? []);
  return values.length > 0 ? values.reduce((sum, value) => sum + value / values.length, 0) : undefined;
}

/** The sparsity of a submission beside the protocol's, at each of its places: values of the metric that bands go by. */
export function sparsities(results: readonly Result[], board: Board) {
  return placesOf(board).flatMap((sized) =>
    byTable(sized).flatMap((group) => {
      const [first] = group;
      const bands = first!.task.shows?.bands;
      if (!bands) return [];
      const table = tableOf(first!);
      const scored = results.filter((result) => tableOf(result) === table);
      const expected = bandValue(group, bands.metric);
      if (scored.length === 0 || expected === undefined) return [];
      return [{ place: placeOf(first!), own: bandValue(scored, bands.metric), expected, ...bands }];
    }),
  );
}

/** What of a submission's sizes is not the protocol's, in words; undefined where all are. */
export function sizeComplaint({ kind, results }: Submission, board: Board): string | undefined {
  if (kind === 'baseline') return undefined;
  for (const [first] of placesOf(board)) {
    const expected = sizesIn(first!);
    for (const result of results.filter((each) => placeOf(each) === placeOf(first!))) {
      const found = sizesIn(result);
      if (found.d_sae !== expected.d_sae) {
        return `${placeOf(result)}: expected d_sae ${expected.d_sae}, the protocol's width; found ${found.d_sae}`;
      }
      if (kind === 'sae' && found.tokens !== expected.tokens) {
        return `${placeOf(result)}: expected ${expected.tokens} training tokens, the protocol's; found ${found.tokens}`;
      }
    }
  }
  for (const { place, own, expected, metric, ratio } of sparsities(results, board)) {
    if (own !== undefined && own > 0 && Math.max(own / expected, expected / own) <= Math.sqrt(ratio)) continue;
    const name = metric.toUpperCase();
    return (
      `${place}: expected ${name} within a factor of ${Math.sqrt(ratio).toFixed(2)} of ${expected.toPrecision(3)}, the protocol's ` +
      `sparsity; found ${own?.toPrecision(3) ?? 'none'}`
    );
  }
  return undefined;
}
