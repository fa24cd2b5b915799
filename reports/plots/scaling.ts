/** @file A scaling law over the trainings that it was fitted to: loss against width, a colour for each sparsity or subject. */
import type { EChartsOption } from 'echarts';
import { mean } from '../../harness/num/stats/law-form.ts';
import { jointLoss, type ScalingPoint } from '../../harness/num/stats/scaling-law.ts';
import { relative, subjectLoss } from '../../harness/num/stats/subject-law.ts';
import { formatNumber } from '../format.ts';
import { groupBy } from '../group-by.ts';
import type { ScalingStudy } from '../scaling.ts';
import type { SubjectStudy } from '../subject-scaling.ts';
import type { Plot } from './svg.ts';
import { createPalette, TEXT_STYLE, valueAxis } from './theme.ts';

/** Trainings of one colour, and the law on them. */
interface Curve {
  name: string;
  trainings: ScalingPoint[];
  lossAt(n: number): number;
}

function lawPlot(title: string, caption: string, curves: readonly Curve[]): Plot {
  const palette = createPalette(curves.map(({ name }) => ({ name, kind: 'sae' as const })));
  const series = curves.flatMap(({ name, trainings, lossAt }) => {
    const color = palette.colourOf(name);
    const widths = groupBy(trainings, ({ n }) => String(n)).sort((a, b) => a[0]!.n - b[0]!.n);
    return [
      {
        type: 'scatter' as const,
        name,
        data: widths.map((cell) => [cell[0]!.n, mean(cell.map(({ loss }) => loss))]),
        symbolSize: 7,
        itemStyle: { color },
      },
      {
        type: 'line' as const,
        name: `${name}, fitted`,
        data: widths.map(([first]) => [first!.n, lossAt(first!.n)]),
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
  const legend = curves.map(({ name }) => ({ label: name, method: name, colour: palette.colourOf(name), dash: [] }));
  return { title, caption: `Points: trainings, the mean over seeds. Dashed: ${caption}`, option, legend };
}

export function scalingPlot({ variant, trainings, law }: ScalingStudy): Plot {
  const bySparsity = groupBy(
    [...trainings].sort((a, b) => a.k - b.k),
    ({ k }) => String(k),
  );
  const curves = bySparsity.map((own) => {
    const { k } = own[0]!;
    return { name: `k ${k}`, trainings: own, lossAt: (n: number) => jointLoss(law, n, k) };
  });
  return lawPlot(`Scaling of ${variant}`, 'the joint law of width and sparsity (Gao et al. 2024).', curves);
}

export function subjectScalingPlot({ variant, trainings, law, at: { k } }: SubjectStudy): Plot {
  const atSparsity = trainings.filter((training) => relative(training).k === k).sort((a, b) => a.d - b.d);
  const curves = groupBy(atSparsity, ({ subject }) => subject).map((own) => {
    const { subject, d } = own[0]!;
    return { name: subject, trainings: own, lossAt: (n: number) => subjectLoss(law, { n, k: k * d, d }) };
  });
  return lawPlot(
    `Scaling of ${variant} over subjects at k = ${formatNumber(k)} d`,
    'the law over all subjects.',
    curves,
  );
}
