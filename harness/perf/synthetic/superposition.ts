/**
 * @file The geometry of the toy model of superposition over densities (Elhage et al. 2022, "uniform superposition"):
 * `npm run superposition -- [--features 400] [--d 30] [--steps 5000] [--density 0.1 …]` prints for each density m ÷ ‖W‖²
 * and how many features have about each of the dimensionalities of regular solids.
 */
import { trainToyModel } from '../../../tasks/worlds/features/toy-model.ts';
import { initBackend } from '../../num/backend.ts';
import { featureDimensionality } from '../../num/metrics/superposition.ts';
import { createRng } from '../../num/rng.ts';
import { scriptArguments, wholeNumber } from '../../testing/script-arguments.ts';

const { values: options } = scriptArguments(
  'superposition',
  '[--features 400] [--d 30] [--steps 5000] [--density 0.1 …]',
  {
    features: { type: 'string', default: '400' },
    d: { type: 'string', default: '30' },
    steps: { type: 'string', default: '5000' },
    density: { type: 'string', multiple: true, default: ['1', '0.5', '0.3', '0.2', '0.1', '0.05', '0.03', '0.01'] },
  },
);

const SOLIDS: readonly [name: string, value: number][] = [
  ['1', 1],
  ['3/4', 3 / 4],
  ['2/3', 2 / 3],
  ['1/2', 1 / 2],
  ['2/5', 2 / 5],
  ['3/8', 3 / 8],
  ['0', 0],
];
/** A dimensionality this near counts as a solid's. */
const NEAR = 0.02;

await initBackend('auto');
const [features, d, steps] = (['features', 'd', 'steps'] as const).map((name) =>
  wholeNumber('superposition', name, options[name]),
) as [number, number, number];
const columns = ['density', 'm / ‖W‖²', ...SOLIDS.map(([name]) => name), 'between'];
console.log(`| ${columns.join(' | ')} |\n|${'---|'.repeat(columns.length)}`);
for (const density of options.density.map(Number)) {
  const config = { features, d, density, importance: 1, together: 'independent' as const, set: 1 };
  const training = { steps, batch: 1024, lr: 0.003, relu: true };
  const { directions } = await trainToyModel({ ...config, ...training }, createRng(0));
  const square = directions.reduce((sum, value) => sum + value * value, 0);
  const found = featureDimensionality(directions, d);
  const counts = SOLIDS.map(([, value]) => found.filter((each) => Math.abs(each - value) <= NEAR).length);
  const between = features - counts.reduce((sum, count) => sum + count, 0);
  console.log(`| ${[density, (d / square).toFixed(3), ...counts, between].join(' | ')} |`);
}
