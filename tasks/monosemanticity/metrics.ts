/** @file The metrics of the task, from the MS of every latent. */
import type { MetricDefinition, MetricValue, ResultRow } from '../../harness/contract.ts';
import {
  type Csr,
  emptyCell,
  type MsScores,
  meanInterval,
  measuredCell,
  msBlockSamples,
  msVersion,
  plainCell,
  scoresWithSupport,
  summariseMs,
  supportedScores,
} from '../../harness/kit/index.ts';

/** Effective number of items below which a score rests on near-duplicates. */
export const SUPPORT = 10;
const NOT_COMPARED = `for sparse codes with latents of at least ${SUPPORT} effective items, beside controls that fire as often`;

function metric(
  description: string,
  direction: MetricDefinition['direction'],
  range: [number | null, number | null],
  unit = '',
) {
  return { description, direction, range, unit, version: msVersion };
}

export const METRICS: Record<string, MetricDefinition> = {
  ms_above_control: {
    ...metric(
      `Mean MS of latents with at least ${SUPPORT} effective items less that of the best control (neurons, components or ` +
        'random directions that fire as often as the method’s ' +
        'latents do); interval over blocks of items, which both share.',
      'max',
      [-2, 2],
    ),
    main: true,
  },
  ms_control: metric('Mean MS of that control, by the same latents’ rule.', 'none', [-1, 1]),
  ms_mean: metric('Mean MS of the scored latents; interval over latents.', 'max', [-1, 1]),
  ms_median: metric('Median MS of the scored latents.', 'max', [-1, 1]),
  ms_q05: metric('5 % quantile of MS.', 'none', [-1, 1]),
  ms_q25: metric('25 % quantile of MS.', 'none', [-1, 1]),
  ms_q75: metric('75 % quantile of MS.', 'none', [-1, 1]),
  ms_q95: metric('95 % quantile of MS.', 'none', [-1, 1]),
  ms_floor: metric('MS of a unit that weighs all items alike: mean cosine of different items.', 'none', [-1, 1]),
  ms_norm: metric('(mean MS − floor) ÷ (1 − floor).', 'max', [null, 1]),
  ms_supported: metric(`Mean MS of latents with at least ${SUPPORT} effective items (u²/v).`, 'max', [-1, 1]),
  above_floor: metric('Share of the scored latents whose MS lies above the floor.', 'max', [0, 1]),
  scored: metric('Latents with a score.', 'none', [0, null], 'latents'),
  dead: metric('Latents that fire on no item: not scored.', 'min', [0, null], 'latents'),
  constant: metric('Latents with the same value on every item: not scored.', 'none', [0, null], 'latents'),
  single: metric('Latents above their minimum on one item only: not scored.', 'none', [0, null], 'latents'),
  firing_rate: metric('Mean share of items on which a latent that is not dead is active.', 'none', [0, 1]),
  l0: metric('Mean number of non-zero latents of a kept position.', 'none', [0, null], 'latents'),
};

/** The cells of one row. `l0` and `firingRate` are undefined where they have no meaning. */
export function msCells(
  ms: MsScores,
  { l0, firingRate }: { l0?: number; firingRate?: number },
): Record<string, MetricValue> {
  const summary = summariseMs(ms);
  const scores = supportedScores(ms);
  const supported = supportedScores(ms, SUPPORT);
  const { scored, dead, constant, single } = summary.counts;
  const range = [-1, 1] as const;
  const mean = measuredCell(meanInterval(scores, range), 'no latent has a score');
  const floor = ms.uniformFloor;
  const [q05, q25, median, q75, q95] = summary.quantiles.map((value) =>
    value === null ? emptyCell('no latent has a score') : plainCell(value, scored),
  );
  const normalise = (value: number) => (value - floor) / (1 - floor);
  const hasFloor = Number.isFinite(floor) && floor < 1;
  return {
    ms_above_control: emptyCell(NOT_COMPARED),
    ms_control: emptyCell(NOT_COMPARED),
    ms_mean: mean,
    ms_median: median!,
    ms_q05: q05!,
    ms_q25: q25!,
    ms_q75: q75!,
    ms_q95: q95!,
    ms_floor: plainCell(floor, ms.n, 'needs two items'),
    ms_norm:
      mean.value === null || !hasFloor
        ? emptyCell('no latent has a score, or all items are alike', mean.n)
        : {
            value: normalise(mean.value),
            ci95: mean.ci95 && [normalise(mean.ci95[0]), normalise(mean.ci95[1])],
            n: mean.n,
          },
    ms_supported: measuredCell(meanInterval(supported, range), `no latent has ${SUPPORT} effective items`),
    above_floor: plainCell(scores.filter((score) => score > floor).length / scored, scored, 'no latent has a score'),
    scored: plainCell(scored, ms.scores.length),
    dead: plainCell(dead, ms.scores.length),
    constant: plainCell(constant, ms.scores.length),
    single: plainCell(single, ms.scores.length),
    firing_rate: firingRate === undefined ? emptyCell('dense codes do not fire') : plainCell(firingRate, ms.n),
    l0: l0 === undefined ? emptyCell('defined for the method itself only') : plainCell(l0, ms.n),
  };
}

/** Scores with the codes that they are of. */
export interface Scored {
  ms: MsScores;
  codes: Csr;
}

/**
 * What a row has more when its method stands beside controls: both by their latents of at least {@link SUPPORT} effective
 * items. Undefined where nothing can be compared.
 */
export function aboveControl(
  own: Scored,
  controls: readonly Scored[],
  embedding: Float32Array,
): Required<Pick<ResultRow, 'metrics' | 'samples'>> | undefined {
  const meanOf = ({ ms }: Scored) => summariseMs(ms, SUPPORT).mean;
  const measured = controls.flatMap((control) => {
    const level = meanOf(control);
    return level === null ? [] : [{ ...control, level }];
  });
  const [best] = measured.sort((a, b) => b.level - a.level);
  const mean = meanOf(own);
  if (!best || mean === null) return undefined;
  const { level } = best;
  const [ofOwn, ofBest] = [
    msBlockSamples(own.codes, embedding, scoresWithSupport(own.ms, SUPPORT), mean),
    msBlockSamples(best.codes, embedding, scoresWithSupport(best.ms, SUPPORT), level),
  ];
  const values = ofOwn.map((value, block) => value - ofBest[block]!);
  const { range } = METRICS['ms_above_control']!;
  const n = supportedScores(own.ms, SUPPORT).length;
  return {
    metrics: {
      ms_above_control: { value: mean - level, ci95: meanInterval(values, range)?.ci ?? null, n, units: values.length },
      ms_control: plainCell(level, supportedScores(best.ms, SUPPORT).length),
    },
    samples: { unit: 'block of items', values },
  };
}

/** Points of the curve: sorted MS against rank, as a share of the scored latents. */
export function msCurve(ms: MsScores): { x: number[]; y: number[] } | undefined {
  const sorted = supportedScores(ms).sort().reverse();
  if (sorted.length === 0) return undefined;
  const points = Math.min(sorted.length, 201);
  const ranks = Array.from({ length: points }, (_, i) =>
    points === 1 ? 0 : Math.round((i * (sorted.length - 1)) / (points - 1)),
  );
  return { x: ranks.map((rank) => (rank + 1) / sorted.length), y: ranks.map((rank) => sorted[rank]!) };
}
