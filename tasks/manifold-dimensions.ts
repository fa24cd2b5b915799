/** @file Manifold dimensions: do as many latents carry an input as its manifold has dimensions? */
import { defineTask, type MetricDefinition, type TaskContext } from '../harness/contract.ts';
import {
  activeDimensions,
  activeDimensionsVersion,
  allUnavailable,
  ENCODE_ROWS,
  meanInterval,
  measuredCell,
  notFinite,
  plainCell,
  ratioInterval,
  scanKept,
  type TokenCodes,
  throughMethod,
} from '../harness/kit/index.ts';

const METRICS: Record<string, MetricDefinition> = {
  dimension_error: {
    description:
      'Mean over manifolds of |active dimensions − true dimension|; active dimensions are a mean over the inputs of a manifold.',
    direction: 'min',
    range: [0, null],
    unit: 'dimensions',
    main: true,
    version: activeDimensionsVersion,
  },
  within_one: {
    description: 'Share of the manifolds whose mean active dimensions are within 1 of the true dimension.',
    direction: 'max',
    range: [0, 1],
    unit: 'share',
  },
  active_dimensions: {
    description:
      'Mean over inputs of the latents that carry it: those that are not 0; without zeros, the larger of two classes of ln|f|.',
    direction: 'none',
    range: [0, null],
    unit: 'latents',
    version: activeDimensionsVersion,
  },
  reconstruction_error: {
    description: 'Σ‖x − x̂‖² over Σ‖x − mean‖² on held-out inputs.',
    direction: 'min',
    range: [0, null],
    unit: 'share of the variance',
  },
  support_within: {
    description: 'Mean over pairs of inputs of one manifold of the active latents that only one of the two has.',
    direction: 'min',
    range: [0, null],
    unit: 'latents',
  },
  support_between: {
    description: 'The same over pairs of inputs of two manifolds.',
    direction: 'max',
    range: [0, null],
    unit: 'latents',
  },
};

/** Inputs of each manifold that pairs are made of. */
const PAIRED = 50;

/** What encoding and decoding the held-out inputs gives. */
interface Measured {
  /** Active latents of each input. */
  supports: number[][];
  /** ‖x − x̂‖² and ‖x − mean‖² of each input. */
  residual: Float64Array;
  variance: Float64Array;
}

/** @throws UserError when a reconstruction is not finite. */
async function measure({ method, test, signal, progress }: TaskContext<object>): Promise<Measured> {
  const d = test.d_in;
  const mean = new Float64Array(d);
  for await (const { x } of scanKept(test, ENCODE_ROWS)) {
    for (let at = 0; at < x.length; at++) mean[at % d]! += x[at]! / test.n;
  }
  const supports: number[][] = [];
  const [residual, variance] = [new Float64Array(test.n), new Float64Array(test.n)];
  for await (const { x, rows } of scanKept(test, ENCODE_ROWS)) {
    signal?.throwIfAborted();
    await throughMethod(method, x, [rows, d], (codes, xHat) => {
      for (let row = 0; row < rows; row++) {
        for (let at = row * d; at < (row + 1) * d; at++) {
          residual[supports.length]! += (x[at]! - xHat![at]!) ** 2;
          variance[supports.length]! += (x[at]! - mean[at % d]!) ** 2;
        }
        supports.push(supportOf(codes, row));
      }
    });
    progress(supports.length, test.n, 'codes');
  }
  const bad = residual.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw notFinite(method.id, bad);
  return { supports, residual, variance };
}

/** Latents that carry a row. */
function supportOf(codes: TokenCodes, row: number): number[] {
  if (!('dense' in codes)) return [...codes.indices.subarray(codes.indptr[row]!, codes.indptr[row + 1]!)];
  return activeDimensions(codes.dense.subarray(row * codes.d_sae, (row + 1) * codes.d_sae));
}

/** Latents that only one of the two supports has. */
function distance(a: readonly number[], b: readonly number[]): number {
  const first = new Set(a);
  const shared = b.filter((latent) => first.has(latent)).length;
  return a.length + b.length - 2 * shared;
}

/** Mean distances of pairs of one manifold, and of two. */
function supportDistances(groups: readonly (readonly number[][])[]): {
  within: number;
  between: number;
  pairs: number;
} {
  const some = groups.map((group) => group.slice(0, PAIRED));
  const [within, between]: [number[], number[]] = [[], []];
  some.forEach((group, m) => {
    group.forEach((support, i) => {
      for (const other of group.slice(i + 1)) within.push(distance(support, other));
      for (const later of some.slice(m + 1)) for (const other of later) between.push(distance(support, other));
    });
  });
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { within: mean(within), between: mean(between), pairs: within.length };
}

/** The metric of Lu et al. 2025 on their kind of data: inputs on a union of manifolds. */
export default defineTask<object>({
  id: 'manifold-dimensions',
  title: 'Manifold dimensions',
  paper: 'Lu et al. 2025 (VAEase), arXiv:2506.04859',
  version: 1,
  options: {},
  metrics: METRICS,
  words: [],
  axes: {},
  shows: {
    columns: ['within_one', 'active_dimensions', 'reconstruction_error', 'support_within', 'support_between'],
    scatter: {
      x: 'reconstruction_error',
      y: 'dimension_error',
      title: 'Error of the dimensions against error of the reconstruction',
      caption: 'Down and to the left is better.',
    },
  },
  seeded: false,
  unavailable: ({ dataset }) =>
    dataset.manifolds ? undefined : `the dataset ${dataset.id} knows no manifolds that its items lie on`,
  async run(context) {
    const { method, dataset, testItems } = context;
    if (!method.encode || !method.decode) {
      const unavailable = allUnavailable(METRICS, `'${method.id}' has no codes to decode`);
      return { rows: [{ axes: {}, metrics: {}, unavailable }] };
    }
    const { list, of } = dataset.manifolds!;
    const { supports, residual, variance } = await measure(context);
    const groups: number[][][] = list.map(() => []);
    for (const [i, support] of supports.entries()) groups[of(testItems[i]!)]!.push(support);
    const met = list
      .map(({ name, dimension }, m) => ({ name, dimension, sizes: groups[m]!.map((support) => support.length) }))
      .filter(({ sizes }) => sizes.length > 0)
      .map(({ sizes, ...manifold }) => {
        const found = sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
        return {
          ...manifold,
          active_dimensions: found,
          error: Math.abs(found - manifold.dimension),
          inputs: sizes.length,
        };
      });
    const errors = met.map(({ error }) => error);
    const within = errors.filter((error) => error <= 1).length / errors.length;
    const { within: same, between, pairs } = supportDistances(groups);
    const sizes = supports.map((support) => support.length);
    return {
      rows: [
        {
          axes: {},
          metrics: {
            dimension_error: measuredCell(meanInterval(errors, [0, null]), 'no manifold has an input'),
            within_one: plainCell(within, errors.length),
            active_dimensions: measuredCell(meanInterval(sizes, [0, null]), 'no inputs'),
            reconstruction_error: measuredCell(
              ratioInterval(residual, variance, [0, null]),
              'the inputs are all equal',
            ),
            support_within: plainCell(same, pairs, 'no two inputs of one manifold'),
            support_between: plainCell(between, pairs, 'no inputs of two manifolds'),
          },
          samples: { unit: 'manifold', ids: met.map(({ name }) => name), values: errors },
        },
      ],
      details: { manifolds: met },
    };
  },
});
