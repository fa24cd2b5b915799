/** @file Resolution: does a dictionary of functions keep its quality on grids that it was not trained on? */
import {
  defineTask,
  type FittedMethod,
  type MetricDefinition,
  type MetricValue,
  type ResultRow,
  type TaskContext,
} from '../harness/contract.ts';
import {
  allUnavailable,
  ENCODE_ROWS,
  emptyCell,
  notFinite,
  ratioInterval,
  throughMethod,
} from '../harness/kit/index.ts';

const METRICS: Record<string, MetricDefinition> = {
  r2: {
    description: 'R² = 1 − Σ‖x − x̂‖² / Σ‖x − mean‖² of the held-out functions, on the grid of the row.',
    direction: 'max',
    range: [null, 1],
    unit: 'share of the variance',
    main: true,
  },
  r2_drop: {
    description: 'R² on the grid of training less R² on the grid of the row.',
    direction: 'min',
    range: [null, null],
    unit: 'share of the variance',
  },
  l0: {
    description: 'Mean number of non-zero latents of a function.',
    direction: 'none',
    range: [0, null],
    unit: 'latents',
  },
};

/** How a method gets at a function of another grid. */
const HOW = {
  direct: 'the dictionary runs on the grid itself',
  resampled: 'rows are brought to the grid of training by linear interpolation, and their reconstructions back',
};

type How = keyof typeof HOW;

/** Values of periodic functions [rows, from] at other equally spaced points, between neighbours linearly. */
export function resample(x: Float32Array, from: number, to: number): Float32Array {
  const rows = x.length / from;
  const out = new Float32Array(rows * to);
  for (let row = 0; row < rows; row++) {
    for (let s = 0; s < to; s++) {
      const place = (s * from) / to;
      const left = Math.floor(place);
      const part = place - left;
      out[row * to + s] = (1 - part) * x[row * from + left]! + part * x[row * from + ((left + 1) % from)]!;
    }
  }
  return out;
}

/** What reconstructing functions gave: by function ‖x − x̂‖² and ‖x − mean‖², and the mean number of active latents. */
interface Measured {
  residual: Float64Array;
  variance: Float64Array;
  l0: number;
}

/**
 * Reconstructs functions [items, channels · points] in batches.
 *
 * @throws UserError when a reconstruction is not finite.
 */
async function measure(
  method: string,
  x: Float32Array,
  items: number,
  reconstruct: (rows: Float32Array, n: number) => Promise<{ xHat: Float32Array; active: number }>,
): Promise<Measured> {
  const d = x.length / items;
  const mean = new Float64Array(d);
  for (let at = 0; at < x.length; at++) mean[at % d]! += x[at]! / items;
  const [residual, variance] = [new Float64Array(items), new Float64Array(items)];
  let total = 0;
  for (let first = 0; first < items; first += ENCODE_ROWS) {
    const n = Math.min(ENCODE_ROWS, items - first);
    const rows = x.subarray(first * d, (first + n) * d);
    const { xHat, active } = await reconstruct(rows, n);
    total += active;
    for (let at = 0; at < rows.length; at++) {
      const item = first + Math.floor(at / d);
      residual[item]! += (rows[at]! - xHat[at]!) ** 2;
      variance[item]! += (rows[at]! - mean[at % d]!) ** 2;
    }
  }
  const bad = residual.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw notFinite(method, bad);
  return { residual, variance, l0: total / items };
}

/** As they are. */
const through = (method: FittedMethod, rows: Float32Array, n: number) =>
  throughMethod(method, rows, [n, rows.length / n], (codes, xHat) => ({
    xHat: xHat!.slice(),
    active: 'dense' in codes ? codes.dense.filter((value) => value !== 0).length : codes.values.length,
  }));

