/** @file The curves of variants over a size, a point for each setting; those that no other setting beats are ringed. */
import type { EChartsOption } from 'echarts';
import { formatInterval, formatNumber, metricTitle } from '../format.ts';
import type { Curve, Front } from '../fronts.ts';
import { Inks } from './ink.ts';
import { strokeOf } from './lines.ts';
import type { Plot } from './svg.ts';
import { createPalette, RING, TEXT_STYLE, valueAxis } from './theme.ts';

/** Curves that are told apart by colour. */
const COLOURS = 8;

export function frontPlot({ display, curves }: Front): Plot {
  const { x, y, title, caption, logX } = display;
  // Where there are too many curves for colours of their own, those of one variant share one.
  const nameOf = ({ label, points }: Curve) => (curves.length <= COLOURS ? label : points[0]!.method.id);
  const palette = createPalette(curves.map((curve) => ({ name: nameOf(curve), kind: 'sae' as const })));
  const used = new Map<string, number>();
  const inks = new Inks();
  const legend = curves.map((curve) => ({
    label: curve.label,
    method: curve.points[0]!.method.name,
    ...strokeOf(palette.colourOf(nameOf(curve)), used),
  }));
  const option: EChartsOption = {
    textStyle: TEXT_STYLE,
    grid: { left: 64, right: 24, top: 16, bottom: 48 },
    xAxis: valueAxis(metricTitle(x.metric), { nameGap: 28, ...(logX ? { type: 'log', logBase: 2 } : {}) }),
    yAxis: valueAxis(metricTitle(y), { nameGap: 44 }),
    series: curves.map(({ label, points }, i) => {
      const { colour, dash, method: first } = legend[i]!;
      const inkOf = ({ method, x: size, y: value, ci95 }: Curve['points'][number]) =>
        inks.of(
          colour,
          method.name,
          `${method.name}: ${metricTitle(y)} ${formatInterval(value, ci95)} at ${metricTitle(x.metric)} ${formatNumber(size)}`,
        );
      return {
        type: 'line' as const,
        name: label,
        data: points.map((point) => ({
          value: [point.x, point.y],
          symbolSize: point.best ? 9 : 6,
          itemStyle: { color: inkOf(point), ...(point.best ? RING : {}) },
        })),
        symbol: 'circle',
        showSymbol: true,
        lineStyle: {
          width: 1.6,
          type: dash.length > 0 ? [...dash] : ('solid' as const),
          color: inks.of(colour, first, label),
        },
      };
    }),
  };
  return { title, caption, option, legend, inks };
}
