/** @file Linear artificial tomography: the first principal component of differences of paired tokens. */
import { defineBaseline, type Rng, UserError } from '../harness/contract.ts';
import { auroc, covariance, leadingEigenvector } from '../harness/kit/index.ts';
import { restoreDirections, storeDirections } from './parts/concept-directions.ts';
import { bestToken } from './parts/probe-fits.ts';
import { readTokenRows, type TokenRows } from './parts/token-rows.ts';
import { requireLabels, trainExamples } from './parts/train-examples.ts';
import { scaleToUnit } from './parts/unit-vectors.ts';

interface Options {
  sign: 'training' | 'component';
}

/**
 * AxBench's LAT: the kept tokens of a concept's positive training items are shuffled and cut in halves a and b (an odd one
 * is left out); w is the first principal component, centred, of the differences (a − b)/‖a − b‖, of which equal tokens give
 * 0. A component has no sign of its own: AxBench takes it as it comes (`component`: its largest entry is positive), so that
 * an AUROC far below .5 says as much as one above; `training` turns it so that the pooled scores of training items
 * have an AUROC of at least .5, as in Zou et al., who choose signs by labels.
 */
export default defineBaseline<Options>({
  id: 'lat',
  title: 'Linear artificial tomography (LAT)',
  paper: 'Zou et al. 2023, arXiv:2310.01405; Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: {
    sign: {
      enum: ['training', 'component'],
      default: 'training',
      description: "Of the direction: by the training items' AUROC, or as the component comes (AxBench).",
    },
  },
  needs: 'labels',
  seeded: true,
  async fit({ labelled: given, activations, options, rng, signal, progress }) {
    const labelled = requireLabels('lat', given);
    const { concepts } = labelled.set;
    const { d_in } = activations;
    const vectors: Float64Array[] = [];
    for (const [c, concept] of concepts.entries()) {
      signal?.throwIfAborted();
      const { items, labels } = trainExamples('lat', labelled, c);
      const tokens = await readTokenRows(labelled.activations, items);
      const vector = firstComponent(tokens, positiveRows(tokens, labels), d_in, rng.fork(concept.id), concept.id);
      const turned = options.sign === 'training' && trainingAuroc(tokens, labels, vector) < 0.5;
      vectors.push(turned ? vector.map((value) => -value) : vector);
      progress(c + 1, concepts.length);
    }
    return storeDirections('lat', { concepts, vectors }, d_in);
  },
  restore: (state, { d_in }) => restoreDirections(state, d_in),
});

function positiveRows({ bounds }: TokenRows, labels: Uint8Array): number[] {
  return [...labels.keys()].flatMap((item) =>
    labels[item] === 1 ? Array.from({ length: bounds[item + 1]! - bounds[item]! }, (_, i) => bounds[item]! + i) : [],
  );
}

function trainingAuroc(tokens: TokenRows, labels: Uint8Array, vector: Float64Array): number {
  const scores = Float64Array.from(labels, (_, item) => bestToken(tokens, item, vector).score);
  return auroc(scores, labels)!;
}

function firstComponent({ x }: TokenRows, rows: readonly number[], d: number, rng: Rng, concept: string): Float64Array {
  const pairs = Math.floor(rows.length / 2);
  if (pairs < 2) {
    throw new UserError(
      `lat: concept '${concept}': expected at least 4 kept tokens of positive training items, to make 2 pairs; found ` +
        `${rows.length}`,
    );
  }
  const order = rng.shuffle([...rows]);
  const differences = new Float32Array(pairs * d);
  for (let pair = 0; pair < pairs; pair++) {
    const [a, b] = [order[pair]! * d, order[pairs + pair]! * d];
    const difference = differences.subarray(pair * d, (pair + 1) * d);
    for (let i = 0; i < d; i++) difference[i] = x[a + i]! - x[b + i]!;
    scaleToUnit(difference);
  }
  const { covariance: matrix } = covariance(differences, d);
  if (!matrix.every(Number.isFinite)) {
    throw new UserError(`lat: concept '${concept}': expected finite activations, found NaN or Infinity`);
  }
  const { value, vector } = leadingEigenvector(matrix, d);
  if (value > 0) return vector;
  throw new UserError(
    `lat: concept '${concept}': expected pairs of positive tokens with different differences; ${rows.length} kept tokens give ` +
      'pairs of one difference',
  );
}
