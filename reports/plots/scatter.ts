/** @file A metric against another or a size, a point for each method's ranked row, with the interval of the metric. */
import type { EChartsOption } from 'echarts';
import { NEAR, paretoFront } from '../../harness/num/stats/fronts.ts';
import { formatInterval, formatNumber, metricTitle } from '../format.ts';
import type { Table, TableRow } from '../table.ts';
import { Inks } from './ink.ts';
import { rowLabels, wrapped } from './labels.ts';
import { PLOT_WIDTH, type Plot } from './svg.ts';
import { type Palette, RING, TEXT_STYLE, valueAxis } from './theme.ts';

/** Right of the axes: the labels stand there one below the other, each with a line to its point. */
const LABELS_WIDTH = 200;
const LABEL_SIZE = 10;
const LABEL_HEIGHT = 13;

/** What stands along the x axis. */
export interface ScatterSize {
  metric: string;
  of(row: TableRow): number | null | undefined;
}

/**
 * Needs two rows with both; otherwise there is nothing to compare and no plot.
 *
 * @param options.ringed Those that none beats with as small an x have a ring; controls do not count.
 */
export function scatterPlot(
  table: Table,
  size: ScatterSize,
  yName: string,
  palette: Palette,
  options: { title: string; caption: string; logX?: boolean; ringed?: boolean },
): Plot | undefined {
  const labelOf = rowLabels(table.rows);
  const points = table.rows.flatMap((row) => {
    const { method, cells, detail, control } = row;
    if (detail) return [];
    const [x, y] = [size.of(row), cells[yName]?.value];
    if (x === null || x === undefined || y === null || y === undefined || (options.logX && x <= 0)) return [];
    const label = wrapped(labelOf(row), LABELS_WIDTH - 24, LABEL_SIZE);
    return [{ label, method, x, y, ci95: cells[yName]!.ci95, control: control !== undefined }];
  });
  if (points.length < 2) return undefined;
  const direction = table.task.metrics[yName]?.direction;
  const best =
    options.ringed && direction !== undefined && direction !== 'none'
      ? paretoFront(
          points.filter(({ control }) => !control),
          direction,
          NEAR,
        )
      : [];
  const inks = new Inks();
  const inkOf = ({ label, method, x, y, ci95 }: (typeof points)[number]) =>
    inks.of(
      palette.colourOf(method.name),
      method.name,
      `${label.replaceAll('\n', ' ')}: ${metricTitle(yName)} ${formatInterval(y, ci95)} at ${metricTitle(size.metric)} ${formatNumber(x)}`,
    );
  const option: EChartsOption = {
    textStyle: TEXT_STYLE,
    grid: { left: 64, right: LABELS_WIDTH, top: 16, bottom: 48 },
    xAxis: valueAxis(metricTitle(size.metric), { nameGap: 28, ...(options.logX ? { type: 'log', logBase: 2 } : {}) }),
    yAxis: valueAxis(metricTitle(yName), { nameGap: 44 }),
    series: [
      {
        type: 'scatter',
        data: points.map((point) => ({
          value: [point.x, point.y],
          name: point.label,
          symbol: point.method.kind === 'sae' ? 'circle' : 'diamond',
          symbolSize: point.method.kind === 'sae' ? 10 : 9,
          itemStyle: {
            color: inkOf(point),
            ...(best.some((each) => each === point) ? RING : {}),
          },
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
      ...points.flatMap((point) => {
        const { x, ci95 } = point;
        return ci95
          ? [
              {
                type: 'line' as const,
                data: [
                  [x, ci95[0]],
                  [x, ci95[1]],
                ],
                symbol: 'none',
                silent: true,
                lineStyle: { color: inkOf(point), width: 1.2 },
              },
            ]
          : [];
      }),
    ],
  };
  const lines = points.reduce((sum, { label }) => sum + label.split('\n').length, 0);
  return {
    title: options.title,
    caption: options.caption,
    option,
    inks,
    height: Math.max(380, 80 + lines * LABEL_HEIGHT),
  };
}
