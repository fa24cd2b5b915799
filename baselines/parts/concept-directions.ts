/** @file Methods that are one direction a concept: how their state is stored, and the detectors made from it. */
import {
  type Concept,
  type FittedMethod,
  type FittedState,
  type Tensor1D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { scaleToUnit } from './unit-vectors.ts';

/** One direction for each concept of a set, in the set's order. */
export interface ConceptDirections {
  concepts: readonly Concept[];
  /** One vector [d_in] a concept, of any positive length. */
  vectors: readonly Float64Array[];
}

/**
 * State of such a method: `directions` [concepts, d_in], unit rows, and the concepts' ids.
 *
 * @throws UserError when a direction is zero or not finite, naming the concept.
 */
export function storeDirections(method: string, { concepts, vectors }: ConceptDirections, d_in: number): FittedState {
  const data = new Float32Array(concepts.length * d_in);
  vectors.forEach((vector, c) => {
    const length = scaleToUnit(vector);
    if (!(length > 0 && length < Infinity)) {
      throw new UserError(
        `${method}: concept '${concepts[c]!.id}': expected a direction of positive finite length, found length ` +
          `${length}; check that its positives and negatives differ and that the activations are finite`,
      );
    }
    data.set(vector, c * d_in);
  });
  return {
    tensors: { directions: { shape: [concepts.length, d_in], data } },
    json: { concepts: concepts.map(({ id }) => id) },
  };
}

/**
 * The method back from its state: the score of a row is its dot product with the concept's direction.
 *
 * @param relu Products below 0 are 0.
 */
export function restoreDirections(state: FittedState, d_in: number, { relu = false } = {}): FittedMethod {
  const { data } = state.tensors['directions']!;
  const { concepts } = state.json as { concepts: string[] };
  const indexOf = new Map(concepts.map((id, index) => [id, index]));
  return {
    d_in,
    sparse: false,
    detector(concept) {
      const index = indexOf.get(concept.id);
      if (index === undefined) return undefined;
      const direction = data.slice(index * d_in, (index + 1) * d_in);
      return {
        score: (x) =>
          tf.tidy(() => {
            const products = tf.squeeze<Tensor1D>(tf.matMul(x, tf.tensor2d(direction, [d_in, 1])), [1]);
            return relu ? tf.relu(products) : products;
          }),
        direction,
      };
    },
    dispose: () => {},
  };
}
