/** @file A scaling law over the trainings that it was fitted to: loss against width, a colour for each sparsity. */
import type { EChartsOption } from 'echarts';
import { jointLoss } from '../../harness/num/stats/scaling-law.ts';
import { groupBy } from '../group-by.ts';
import type { ScalingStudy } from '../scaling.ts';
import type { Plot } from './svg.ts';
import { createPalette, TEXT_STYLE, valueAxis } from './theme.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

export function scalingPlot({ variant, trainings, law }: ScalingStudy): Plot {
  const bySparsity = groupBy(
    [...trainings].sort((a, b) => a.k - b.k),
    ({ k }) => String(k),
  );
  const palette = createPalette(bySparsity.map(([first]) => ({ name: String(first!.k), kind: 'sae' as const })));
  const widths = [...new Set(trainings.map(({ n }) => n))].sort((a, b) => a - b);
  const series = bySparsity.flatMap((own) => {
    const { k } = own[0]!;
    const color = palette.colourOf(String(k));
    const observed = groupBy(own, ({ n }) => String(n)).map((cell) => [cell[0]!.n, mean(cell.map(({ loss }) => loss))]);
    return [
      { type: 'scatter' as const, name: `k ${k}`, data: observed, symbolSize: 7, itemStyle: { color } },
      {
        type: 'line' as const,
        name: `k ${k}, fitted`,
        data: widths.map((n) => [n, jointLoss(law, n, k)]),
        showSymbol: false,
        lineStyle: { color, width: 1.2, type: [4, 3] },
      },
    ];
  });
  const option: EChartsOption = {
    textStyle: TEXT_STYLE,
    grid: { left: 64, right: 24, top: 16, bottom: 48 },
    xAxis: valueAxis('latents n', { nameGap: 28, type: 'log', logBase: 2 }),
    yAxis: valueAxis('unexplained variance', { nameGap: 44, type: 'log', logBase: 2 }),
    series,
  };
  const legend = bySparsity.map(([first]) => ({
    label: `k ${first!.k}`,
    colour: palette.colourOf(String(first!.k)),
    dash: [],
  }));
  const caption =
    'Points: trainings, the mean over seeds. Dashed: the joint law of width and sparsity (Gao et al. 2024).';
  return { title: `Scaling of ${variant}`, caption, option, legend };
}
