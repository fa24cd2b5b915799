/** @file Changes of the subject other than a vector, trained on a concept's positives: what LoReFT, LoRA and SFT have in common. */
import {
  type FitContext,
  type FittedMethod,
  type FittedState,
  type NamedTensors,
  type Rng,
  type SubjectChange,
  tf,
  UserError,
} from '../../../harness/contract.ts';
import { groupTexts } from '../../../harness/kit/index.ts';
import { changedLoss, responseBatch, responseLength, tokensAtOnce } from './batches.ts';
import { leftOutMark, requireSource, type Source, trainingTexts } from './texts.ts';
import { type TrainingSettings, trainThroughSubject } from './train.ts';

/** Named numbers with their shapes. */
export type Values = Record<string, { shape: number[]; data: Float32Array }>;

export interface ChangeMethod {
  id: string;
  settings: TrainingSettings;
  maxLength: number;
  /** First values of a concept's parameters. @throws UserError where the subject cannot be changed so */
  start(source: Source, rng: Rng): Values;
  /** What parameters make of the subject, each row of a batch as strongly as its strength says; within `tf.tidy`. */
  change: Change;
}

export type Change = (params: NamedTensors, strengths: readonly number[]) => SubjectChange;

/** Numbers of all concepts together that are kept: 512 MiB. */
const MOST_NUMBERS = 2 ** 27;

/** Parameters [concepts, …] by name, and the concepts' ids. @throws UserError as `start` and `trainThroughSubject` do, or where they are too many. */
export async function trainChanges(
  { id, settings, maxLength, start, change }: ChangeMethod,
  context: Pick<FitContext<unknown>, 'subject' | 'site' | 'labelled' | 'rng' | 'signal' | 'progress'>,
): Promise<FittedState> {
  const source = requireSource(id, context);
  const { concepts } = source.labelled.set;
  const first = start(source, context.rng.fork('start'));
  const size = Object.values(first).reduce((sum, { data }) => sum + data.length, 0);
  if (size * concepts.length > MOST_NUMBERS) {
    throw new UserError(
      `${id}: expected at most ${MOST_NUMBERS} trained numbers in all; found ${size} for each of ${concepts.length} ` +
        `concepts of ${source.lm.id}: take fewer concepts, a smaller subject, or a method of low rank`,
    );
  }
  const tensors: Values = Object.fromEntries(
    Object.entries(first).map(([name, { shape, data }]) => [
      name,
      { shape: [concepts.length, ...shape], data: new Float32Array(concepts.length * data.length) },
    ]),
  );
  let used = 0;
  for (const [c, concept] of concepts.entries()) {
    context.signal?.throwIfAborted();
    const texts = trainingTexts(id, source, c, maxLength).filter(({ positive }) => positive);
    used += texts.length;
    const params = Object.fromEntries(
      Object.entries(first).map(([name, { shape, data }]) => [
        name,
        tf.tidy(() => tf.variable(tf.tensor(data, shape))),
      ]),
    );
    try {
      await trainThroughSubject(
        {
          name: `${id}: concept '${concept.id}'`,
          examples: texts,
          params,
          settings,
          rng: context.rng.fork(concept.id),
          signal: context.signal,
          onStep: (step, steps, loss) =>
            context.progress(c + step / steps, concepts.length, `${concept.id} loss ${loss.toPrecision(3)}`),
        },
        {
          pieces: (batch) => groupTexts(batch, tokensAtOnce(source)),
          async share(piece, { batch }) {
            const read = responseBatch(source, piece);
            const tokens = batch.reduce((sum, text) => sum + responseLength(text), 0);
            const strengths = piece.map(() => 1);
            return () => changedLoss(source, read, change(params, strengths), tokens);
          },
        },
      );
      for (const [name, variable] of Object.entries(params)) {
        const found = (await variable.data()) as Float32Array;
        tensors[name]!.data.set(found, c * found.length);
      }
    } finally {
      tf.dispose(params);
    }
  }
  const marks = leftOutMark(source, used, maxLength, { positives: true });
  return { tensors, json: { concepts: concepts.map(({ id }) => id) }, ...(marks.length > 0 ? { marks } : {}) };
}

/** The method back from its state. A concept's numbers become tensors when it is first asked for, and go with the method. */
export function restoreChanges(state: FittedState, d_in: number, change: Change): FittedMethod {
  const { concepts } = state.json as { concepts: string[] };
  const open = new Map<number, NamedTensors>();
  const paramsOf = (index: number): NamedTensors => {
    const found =
      open.get(index) ??
      Object.fromEntries(Object.entries(state.tensors).map(([name, stored]) => [name, partOf(stored, index)]));
    open.set(index, found);
    return found;
  };
  return {
    d_in,
    sparse: false,
    detector(concept) {
      const index = concepts.indexOf(concept.id);
      return index < 0 ? undefined : { intervene: (strengths) => change(paramsOf(index), strengths) };
    },
    dispose: () => {
      for (const params of open.values()) tf.dispose(params);
      open.clear();
    },
  };
}

/** Part `index` of the first axis, kept until it is disposed of. */
function partOf({ shape, data }: Values[string], index: number) {
  const [, ...rest] = shape;
  const size = rest.reduce((product, length) => product * length, 1);
  return tf.keep(tf.tensor(data.slice(index * size, (index + 1) * size), rest));
}

/** One strength a row as [n, 1, 1]. */
export const strengthColumn = (strengths: readonly number[]) =>
  tf.tensor3d(Float32Array.from(strengths), [strengths.length, 1, 1]);
