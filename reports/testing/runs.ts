/** @file Simulated runs for the tests of comparisons and history: methods with effects of units and of seeds. */
import type { Rng } from '../../harness/num/rng.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import type { Side } from '../compare/load.ts';
import { metric, resultWith } from './results.ts';

/** What a simulated run is made of; spreads are standard deviations. */
export interface Simulation {
  methods: readonly string[];
  seeds: readonly number[];
  /** The same in all runs: how hard each unit is. */
  units: readonly number[];
  seedSpread: number;
  noise: number;
  /** Added to all values of a method. */
  shift?: Readonly<Record<string, number>>;
}

const templateOf = (name: string): Result =>
  resultWith(name, [{ axes: {}, metrics: { auroc: metric(0, null, { main: true }) } }]);

/** The result of one seed, from its values by unit. */
export function resultOf(
  name: string,
  seed: number,
  values: readonly number[],
  template: Result = templateOf(name),
): Result {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const ids = values.map((_, i) => `concept-${i}`);
  const row = {
    axes: {},
    metrics: { auroc: { value: mean, ci95: null, n: values.length } },
    samples: { unit: 'concept', ids, values: [...values] },
  };
  return { ...template, seed, rows: [row] };
}

/** One run: every seed is drawn anew, as training does after a change of the code. */
export function simulatedRun(rng: Rng, { methods, seeds, units, seedSpread, noise, shift = {} }: Simulation): Side {
  const results = methods.flatMap((name) => {
    const template = templateOf(name);
    return seeds.map((seed) => {
      const level = 0.8 + (shift[name] ?? 0) + seedSpread * rng.normal();
      return resultOf(
        name,
        seed,
        units.map((unit) => level + unit + noise * rng.normal()),
        template,
      );
    });
  });
  return { name: 'simulated', results, refused: [] };
}
