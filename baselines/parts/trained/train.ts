/** @file Training of a few parameters through the subject: AdamW with a rate that falls to 0, batches in pieces of bounded size. */
import { setImmediate } from 'node:timers/promises';
import { type Rng, type Scalar, tf, UserError, type Variable } from '../../../harness/contract.ts';
import { createAdam } from '../../../harness/kit/index.ts';

/** What is common to all of AxBench's trained methods. */
export interface TrainingSettings {
  epochs: number;
  /** Examples of a step; the last of an epoch may be smaller. */
  batchTexts: number;
  /** Of the first step; it falls linearly to 0 at the end. */
  learningRate: number;
  /** Joint norm to which gradients are clipped; none when left out. */
  clipNorm?: number;
}

/** One step: the examples of its batch, and how far training is. */
export interface Step<E> {
  batch: readonly E[];
  /** Counts from 0 to `steps` − 1. */
  step: number;
  steps: number;
}

/** What is minimised. */
export interface Objective<E> {
  /** The batch in pieces that pass through the subject one at a time. */
  pieces(batch: readonly E[]): E[][];
  /** Reads what a piece needs and gives its share of the loss of the batch: the shares of all pieces add up to it. */
  share(piece: readonly E[], step: Step<E>): Promise<() => Scalar>;
}

export interface TrainingRun<E> {
  /** Names what is trained in errors: `ssv: concept 'x'`. */
  name: string;
  examples: readonly E[];
  params: Record<string, Variable>;
  /** Names of parameters whose rows stay at length 1. */
  unitRows?: string[];
  settings: TrainingSettings;
  rng: Rng;
  signal?: AbortSignal | undefined;
  onStep(step: number, steps: number, loss: number): void;
}

/** Number of steps of a run. */
export const stepsOf = (
  examples: number,
  { epochs, batchTexts }: Pick<TrainingSettings, 'epochs' | 'batchTexts'>,
): number => epochs * Math.ceil(examples / batchTexts);

/** Less than this of the way from the start: nothing was learned. */
const UNMOVED = 1e-6;

/**
 * Changes the parameters in place. The order of examples is drawn anew for each epoch.
 *
 * @returns The loss of each step, before it.
 * @throws UserError where a loss is not finite, and where it has no gradient for any parameter.
 */
export async function trainThroughSubject<E>(run: TrainingRun<E>, { pieces, share }: Objective<E>): Promise<number[]> {
  const { name, examples, params, unitRows = [], settings, rng, signal, onStep } = run;
  const { epochs, batchTexts, learningRate, clipNorm } = settings;
  const adam = createAdam(params, { unitRows, ...(clipNorm === undefined ? {} : { clipNorm }) });
  const steps = stepsOf(examples.length, settings);
  const losses: number[] = [];
  try {
    const start = await valuesOf(params);
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = rng.shuffle([...examples]);
      for (let from = 0; from < order.length; from += batchTexts) {
        const step: Step<E> = { batch: order.slice(from, from + batchTexts), step: losses.length, steps };
        const loss = await oneStep(step);
        if (!Number.isFinite(loss)) {
          throw new UserError(
            `${name}: the loss of step ${step.step + 1} of ${steps} is ${loss}; lower learningRate (${learningRate})`,
          );
        }
        losses.push(loss);
        onStep(losses.length, steps, loss);
        // Lets timers, signals and progress through: the arithmetic itself never yields.
        await setImmediate();
      }
    }
    const end = await valuesOf(params);
    if (end.every((values, p) => values.every((value, i) => isUnmoved(start[p]![i]!, value)))) {
      throw new UserError(
        `${name}: the loss has no gradient: expected training to move what is trained; check that activations are not 0 ` +
          'and that the texts have positions which are changed, or train at another site',
      );
    }
  } finally {
    adam.dispose();
  }
  return losses;

  async function oneStep(step: Step<E>): Promise<number> {
    let loss = 0;
    let total: Record<string, ReturnType<typeof tf.keep>> = {};
    try {
      for (const piece of pieces(step.batch)) {
        signal?.throwIfAborted();
        const compute = await share(piece, step);
        const { value, grads } = gradientsOf(params, compute);
        loss += value;
        total = added(total, grads);
      }
      adam.step(total, learningRate * (1 - step.step / steps));
    } finally {
      tf.dispose(total);
    }
    return loss;
  }
}

const valuesOf = (params: Record<string, Variable>): Promise<Float32Array[]> =>
  Promise.all(Object.values(params).map(async (param) => ((await param.data()) as Float32Array).slice()));

const isUnmoved = (start: number, end: number) => Math.abs(end - start) <= UNMOVED * Math.abs(start);

type Named = Record<string, ReturnType<typeof tf.keep>>;

/** The value of a loss with its gradient for each parameter. */
function gradientsOf(params: Record<string, Variable>, compute: () => Scalar): { value: number; grads: Named } {
  const names = Object.keys(params);
  const { value, grads } = tf.variableGrads(compute, Object.values(params));
  const found = value.dataSync()[0]!;
  value.dispose();
  return { value: found, grads: Object.fromEntries(names.map((name) => [name, grads[params[name]!.name]!])) };
}

/** Sums by name, which take the place of both. */
function added(total: Named, grads: Named): Named {
  return Object.fromEntries(
    Object.entries(grads).map(([name, grad]) => {
      const before = total[name];
      if (!before) return [name, grad];
      const sum = tf.add(before, grad);
      tf.dispose([before, grad]);
      return [name, sum];
    }),
  );
}
