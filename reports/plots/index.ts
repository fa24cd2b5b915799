/** @file The plots of one table, as its task declares them. */
import type { ResultCurveDisplay, ResultDisplay } from '../../harness/schema/display.generated.ts';
import type { Result, ResultTrainingCurve } from '../../harness/schema/result.generated.ts';
import { metricTitle } from '../format.ts';
import { costDisplays, type Front, sizesOf } from '../fronts.ts';
import type { Table, TableRow } from '../table.ts';
import { barPlot } from './bars.ts';
import { meanCurves } from './curves.ts';
import { linePlot } from './lines.ts';
import { scatterPlot } from './scatter.ts';
import type { Plot } from './svg.ts';
import type { Palette } from './theme.ts';

function curvePlots(
  results: readonly Result[],
  { curves: styles, ranked }: ResultDisplay,
  palette: Palette,
): (Plot | undefined)[] {
  const names = [...new Set(results.flatMap(({ curves }) => Object.keys(curves ?? {})))];
  const families = [...new Set(names.map((name) => name.split('/')[0]!))];
  return families.map((family) => {
    const plain = { title: metricTitle(family.replaceAll('-', ' ')), caption: '', x: '', y: '' };
    const style: ResultCurveDisplay = styles?.[family] ?? plain;
    const { lines, left } = meanCurves(results, family, { only: style.only, ranked });
    const more = left === 0 ? '' : ` ${left} more curves are in the result files.`;
    return linePlot(lines, palette, { ...style, caption: `${style.caption}${more}`.trim() });
  });
}

/** What of the training curve is drawn. The loss is not: it can't be compared across variants. */
const TRAINING: readonly { of(curve: ResultTrainingCurve): number[] | undefined; y: string; caption: string }[] = [
  {
    of: (curve) => curve.explained_variance,
    y: 'explained variance',
    caption: 'Explained variance of training batches against tokens seen, first seed of each variant.',
  },
  {
    of: (curve) => curve.l0,
    y: 'L0',
    caption: 'Active latents per input during training, first seed of each variant.',
  },
  {
    of: (curve) => curve.deadFraction,
    y: 'dead latents',
    caption: 'Share of latents that have not fired for the dead-latent window, first seed of each variant.',
  },
];

/** Training curves of all SAEs at a site. */
export function trainingPlots(results: readonly Result[], palette: Palette): Plot[] {
  return TRAINING.flatMap(({ of, y: title, caption }) => {
    const seen = new Set<string>();
    const series = results.flatMap(({ method, seed, training }) => {
      const x = training?.curve.tokens;
      const y = training && of(training.curve);
      if (!x || !y || seen.has(method.name)) return [];
      seen.add(method.name);
      return [{ method: method.name, label: `${method.name} (seed ${seed})`, x, y }];
    });
    const plot = linePlot(series, palette, { title: `Training: ${title}`, caption, x: 'tokens', y: title });
    return plot ? [plot] : [];
  });
}

/** The main metric against what the methods cost, where no variant has settings that make a curve of it. */
function costPlots(table: Table, tables: readonly Table[], fronts: readonly Front[], palette: Palette) {
  return costDisplays(table, tables)
    .filter(({ x }) => !fronts.some(({ display }) => display.x.task === x.task && display.x.metric === x.metric))
    .map((display) => {
      const sizeOf = sizesOf(table, tables, display.x);
      const size = { metric: display.x.metric, of: ({ method }: TableRow) => sizeOf(method) };
      return scatterPlot(table, size, display.y, palette, { ...display, ringed: true });
    });
}

/**
 * All plots of a table from its aggregated rows and the results behind it.
 *
 * @param tables All tables at the same place, and `fronts` those of this one.
 */
export function tablePlots(
  table: Table,
  tables: readonly Table[],
  fronts: readonly Front[],
  results: readonly Result[],
  palette: Palette,
): Plot[] {
  const { scatter, chance } = table.task.shows ?? {};
  const plots: (Plot | undefined)[] = [];
  if (table.main && scatter?.y !== table.main) {
    const title = `${table.task.title}: ${metricTitle(table.main)}`;
    const line = chance === undefined ? '' : ' Dashed: chance.';
    const caption = `Mean with 95 % interval; saturated colours are SAEs, pale ones baselines.${line}`;
    plots.push(barPlot(table, table.main, palette, { title, caption, reference: chance }));
  }
  if (scatter) {
    const size = { metric: scatter.x, of: ({ cells }: TableRow) => cells[scatter.x]?.value };
    plots.push(scatterPlot(table, size, scatter.y, palette, scatter));
  }
  plots.push(...costPlots(table, tables, fronts, palette));
  // Best first, as in the table: where not all fit, those are drawn.
  const order = new Map([...table.rows.entries()].reverse().map(([i, { method }]) => [method.name, i]));
  const placeOf = ({ method }: Result) => order.get(method.name) ?? table.rows.length;
  const sorted = [...results].sort((a, b) => placeOf(a) - placeOf(b));
  plots.push(...curvePlots(sorted, table.task.shows ?? {}, palette));
  return plots.filter((plot) => plot !== undefined);
}