/** Functions on `points` points in place of `trained`, one channel after another. */
function reconstructor(method: FittedMethod, how: How, points: number, trained: number) {
  if (how === 'direct') return (rows: Float32Array, n: number) => through(method, rows, n);
  return async (rows: Float32Array, n: number) => {
    const { xHat, active } = await through(method, resample(rows, points, trained), n);
    return { xHat: resample(xHat, trained, points), active };
  };
}

function r2Of({ residual, variance }: Measured): MetricValue {
  const estimate = ratioInterval(residual, variance, [0, null]);
  if (!estimate || !Number.isFinite(estimate.value)) return emptyCell('the functions are all equal', residual.length);
  const { value, ci, n } = estimate;
  return { value: 1 - value, ci95: ci && [1 - ci[1], 1 - ci[0]], n };
}

/** A grid by its points in those of training. */
function gridName(points: number, trained: number): string {
  const names: [ratio: number, name: string][] = [
    [1, 'trained'],
    [0.5, 'half'],
    [2, 'double'],
  ];
  return names.find(([ratio]) => points === ratio * trained)?.[1] ?? `${points} points`;
}

async function rowsOf({
  method,
  dataset,
  site,
  testItems,
  signal,
  progress,
}: TaskContext<object>): Promise<ResultRow[]> {
  const { grids } = dataset.activations!;
  const trained = site.input!.at(-1)!;
  const others = grids!.points.filter((points) => points !== trained);
  const rows: ResultRow[] = [];
  let atTraining = Number.NaN;
  for (const points of [trained, ...others]) {
    const x = await grids!.rows(testItems, points);
    for (const how of points === trained ? (['direct'] as const) : (['direct', 'resampled'] as const)) {
      signal?.throwIfAborted();
      const axes = { grid: gridName(points, trained), how };
      if (how === 'direct' && points !== trained && !method.resolutionFree) {
        const reason = `'${method.id}' takes rows of ${trained} points only`;
        // No rank: its method is ranked by what interpolation leaves of it.
        rows.push({ axes, metrics: {}, unavailable: allUnavailable(METRICS, reason), control: true });
        continue;
      }
      const measured = await measure(method.id, x, testItems.length, reconstructor(method, how, points, trained));
      const r2 = r2Of(measured);
      if (points === trained) atTraining = r2.value ?? Number.NaN;
      const drop = atTraining - (r2.value ?? Number.NaN);
      rows.push({
        axes,
        metrics: {
          r2,
          r2_drop: Number.isFinite(drop)
            ? { value: drop, ci95: null, n: testItems.length }
            : emptyCell('R² is undefined'),
          l0: { value: measured.l0, ci95: null, n: testItems.length },
        },
      });
      progress(rows.length, 1 + 2 * others.length, `${points} points`);
    }
  }
  return rows;
}

/** The claim of Tolooshams et al. 2025: an operator does on every grid what it does on the one of its training. */
export default defineTask<object>({
  id: 'resolution',
  title: 'Resolution',
  paper: 'Tolooshams, Shen & Anandkumar 2025, arXiv:2509.03738',
  version: 1,
  options: {},
  metrics: METRICS,
  words: [],
  axes: {
    grid: 'Grid on which functions are given: that of training, half as many points, twice as many.',
    how: `How the method gets at them: ${Object.entries(HOW)
      .map(([name, meaning]) => `${name}, ${meaning}`)
      .join('; ')}.`,
  },
  shows: { columns: ['r2_drop', 'l0'], ranked: { grid: ['half'], how: ['direct', 'resampled'] } },
  seeded: false,
  unavailable: ({ dataset, site }) =>
    dataset.activations?.grids && site.input ? undefined : `the dataset ${dataset.id} has its rows on one grid only`,
  async run(context) {
    if (!context.method.encode || !context.method.decode) {
      const unavailable = allUnavailable(METRICS, `'${context.method.id}' has no codes to decode`);
      return { rows: [{ axes: {}, metrics: {}, unavailable }] };
    }
    return { rows: await rowsOf(context) };
  },
});
