/** @file The one SAE trainer: any variant, over activations streamed from files, resumable bit for bit. */
import { setImmediate } from 'node:timers/promises';
import { keptRows } from './activations/activation-set.ts';
import type { ActivationSet, SaeBatch, SaeDefinition, SaeShape, TrainingOptions, TrainState } from './contract.ts';
import { sha256Json } from './io/hash.ts';
import { createRng } from './num/rng.ts';
import { scheduleMultiplier } from './num/schedules.ts';
import { type Tensor1D, tf } from './num/tf.ts';
import { checkedSae } from './returned/sae.ts';
import { adamFor } from './train/adam.ts';
import { checkTarget, trainingBatches } from './train/batches.ts';
import { saveCheckpoint } from './train/checkpoint.ts';
import { type CurvePoint, createCurve, explainedVariance } from './train/curve.ts';
import { createDeadLatents } from './train/dead-latents.ts';
import { decayStart, type HeldOutPoint, heldOutLooks, lookSteps, seenWhole } from './train/held-out.ts';
import { trainingMarks } from './train/marks.ts';
import { checkShape, resolveTraining, withDefaults } from './train/options.ts';
import { silentAfter, stepsOf } from './train/run-length.ts';
import { startRun } from './train/start.ts';
import { trainStep } from './train/step.ts';
import { stepClock } from './train/step-clock.ts';
import { type TrainedSae, trainedSae } from './train/trained-sae.ts';

/** The last 1/10 of the curve is what L0 is taken from without held-out rows. */
const LATE = 10;

/** What a progress line shows, of one batch. All but `tokensPerSecond` is the same in every run of the same seed and backend. */
export interface TrainProgress extends CurvePoint {
  /** How many `step` will be. */
  steps: number;
  tokensPerSecond: number;
}

export interface TrainSaeOptions {
  activations: ActivationSet;
  /** What to reconstruct, for variants that declare `data.target`; the same rows as `activations`. */
  target?: ActivationSet;
  /** Rows that are not trained on: how well they are explained is followed, and decides on marks. */
  heldOut?: ActivationSet;
  /** The same rows of the target site, where `target` is given. */
  heldOutTarget?: ActivationSet;
  d_sae: number;
  /** Shape of structured inputs, e.g. [C, H, W]; its product is d_in. */
  input?: number[];
  /** The variant's hyper-parameters; defaults for those left out. */
  hp?: Record<string, unknown>;
  /** Overrides of the variant's recipe. */
  training?: Partial<TrainingOptions>;
  /** Default 0. */
  seed?: number;
  /** Where to keep a checkpoint, and to resume from when one is there. */
  checkpointDir?: string;
  /** An abort saves a checkpoint, then throws the signal's reason. */
  signal?: AbortSignal;
  onProgress?(progress: TrainProgress): void;
}

/**
 * Trains one SAE. With a `checkpointDir` the same call again continues where the last checkpoint was taken and ends
 * with the same weights, bit for bit, as a run that was never interrupted (same backend).
 *
 * @throws UserError for unknown or impossible options, activations without a kept row, a checkpoint of another run,
 * and a loss that is not finite.
 */
