/** @file One vector a concept, trained through the subject: what SSV, ReFT-r1 and RePS have in common. */
import { type FitContext, type FittedState, type Rng, type Tensor2D, tf } from '../../../harness/contract.ts';
import { storeDirections } from '../concept-directions.ts';
import { randomUnitVectors, scaleToUnit } from '../unit-vectors.ts';
import { leftOutMark, requireSource, type Source, type TrainingText, trainingTexts } from './texts.ts';
import { type Objective, stepsOf, type TrainingSettings, trainThroughSubject } from './train.ts';

/** What a method trains a concept's vector on. */
export interface VectorTask<E> {
  examples: readonly E[];
  objective(w: Tensor2D): Objective<E>;
}

/** First vector: all coordinates alike (AxBench: 0.01, which is scaled where the length stays 1), or a random direction of length 1. */
export type VectorStart = 'constant' | 'random';

/** AxBench's first value of every coordinate. */
const CONSTANT = 0.01;

export interface VectorMethod<E> {
  id: string;
  settings: TrainingSettings;
  maxLength: number;
  /** Whether w stays at length 1. */
  unitNorm: boolean;
  start: VectorStart;
  task(texts: readonly TrainingText[], source: Source, rng: Rng): Promise<VectorTask<E>>;
}

/**
 * Fits a vector for each concept. Beside directions the state has the mean loss of the first and the last epoch, by concept.
 *
 * @throws UserError as `requireSource` and `trainingTexts` do, and `trainThroughSubject`.
 */
export async function trainVectors<E>(
  method: VectorMethod<E>,
  context: Pick<FitContext<unknown>, 'subject' | 'site' | 'labelled' | 'rng' | 'signal' | 'progress' | 'activations'>,
): Promise<FittedState> {
  const { id, settings } = method;
  const source = requireSource(id, context);
  const { concepts } = source.labelled.set;
  const d = context.activations.d_in;
  const vectors: Float64Array[] = [];
  const losses: { first: number; last: number }[] = [];
  let used = 0;
  for (const [c, concept] of concepts.entries()) {
    context.signal?.throwIfAborted();
    const rng = context.rng.fork(concept.id);
    const texts = trainingTexts(id, source, c, method.maxLength);
    used += texts.length;
    const { examples, objective } = await method.task(texts, source, rng.fork('examples'));
    const w = tf.tidy(() => tf.variable(tf.tensor2d(startOf(method, d, rng), [1, d])));
    try {
      const curve = await trainThroughSubject(
        {
          name: `${id}: concept '${concept.id}'`,
          examples,
          params: { w },
          ...(method.unitNorm ? { unitRows: ['w'] } : {}),
          settings,
          rng: rng.fork('order'),
          signal: context.signal,
          onStep: (step, steps, loss) =>
            context.progress(c + step / steps, concepts.length, `${concept.id} loss ${loss.toPrecision(3)}`),
        },
        objective(w),
      );
      vectors.push(Float64Array.from((await w.data()) as Float32Array));
      losses.push(ends(curve, stepsOf(examples.length, { ...settings, epochs: 1 })));
    } finally {
      w.dispose();
    }
  }
  const state = storeDirections(id, { concepts, vectors }, d);
  const marks = leftOutMark(source, used, method.maxLength);
  return { ...state, json: { ...(state.json as object), losses }, ...(marks.length > 0 ? { marks } : {}) };
}

function startOf(
  { start, unitNorm }: Pick<VectorMethod<unknown>, 'start' | 'unitNorm'>,
  d: number,
  rng: Rng,
): Float32Array {
  if (start === 'random') return randomUnitVectors(rng.fork('start'), 1, d);
  const vector = new Float32Array(d).fill(CONSTANT);
  if (unitNorm) scaleToUnit(vector);
  return vector;
}

/** Mean loss of the first and of the last epoch. */
function ends(curve: readonly number[], epoch: number): { first: number; last: number } {
  const mean = (part: readonly number[]) => part.reduce((sum, value) => sum + value / part.length, 0);
  return { first: mean(curve.slice(0, epoch)), last: mean(curve.slice(-epoch)) };
}
