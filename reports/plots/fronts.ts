/** @file The curves of variants over a size, a point for each setting; those that no other setting beats are ringed. */
import type { EChartsOption } from 'echarts';
import { metricTitle } from '../format.ts';
import type { Curve, Front } from '../fronts.ts';
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
  const legend = curves.map((curve) => ({ label: curve.label, ...strokeOf(palette.colourOf(nameOf(curve)), used) }));
  const option: EChartsOption = {
    textStyle: TEXT_STYLE,
    grid: { left: 64, right: 24, top: 16, bottom: 48 },
    xAxis: valueAxis(metricTitle(x.metric), { nameGap: 28, ...(logX ? { type: 'log', logBase: 2 } : {}) }),
    yAxis: valueAxis(metricTitle(y), { nameGap: 44 }),
    series: curves.map(({ label, points }, i) => {
      const { colour, dash } = legend[i]!;
      return {
        type: 'line' as const,
        name: label,
        data: points.map((point) => ({
          value: [point.x, point.y],
          symbolSize: point.best ? 9 : 6,
          itemStyle: point.best ? { color: colour, ...RING } : { color: colour },
        })),
        symbol: 'circle',
        showSymbol: true,
        lineStyle: { width: 1.6, type: dash.length > 0 ? [...dash] : ('solid' as const), color: colour },
      };
    }),
  };
  return { title, caption, option, legend };
}
