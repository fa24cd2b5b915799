/** @file The plots of one table: chosen by task, and for an unknown task by the curves that its results carry. */
import type { Result } from '../../harness/schema/result.generated.ts';
import type { Table } from '../aggregate.ts';
import { metricTitle } from '../format.ts';
import { barPlot } from './bars.ts';
import { meanCurves } from './curves.ts';
import { linePlot } from './lines.ts';
import { scatterPlot } from './scatter.ts';
import type { Plot } from './svg.ts';
import type { Palette } from './theme.ts';

interface CurveStyle {
  title: string;
  caption: string;
  x: string;
  y: string;
  logX?: boolean;
  diagonal?: boolean;
  /** Of the curves of the family only those whose name ends so. */
  only?: string;
}

/** Curves that tasks draw, by the part of the name before `/`. */
const CURVES: Record<string, CurveStyle> = {
  density: {
    title: 'Firing density of latents',
    caption:
      'Number of latents by how often they fire (log10 of the share of positions). Far left: nearly dead; near 0: always on.',
    x: 'log10 density',
    y: 'latents',
  },
  roc: {
    title: 'ROC, averaged over concepts',
    caption:
      'True-positive rate at each false-positive rate, averaged over concepts (vertical averaging). Dashed: chance.',
    x: 'false-positive rate',
    y: 'true-positive rate',
    diagonal: true,
  },
  'score-by-factor': {
    title: 'Steering score against factor',
    caption:
      'Overall score (harmonic mean of concept, instruct and fluency, 0 to 2) at each steering factor, mean over concepts.',
    x: 'factor',
    y: 'overall score',
    only: 'overall',
  },
  'ms-by-rank': {
    title: 'Distribution of the MS score',
    caption: 'MS score of each scored latent, sorted; the x axis is the rank as a share of latents.',
    x: 'rank (share of latents)',
    y: 'MS score',
  },
};

function curvePlots(results: readonly Result[], palette: Palette): (Plot | undefined)[] {
  const names = [...new Set(results.flatMap(({ curves }) => Object.keys(curves ?? {})))];
  const families = [...new Set(names.map((name) => name.split('/')[0]!))];
  return families.map((family) => {
    const style: CurveStyle = CURVES[family] ?? {
      title: metricTitle(family.replaceAll('-', ' ')),
      caption: '',
      x: '',
      y: '',
    };
    return linePlot(meanCurves(results, family, style.only), palette, style);
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
  const plots: (Plot | undefined)[] = [];
  if (table.task.id === 'reconstruction') {
    const title = 'Explained variance against L0';
    const caption =
      'Up and to the left is better: more of the variance with fewer active latents. Bars are 95 % intervals.';
    plots.push(scatterPlot(table, 'l0', 'explained_variance', palette, { title, caption, logX: true }));
  } else if (table.main) {
    const isAuroc = table.main.includes('auroc');
    plots.push(
      barPlot(table, table.main, palette, {
        title: `${table.task.title}: ${metricTitle(table.main)}`,
        caption: `Mean with 95 % interval; saturated colours are SAEs, pale ones baselines.${isAuroc ? ' Dashed: chance.' : ''}`,
        ...(isAuroc ? { reference: 0.5 } : {}),
      }),
    );
  }
  if (table.task.id === 'monosemanticity') {
    const caption =
      'Sparser dictionaries score higher by construction: compare at equal L0, and with the controls at the same rate.';
    plots.push(
      scatterPlot(table, 'l0', table.main ?? 'ms_mean', palette, { title: 'MS score against L0', caption, logX: true }),
    );
  }
  plots.push(...curvePlots(results, palette));
  return plots.filter((plot) => plot !== undefined);
}
