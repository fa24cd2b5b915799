/** @file One metric of each method's ranked row as horizontal bars with intervals, best on top of its band. */
import type { CustomSeriesRenderItem, EChartsOption } from 'echarts';
import { formatInterval, metricTitle } from '../format.ts';
import type { Table } from '../table.ts';
import { Inks } from './ink.ts';
import { rowLabels, wrapped } from './labels.ts';
import type { Plot } from './svg.ts';
import { type Palette, TEXT_STYLE, valueAxis } from './theme.ts';

/** An interval as a line with end caps; values are [row, low, high]. @param strokeOf By row. */
const renderInterval =
  (strokeOf: (row: number) => string): CustomSeriesRenderItem =>
  (_params, api) => {
    const row = api.value(0);
    const [x1, y] = api.coord([api.value(1), row]) as [number, number];
    const [x2] = api.coord([api.value(2), row]) as [number, number];
    const line = (from: number, top: number, to: number, bottom: number) => ({
      type: 'line' as const,
      shape: { x1: from, y1: top, x2: to, y2: bottom },
      style: { stroke: strokeOf(Number(row)), lineWidth: 1 },
    });
    return { type: 'group', children: [line(x1, y, x2, y), line(x1, y - 3, x1, y + 3), line(x2, y - 3, x2, y + 3)] };
  };

/** Left of the axis, in pixels. */
const LABELS_WIDTH = 200;
const LINE_HEIGHT = 14;

/** `reference`: a value to draw a line at, such as chance. */
export function barPlot(
  table: Table,
  metric: string,
  palette: Palette,
  options: { title: string; caption: string; reference?: number },
): Plot | undefined {
  const rows = table.rows.filter(({ cells, detail }) => !detail && typeof cells[metric]?.value === 'number').reverse();
  if (rows.length < 2) return undefined;
  const labels = rows.map(rowLabels(table.rows)).map((label) => wrapped(label, LABELS_WIDTH - 16, TEXT_STYLE.fontSize));
  const lines = Math.max(...labels.map((label) => label.split('\n').length));
  const lows = rows.map(({ cells }) => cells[metric]!.ci95?.[0] ?? cells[metric]!.value!);
  const minimum = Math.min(...lows, options.reference ?? Number.POSITIVE_INFINITY);
  const inks = new Inks();
  const tips = rows.map((row) => {
    const { value, ci95, few } = row.cells[metric]!;
    return `${rowLabels(table.rows)(row)}: ${metricTitle(metric)} ${formatInterval(value, ci95, few ? { few } : {})}`;
  });
  // An amount is as long as it is much: cut off at the least, that bar would be none. Shares are told apart near 1.
  const amount = table.task.metrics[metric]?.range?.[1] === null;
  const option: EChartsOption = {
    textStyle: TEXT_STYLE,
    grid: { left: LABELS_WIDTH, right: 24, top: 8, bottom: 44 },
    xAxis: valueAxis(metricTitle(metric), {
      nameGap: 26,
      min: minimum < 0 ? undefined : amount ? 0 : Math.floor(minimum * 10) / 10,
    }),
    yAxis: {
      type: 'category',
      data: labels,
      axisLabel: { ...TEXT_STYLE, lineHeight: LINE_HEIGHT, interval: 0 },
      axisTick: { show: false },
    },
    series: [
      {
        type: 'bar',
        data: rows.map(({ method, cells }, i) => ({
          value: cells[metric]!.value!,
          itemStyle: {
            color: inks.of(palette.colourOf(method.name), method.name, tips[i]!),
            opacity: method.kind === 'sae' ? 0.9 : 0.6,
          },
        })),
        barMaxWidth: 16,
        ...(options.reference === undefined
          ? {}
          : {
              markLine: {
                silent: true,
                symbol: 'none',
                data: [{ xAxis: options.reference }],
                lineStyle: { color: '#999', type: 'dashed' },
                label: { show: false },
              },
            }),
      },
      {
        type: 'custom',
        renderItem: renderInterval((i) => inks.of('#222', rows[i]!.method.name, tips[i]!)),
        data: rows.flatMap(({ cells }, i) => {
          const ci95 = cells[metric]!.ci95;
          return ci95 ? [[i, ci95[0], ci95[1]]] : [];
        }),
        encode: { x: [1, 2], y: 0 },
        silent: true,
        z: 3,
      },
    ],
  };
  return {
    title: options.title,
    caption: options.caption,
    option,
    inks,
    height: 70 + rows.length * (8 + lines * LINE_HEIGHT),
  };
}
