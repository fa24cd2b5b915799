/** @file How the judges of a table's results did: what they left unrated, and how far they agree. */
import { type Agreement, agreementOf, joinedSums, type PairedSums } from '../harness/num/stats/agreement.ts';
import type { Estimate } from '../harness/num/stats/interval.ts';
import type { Result } from '../harness/schema/result.generated.ts';
import { formatInterval } from './format.ts';

/** A judge over all results of a table; a text that several methods gave counts for each. Two models are two judges. */
export interface TableJudging {
  judge: string;
  /** The model that it asks and where, of one that does. */
  asks?: string;
  texts: number;
  missing: Record<string, number>;
  /** With each other judge; null: with itself. `asks`: of that one. */
  agreement: { with: string | null; asks?: string; ratings: (Agreement & { rating: string })[] }[];
}

/** The largest rating. */
const MOST = 2;

/** The model and the endpoint of a judge. */
function asksOf({ judge, otherJudges = [] }: Result['task'], id: string): string | undefined {
  const found = [judge, ...otherJudges].find((each) => each?.id === id);
  return found?.endpoint === undefined
    ? undefined
    : `${String((found.options as Record<string, unknown>)['model'])} at ${found.endpoint}`;
}

interface Compared {
  with: string | null;
  asks?: string;
  /** By rating, of each result. */
  parts: Map<string, PairedSums[]>;
}

interface JoinedJudging extends Omit<TableJudging, 'agreement'> {
  compared: Map<string, Compared>;
}

/** All judges of the results, in the order of first appearance, with the sums of their results joined. */
export function judgingOf(results: readonly Result[]): TableJudging[] {
  const found = new Map<string, JoinedJudging>();
  for (const { task, judging = [] } of results) {
    const namedOf = (id: string) => {
      const asks = asksOf(task, id);
      return { key: JSON.stringify([id, asks]), ...(asks === undefined ? {} : { asks }) };
    };
    for (const { judge, texts, missing, agreement } of judging) {
      const { key, ...asks } = namedOf(judge);
      const own: JoinedJudging = found.get(key) ?? { judge, ...asks, texts: 0, missing: {}, compared: new Map() };
      found.set(key, own);
      own.texts += texts;
      for (const [reason, times] of Object.entries(missing as Record<string, number>))
        own.missing[reason] = (own.missing[reason] ?? 0) + times;
      for (const { with: other, rating, units, sums } of agreement) {
        const { key: otherKey, ...otherAsks } = other === null ? { key: '' } : namedOf(other);
        const compared: Compared = own.compared.get(otherKey) ?? { with: other, ...otherAsks, parts: new Map() };
        own.compared.set(otherKey, compared);
        compared.parts.set(rating, [...(compared.parts.get(rating) ?? []), { units, sums }]);
      }
    }
  }
  return [...found.values()].map(({ compared, ...judging }) => {
    const agreement = [...compared.values()].map(({ parts, ...other }) => {
      const ratings = [...parts].map(([rating, own]) => ({ rating, ...agreementOf(joinedSums(own), MOST) }));
      return { ...other, ratings: ratings.filter(({ texts }) => texts > 0) };
    });
    return { ...judging, agreement: agreement.filter(({ ratings }) => ratings.length > 0) };
  });
}

const estimateText = (estimate: Estimate | null): string =>
  estimate ? formatInterval(estimate.value, estimate.ci) : '–';

/** What readers are told of a judge; undefined of one that rated all and is compared with none. */
export function judgingLine({ judge, asks, texts, missing, agreement }: TableJudging): string | undefined {
  const reasons = Object.entries(missing).sort((a, b) => b[1] - a[1]);
  const count = reasons.reduce((sum, [, times]) => sum + times, 0);
  if (count === 0 && agreement.length === 0 && asks === undefined) return undefined;
  const told = reasons.map(([reason, times]) => `${times} × ${reason}`).join('; ');
  const left = count === 0 ? `rated all of ${texts} texts` : `left ${count} of ${texts} texts unrated (${told})`;
  const compared = agreement.map(({ with: other, asks: model, ratings }) => {
    // One name may be several models.
    const several = agreement.filter((each) => each.with === other).length > 1 && model !== undefined;
    const name = other === null ? 'With itself, asked again' : `With ${other}${several ? ` (${model})` : ''}`;
    const each = ratings.map(
      ({ rating, texts: n, kappa, difference }) =>
        `${rating} (${n} texts) ${estimateText(kappa)}, difference ${estimateText(difference)}`,
    );
    return ` ${name}, kappa of ${each.join('; ')}.`;
  });
  return `Judge ${judge}${asks === undefined ? '' : ` (${asks})`} ${left}.${compared.join('')}`;
}
