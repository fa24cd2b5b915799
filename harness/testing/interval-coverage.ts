/** @file How often the intervals cover: simulated data of known mean, for the tests and for num/stats/coverage.md. */
import { createRng, type Rng } from '../num/rng.ts';
import {
  byCluster,
  crossedInterval,
  type Estimate,
  meanInterval,
  type Range,
  ratioInterval,
} from '../num/stats/interval.ts';

/** Draws of one value, and their mean. */
export interface Population {
  name: string;
  mean: number;
  /** Where values end, where the interval of equal ones rests on it. */
  range?: Range;
  draw(rng: Rng): number;
}

const exponential = (rng: Rng): number => -Math.log1p(-rng.uniform());

/** Sums of exponential draws are gamma distributed, and their shares beta distributed. */
function beta(a: number, b: number): Population {
  const gamma = (shape: number, rng: Rng) => {
    let sum = 0;
    for (let i = 0; i < shape; i++) sum += exponential(rng);
    return sum;
  };
  const draw = (rng: Rng) => {
    const [x, y] = [gamma(a, rng), gamma(b, rng)];
    return x / (x + y);
  };
  return { name: `Beta(${a}, ${b})`, mean: a / (a + b), draw };
}

/** AUROC of a concept whose negatives lie a normal number of standard deviations below: many near 1, none above. */
const AUROC_MEAN = 0.8413447460685429;
const auroc: Population = {
  // Φ(d), d ~ N(√2, 1): its mean is Φ(√2 / √(1 + 1)) = Φ(1).
  name: 'Φ(N(√2, 1))',
  mean: AUROC_MEAN,
  draw: (rng) => normalCdf(Math.SQRT2 + rng.normal()),
};

/** Φ by the series of Marsaglia (2004), about 15 digits for |x| < 8. */
function normalCdf(x: number): number {
  if (Math.abs(x) > 8) return x > 0 ? 1 : 0;
  let [sum, term] = [x, x];
  for (let i = 3; Math.abs(term) > 1e-17 * Math.abs(sum); i += 2) {
    term *= (x * x) / i;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}

/** Populations that the intervals must cover, and below them those whose tails are too heavy for few values. */
export const NORMAL: Population = { name: 'normal', mean: 0, draw: (rng) => rng.normal() };
export const SKEWED: Population[] = [
  { name: 'exponential', mean: 1, draw: exponential },
  beta(9, 1),
  beta(8, 2),
  auroc,
];
export const HEAVY: Population[] = [
  { name: 'lognormal, σ = 1', mean: Math.exp(0.5), draw: (rng) => Math.exp(rng.normal()) },
  { name: 'lognormal, σ = 1.5', mean: Math.exp(1.125), draw: (rng) => Math.exp(1.5 * rng.normal()) },
  {
    name: 't with 3 degrees of freedom',
    mean: 0,
    draw: (rng) => rng.normal() / Math.sqrt((rng.normal() ** 2 + rng.normal() ** 2 + rng.normal() ** 2) / 3),
  },
  { name: 'Pareto, α = 2.5', mean: 2.5 / 1.5, draw: (rng) => (1 - rng.uniform()) ** (-1 / 2.5) },
  { name: 'Pareto, α = 1.5', mean: 3, draw: (rng) => (1 - rng.uniform()) ** (-1 / 1.5) },
  { name: '1 with probability 0.1, else 0', mean: 0.1, range: [0, 1], draw: (rng) => (rng.uniform() < 0.1 ? 1 : 0) },
];

/** Share of `trials` in which `estimate` covers `mean`. */
function covered(trials: number, mean: number, rng: Rng, estimate: (rng: Rng) => Estimate): number {
  let hits = 0;
  for (let trial = 0; trial < trials; trial++) {
    const [low, high] = estimate(rng.fork(trial)).ci!;
    if (low <= mean && mean <= high) hits++;
  }
  return hits / trials;
}

/** Share of intervals of the mean of `n` draws that cover it. */
export function coverageOfMean({ mean, range, draw }: Population, n: number, trials: number, rng: Rng): number {
  return covered(
    trials,
    mean,
    rng,
    (own) =>
      meanInterval(
        Array.from({ length: n }, () => draw(own)),
        range,
      )!,
  );
}

/** Concepts that meet the same prompts: how far concepts, prompts and what is left spread, in standard deviations. */
export interface Crossed {
  concepts: number;
  prompts: number;
  spread: readonly [concept: number, prompt: number, rest: number];
}

/** Share of intervals over concepts and prompts (or, for comparison, over concepts alone) that cover the mean, 0. */
export function coverageOfCrossed(
  { concepts, prompts, spread: [ofConcept, ofPrompt, rest] }: Crossed,
  trials: number,
  rng: Rng,
  overPrompts = true,
): number {
  return covered(trials, 0, rng, (own) => {
    const promptEffects = Array.from({ length: prompts }, () => ofPrompt * own.normal());
    const scores = Array.from({ length: concepts }, () => {
      const concept = ofConcept * own.normal();
      return promptEffects.map((prompt) => concept + prompt + rest * own.normal());
    });
    const means = scores.map((row) => row.reduce((sum, value) => sum + value / prompts, 0));
    if (!overPrompts) return meanInterval(means)!;
    const influences = scores.map((row, c) => ({
      items: row.map((_, p) => p),
      values: row.map((value) => (value - means[c]!) / prompts),
    }));
    return crossedInterval(means, influences, prompts)!;
  });
}

/**
 * The same for `clusters` documents of unequal length (4 to 40 values): half of the variance is the document's, and
 * what a document adds comes from the population.
 */
export function coverageByCluster({ mean, draw }: Population, clusters: number, trials: number, rng: Rng): number {
  return covered(trials, mean, rng, (own) => {
    const [values, numbers]: [number[], number[]] = [[], []];
    for (let document = 0; document < clusters; document++) {
      const shared = draw(own);
      for (let i = 4 + own.int(37); i > 0; i--) {
        values.push((shared + draw(own)) / 2);
        numbers.push(document);
      }
    }
    const { sums, counts } = byCluster(values, numbers);
    return ratioInterval(sums, counts)!;
  });
}

/** Standard error of a simulated coverage near 95 %. */
export const simulationError = (trials: number): number => Math.sqrt((0.95 * 0.05) / trials);

const TABLE_TRIALS = 10_000;
const TABLE_UNITS = [2, 3, 5, 10, 20, 40];

/** The rows of the table: coverage of the mean by population and number of values. */
export function coverageTable(populations: readonly Population[], units: readonly number[] = TABLE_UNITS): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const rows = populations.map((population) => [
    population.name,
    ...units.map((n) => coverageOfMean(population, n, TABLE_TRIALS, createRng(population.name).fork(n)).toFixed(3)),
  ]);
  const header = ['values of', ...units.map((n) => `n = ${n}`)];
  return [header, ['---', ...units.map(() => '---:')], ...rows].map(line).join('\n');
}

