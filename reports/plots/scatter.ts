/** @file One metric against another, a point for each method's ranked row, with the interval of the second. */
import type { EChartsOption } from 'echarts';
import { metricTitle } from '../format.ts';
import type { Table } from '../table.ts';
import { rowLabels, wrapped } from './labels.ts';
import { PLOT_WIDTH, type Plot } from './svg.ts';
import { type Palette, TEXT_STYLE, valueAxis } from './theme.ts';

/** Right of the axes: the labels stand there one below the other, each with a line to its point. */
const LABELS_WIDTH = 200;
const LABEL_SIZE = 10;
const LABEL_HEIGHT = 13;

/** Needs two rows with both metrics; otherwise there is nothing to compare and no plot. */
export function scatterPlot(
  table: Table,
  xName: string,
  yName: string,
  palette: Palette,
  options: { title: string; caption: string; logX?: boolean },
): Plot | undefined {
  const labelOf = rowLabels(table.rows);
  const points = table.rows.flatMap((row) => {
    const { method, cells, detail } = row;
    if (detail) return [];
    const [x, y] = [cells[xName]?.value, cells[yName]?.value];
    if (x === null || x === undefined || y === null || y === undefined || (options.logX && x <= 0)) return [];
    return [{ label: wrapped(labelOf(row), LABELS_WIDTH - 24, LABEL_SIZE), method, x, y, ci95: cells[yName]!.ci95 }];
  });
  if (points.length < 2) return undefined;
  const option: EChartsOption = {
    textStyle: TEXT_STYLE,
    grid: { left: 64, right: LABELS_WIDTH, top: 16, bottom: 48 },
    xAxis: valueAxis(metricTitle(xName), { nameGap: 28, ...(options.logX ? { type: 'log', logBase: 2 } : {}) }),
    yAxis: valueAxis(metricTitle(yName), { nameGap: 44 }),
    series: [
      {
        type: 'scatter',
        data: points.map(({ x, y, label, method }) => ({
          value: [x, y],
          name: label,
          symbol: method.kind === 'sae' ? 'circle' : 'diamond',
          symbolSize: method.kind === 'sae' ? 10 : 9,
          itemStyle: { color: palette.colourOf(method.name) },
        })),
        label: {
          show: true,
          position: 'right',
          formatter: '{b}',
          ...TEXT_STYLE,
          fontSize: LABEL_SIZE,
          lineHeight: LABEL_HEIGHT,
        },
        labelLayout: { x: PLOT_WIDTH - LABELS_WIDTH + 16, moveOverlap: 'shiftY' },
        labelLine: { show: true, length2: 4, lineStyle: { color: '#bbb' } },
      },
      ...points.flatMap(({ x, ci95, method }) =>
        ci95
          ? [
              {
                type: 'line' as const,
                data: [
                  [x, ci95[0]],
                  [x, ci95[1]],
                ],
                symbol: 'none',
                silent: true,
                lineStyle: { color: palette.colourOf(method.name), width: 1.2 },
              },
            ]
          : [],
      ),
    ],
  };
  const lines = points.reduce((sum, { label }) => sum + label.split('\n').length, 0);
  return { title: options.title, caption: options.caption, option, height: Math.max(380, 80 + lines * LABEL_HEIGHT) };
}
