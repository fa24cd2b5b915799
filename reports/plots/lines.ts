/** @file Named series as lines: ROC curves, scores against the factor, quantiles, training curves. */
import type { EChartsOption } from 'echarts';
import { Inks } from './ink.ts';
import type { LegendEntry, Plot } from './svg.ts';
import { type Palette, TEXT_STYLE, valueAxis } from './theme.ts';

export interface Series {
  /** Decides the colour. */
  method: string;
  /** Legend entry; lines of one colour are told apart by their dashes. */
  label: string;
  x: number[];
  y: number[];
}

/** Lengths of strokes and gaps in turn; none is solid. */
const DASHES: readonly number[][] = [[], [6, 3], [2, 2], [12, 4], [8, 3, 2, 3], [3, 6]];

/** The next stroke of a colour. @param used How many lines each colour has so far; counted on. */
export function strokeOf(colour: string, used: Map<string, number>): Pick<LegendEntry, 'colour' | 'dash'> {
  const nth = used.get(colour) ?? 0;
  used.set(colour, nth + 1);
  return { colour, dash: DASHES[nth % DASHES.length]! };
}

export function linePlot(
  series: readonly Series[],
  palette: Palette,
  options: { title: string; caption: string; x: string; y: string; logX?: boolean; diagonal?: boolean },
): Plot | undefined {
  if (series.length === 0) return undefined;
  const used = new Map<string, number>();
  const inks = new Inks();
  const legend = series.map(({ method, label }) => ({ label, method, ...strokeOf(palette.colourOf(method), used) }));
  const lines = series.map(({ method, label, x, y }, i) => {
    const { colour, dash } = legend[i]!;
    return {
      type: 'line' as const,
      name: label,
      data: x.flatMap((at, j) => (options.logX && at <= 0 ? [] : [[at, y[j]!]])),
      showSymbol: x.length <= 20,
      symbolSize: 5,
      lineStyle: {
        width: 1.6,
        type: dash.length > 0 ? [...dash] : ('solid' as const),
        color: inks.of(colour, method, label),
      },
      itemStyle: { color: inks.of(colour, method, label) },
    };
  });
  const diagonal = {
    type: 'line' as const,
    data: [
      [0, 0],
      [1, 1],
    ],
    symbol: 'none',
    silent: true,
    lineStyle: { color: '#999', type: 'dashed' as const, width: 1 },
  };
  const option: EChartsOption = {
    textStyle: TEXT_STYLE,
    grid: { left: 60, right: 24, top: 16, bottom: 48 },
    xAxis: valueAxis(options.x, { nameGap: 28, ...(options.logX ? { type: 'log' } : {}) }),
    yAxis: valueAxis(options.y, { nameGap: 42 }),
    series: options.diagonal ? [...lines, diagonal] : lines,
  };
  return { title: options.title, caption: options.caption, option, legend, inks };
}