/** Sizes of the steering task, and how much of the spread is the prompts'. */
const CROSSED: Crossed[] = [
  [8, 3],
  [8, 5],
  [20, 10],
].flatMap(([concepts, prompts]) =>
  (
    [
      [1, 0, 1],
      [1, 0.3, 1],
      [1, 1, 1],
      [0.3, 1, 1],
    ] as const
  ).map((spread) => ({ concepts: concepts!, prompts: prompts!, spread })),
);

function crossedTable(): string {
  const rows = CROSSED.map((crossed) => {
    const rng = () => createRng(JSON.stringify(crossed));
    const shares = [true, false].map((over) => coverageOfCrossed(crossed, TABLE_TRIALS, rng(), over).toFixed(3));
    return `| ${crossed.concepts} × ${crossed.prompts} | ${crossed.spread.join(', ')} | ${shares.join(' | ')} |`;
  });
  return [
    '| concepts × prompts | spread of them, rest | over both | over concepts alone |',
    '| --- | --- | ---: | ---: |',
    ...rows,
  ].join('\n');
}

/** The whole of coverage.md. */
export function coverageText(): string {
  return `# Coverage of the 95 % intervals

Made by \`npm run coverage\`: share of ${TABLE_TRIALS.toLocaleString('en')} simulated samples whose interval (\`interval.ts\`) holds the true mean; one
standard error of these shares is ${simulationError(TABLE_TRIALS).toFixed(4)}. Φ(N(√2, 1)) is an AUROC-like value: bounded at 1 and often near it.

${coverageTable([NORMAL, ...SKEWED])}

Heavier tails. No interval from a few values covers a mean that rests on values which it has not seen: read these as
limits of what an interval in a table can say.

${coverageTable(HEAVY)}

Values that are all equal (in the last row up to 10 values often are) get the interval of the share of others that as many
draws would miss, within the metric's range; where the range is open they get none.

Concepts that meet the same prompts or images: intervals over both, and for comparison over concepts alone.

${crossedTable()}
`;
}