export async function trainSae<H>(plugin: SaeDefinition<H>, options: TrainSaeOptions): Promise<TrainedSae> {
  const { activations, seed = 0, checkpointDir, signal } = options;
  const target = checkTarget(plugin, activations, options.target);
  const shape: SaeShape = { d_in: activations.d_in, d_sae: options.d_sae, d_out: target.d_in };
  if (options.input) shape.input = options.input;
  const definition = checkedSae(plugin, shape);
  const hp = withDefaults<H>(definition.hyperparameters, options.hp ?? {}, `hyper-parameter of ${definition.id}`);
  checkShape(definition, shape, hp);
  const training = resolveTraining(definition, shape, hp, options.training ?? {});
  const { checkpointEverySteps, ...numeric } = training;
  const { id, version } = definition;
  const data = [activations.key, target.key];
  const identity = sha256Json({ id, version, shape, hp, training: numeric, seed, data });
  const clock = stepClock(training.batchSize);
  const run = await startRun(definition, { shape, hp, training, seed, identity, checkpointDir }, activations, target);
  const { params, checkpoint, scale } = run;

  const steps = stepsOf(training);
  const adam = adamFor(definition, hp, training, params);
  if (checkpoint) {
    adam.restore(checkpoint.groups['adam']!);
    tf.dispose(checkpoint.groups['adam']!);
  }
  const dead = createDeadLatents(shape.d_sae, training.deadAfterTokens, checkpoint?.sinceFired);
  const reads = definition.data?.target !== undefined;
  const followed = options.heldOut && (!reads || options.heldOutTarget);
  if (followed) checkTarget(plugin, options.heldOut!, options.heldOutTarget);
  const looks = followed ? heldOutLooks(options.heldOut!, seed, options.heldOutTarget) : undefined;
  const heldOut: HeldOutPoint[] = checkpoint?.progress.heldOut ?? [];
  const lookAt = lookSteps(training);
  const curve = createCurve(steps, checkpoint?.progress.curve);
  const rng = createRng(seed).fork('sae steps');
  const state: TrainState = {
    step: checkpoint?.progress.step ?? 0,
    steps,
    tokens: checkpoint?.progress.tokens ?? 0,
    dead: tf.tensor1d(dead.dead),
    deadCount: dead.deadCount(),
    scalars: checkpoint?.progress.scalars ?? {},
    buffers: run.buffers,
    rng,
    ...(checkpoint?.progress.last && { last: checkpoint.progress.last }),
  };
  const save = async () => {
    if (checkpointDir === undefined) return;
    const moments = adam.state();
    const { step, tokens, scalars, last } = state;
    const progress = { step, tokens, scale, scalars, curve: curve.state, heldOut, last };
    const groups = { params, buffers: state.buffers, adam: moments };
    await saveCheckpoint(checkpointDir, identity, { progress, groups, sinceFired: dead.sinceFired });
    tf.dispose(moments);
  };
  const lrSchedule = {
    warmup: training.lrWarmup >= 1 ? training.lrWarmup : Math.round(training.lrWarmup * steps),
    decay: training.lrDecay === 'none' ? ('constant' as const) : training.lrDecay,
    decayFraction: training.lrDecayFraction,
  };

  try {
    const started = performance.now();
    const firstStep = state.step;
    const source = trainingBatches(definition, activations, target, {
      size: training.batchSize,
      seed,
      from: firstStep,
      scale,
    });
    while (state.step < steps) {
      // Reading from the buffer is no macrotask: without this a signal handler would never run.
      await setImmediate();
      if (signal?.aborted) {
        await save();
        throw signal.reason;
      }
      const batch = (await source.next()).value as SaeBatch;
      state.rng = rng.fork(state.step);
      const lr = training.lr * scheduleMultiplier(lrSchedule, state.step, steps);
      const numbers = (() => {
        try {
          return clock.time(() => trainStep({ definition, hp, params, adam, batch, state, lr }));
        } finally {
          tf.dispose(Object.values(batch));
        }
      })();
      state.step++;
      state.tokens += training.batchSize;
      dead.update(numbers.fired, training.batchSize);
      if (dead.changed()) {
        state.dead.dispose();
        state.dead = tf.tensor1d(dead.dead) as Tensor1D;
      }
      state.deadCount = dead.deadCount();
      const deadFraction = state.deadCount / shape.d_sae;
      curve.add(state.step, state.tokens, numbers, deadFraction);
      const looked = { definition, hp, params, state, scale };
      const when = state.step === steps ? 'end' : lookAt.has(state.step) ? 'during' : undefined;
      if (looks && when) {
        const { silent: _, ...point } = await looks(looked, when);
        heldOut.push(point);
      }
      const { loss, parts, l0, residual, variance } = numbers;
      options.onProgress?.({
        step: state.step,
        steps,
        tokens: state.tokens,
        loss,
        parts,
        l0,
        explained_variance: explainedVariance(residual, variance),
        deadFraction,
        tokensPerSecond: ((state.step - firstStep) * training.batchSize * 1000) / (performance.now() - started),
      });
      const due = checkpointEverySteps > 0 && state.step % checkpointEverySteps === 0;
      if (due || state.step === steps) await save();
    }
    await source.return(undefined);
    const fires = definition.sparse ?? true;
    const quiet = dead.sinceFired.filter((tokens) => tokens >= silentAfter(state.tokens)).length / shape.d_sae;
    const silent = fires ? quiet : 0;
    const rows = keptRows(activations);
    const trainedOn = fires && !reads && seenWhole(rows) ? heldOutLooks(activations, seed) : undefined;
    const silentOnAll = (await trainedOn?.({ definition, hp, params, state, scale }, 'trained'))?.silent;
    const { points } = curve.state;
    const late = points.slice(-Math.ceil(points.length / LATE));
    const marks = trainingMarks({
      targetL0: definition.targetL0?.(hp) ?? null,
      l0: heldOut.at(-1)?.l0 ?? late.reduce((sum, point) => sum + point.l0, 0) / late.length,
      l0Of: looks ? 'held-out rows' : 'the last tenth of training',
      silent,
      silentTokens: silentAfter(state.tokens),
      ...(silentOnAll === undefined ? {} : { silentOnAll, rows }),
      controllers: definition.controllers?.(state.scalars, hp) ?? [],
      heldOut,
      decayStart: decayStart(training),
    });
    const numbers = { state, params, marks, heldOut, curve: points, speed: clock.speed() };
    return trainedSae({ definition, hp, shape, training, seed, scale, ...numbers });
  } finally {
    adam.dispose();
    tf.dispose([state.dead, ...Object.values(state.buffers), ...Object.values(params)]);
  }
}
