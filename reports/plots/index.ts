/** @file The plots of one table, as its task declares them. */
import type { Result, ResultCurveDisplay, ResultDisplay } from '../../harness/schema/result.generated.ts';
import { metricTitle } from '../format.ts';
import type { Table } from '../table.ts';
import { barPlot } from './bars.ts';
import { meanCurves } from './curves.ts';
import { linePlot } from './lines.ts';
import { scatterPlot } from './scatter.ts';
import type { Plot } from './svg.ts';
import type { Palette } from './theme.ts';

function curvePlots(
  results: readonly Result[],
  styles: ResultDisplay['curves'],
  palette: Palette,
): (Plot | undefined)[] {
  const names = [...new Set(results.flatMap(({ curves }) => Object.keys(curves ?? {})))];
  const families = [...new Set(names.map((name) => name.split('/')[0]!))];
  return families.map((family) => {
    const plain = { title: metricTitle(family.replaceAll('-', ' ')), caption: '', x: '', y: '' };
    const style: ResultCurveDisplay = styles?.[family] ?? plain;
    const { lines, left } = meanCurves(results, family, style.only);
    const more = left === 0 ? '' : ` ${left} more curves are in the result files.`;
    return linePlot(lines, palette, { ...style, caption: `${style.caption}${more}`.trim() });
  });
}

/** Training curves of all SAEs at a site: the loss can't be compared across variants, explained variance and L0 can. */
export function trainingPlots(results: readonly Result[], palette: Palette): Plot[] {
  const series = (key: string) => {
    const seen = new Set<string>();
    return results.flatMap(({ method, seed, training }) => {
      const x = training?.curve['tokens'] ?? training?.curve['step'];
      const y = training?.curve[key];
      if (!x || !y || seen.has(method.name)) return [];
      seen.add(method.name);
      return [{ method: method.name, label: `${method.name} (seed ${seed})`, x, y }];
    });
  };
  const plots = [
    [
      'explainedVariance',
      'explained variance',
      'Explained variance of training batches against tokens seen, first seed of each variant.',
    ],
    ['l0', 'L0', 'Active latents per input during training, first seed of each variant.'],
    [
      'deadFraction',
      'dead latents',
      'Share of latents that have not fired for the dead-latent window, first seed of each variant.',
    ],
  ] as const;
  return plots.flatMap(([key, y, caption]) => {
    const plot = linePlot(series(key), palette, { title: `Training: ${y}`, caption, x: 'tokens', y });
    return plot ? [plot] : [];
  });
}

/** All plots of a table from its aggregated rows and the results behind it. */
export function tablePlots(table: Table, results: readonly Result[], palette: Palette): Plot[] {
  const { scatter, chance, curves } = table.task.shows ?? {};
  const plots: (Plot | undefined)[] = [];
  if (table.main && scatter?.y !== table.main) {
    const title = `${table.task.title}: ${metricTitle(table.main)}`;
    const line = chance === undefined ? '' : ' Dashed: chance.';
    const caption = `Mean with 95 % interval; saturated colours are SAEs, pale ones baselines.${line}`;
    plots.push(barPlot(table, table.main, palette, { title, caption, reference: chance }));
  }
  if (scatter) plots.push(scatterPlot(table, scatter.x, scatter.y, palette, scatter));
  // Best first, as in the table: where not all fit, those are drawn.
  const order = new Map([...table.rows.entries()].reverse().map(([i, { method }]) => [method.name, i]));
  const placeOf = ({ method }: Result) => order.get(method.name) ?? table.rows.length;
  const sorted = [...results].sort((a, b) => placeOf(a) - placeOf(b));
  plots.push(...curvePlots(sorted, curves, palette));
  return plots.filter((plot) => plot !== undefined);
}
