/** @file How fast SAEs were trained, before and after: reported, never a failure, since a machine has its moods. */
import type { Result } from '../../harness/schema/result.generated.ts';
import { formatNumber } from '../format.ts';
import { groupBy } from '../group-by.ts';

const fitOf = ({ subject, site, method, seed, provenance: { cpu, cores, backend } }: Result): string =>
  JSON.stringify([subject.id, site.name, method.name, seed, cpu, cores, backend.name]);

/** Of each fit that both runs made anew on one machine: speed after ÷ before, with the name of its method. */
function ratios(before: readonly Result[], after: readonly Result[]): { method: string; ratio: number }[] {
  const old = new Map(before.filter(({ training }) => training).map((result) => [fitOf(result), result]));
  return groupBy(
    after.filter(({ training }) => training),
    fitOf,
  ).flatMap(([result]) => {
    const other = old.get(fitOf(result!));
    if (!other || other.provenance.steps['fit'] === result!.provenance.steps['fit']) return [];
    const [then, now] = [other.training!.tokensPerSecond, result!.training!.tokensPerSecond];
    return then > 0 && now > 0 ? [{ method: result!.method.name, ratio: now / then }] : [];
  });
}

/** One line on the speed of training; undefined where nothing was trained anew, or on other machines. */
export function speedLine(before: readonly Result[], after: readonly Result[]): string | undefined {
  const found = ratios(before, after).sort((a, b) => a.ratio - b.ratio);
  if (found.length === 0) return undefined;
  const [least, middle, most] = [found[0]!, found[Math.floor(found.length / 2)]!, found.at(-1)!];
  const shown = ({ method, ratio }: { method: string; ratio: number }) => `${formatNumber(ratio)} × ${method}`;
  return (
    `speed of training, after ÷ before, on one machine: ${formatNumber(middle.ratio)} × in the middle of ${found.length} fits ` +
    `(${shown(least)} to ${shown(most)}); no rule looks at it`
  );
}
