/**
 * @file The step that fits a method: trains an SAE, fits a baseline or finds the input scale of a checkpoint, keeps the
 * numbers, and restores the method.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { keptRows } from '../activations/activation-set.ts';
import { type Checkpoint, foldInputScale } from '../checkpoints/form.ts';
import { measureCheckpoint } from '../checkpoints/measure.ts';
import { checkpointMethod } from '../checkpoints/method.ts';
import { openCheckpoint } from '../checkpoints/open.ts';
import type { FitContext, FittedMethod, FittedState } from '../contract/methods.ts';
import type { TrainingOptions } from '../contract/sae.ts';
import type { Subject } from '../contract/subject.ts';
import type { ActivationSet, LabelledActivations } from '../contract.ts';
import { createRng } from '../num/rng.ts';
import { hyperparametersOf, widthOf } from '../options.ts';
import { readsSubject } from '../plan/methods.ts';
import type { Fit } from '../plan.ts';
import type { DefinitionByKind } from '../plugin-check.ts';
import type { Registry } from '../registry.ts';
import type { ResultTraining } from '../schema/result.generated.ts';
import { readArrays, writeArrays } from '../store/arrays.ts';
import { plannedLabels, requireLatents } from '../suite/latent-labels.ts';
import type { ResolvedMethod } from '../suite/resolved.ts';
import { restoreSae, sizeOf } from '../train/fitted-sae.ts';
import type { HeldOutPoint } from '../train/held-out.ts';
import { meanNormScale, sampleRows } from '../train/input.ts';
import { readOwnState } from '../train/own-layout.ts';
import { trainSae } from '../train.ts';
import type { StepWork } from './steps.ts';

/** What fitting reads. */
export interface FitInputs {
  train: ActivationSet;
  /** Present for SAEs that are trained here: what marks are decided on. */
  test?: ActivationSet;
  /** Present for SAEs that reconstruct another site: its activations of the same items. */
  target?: { train: ActivationSet; test: ActivationSet };
  /** Present for methods that read labels or text, where the dataset has concepts. */
  labelled?: LabelledActivations;
  subject?: Subject;
  chat?: FitContext<unknown>['chat'];
  site: string;
  /** Shape of the site's rows, where they have one. */
  input?: readonly number[];
}

type Method = Awaited<ReturnType<Registry['method']>>;

/**
 * Fits into `folder`; an interrupted SAE continues from the checkpoint that it left there.
 *
 * @returns What the step says about itself.
 */
export async function fitMethod(
  definition: Method,
  fit: Fit,
  inputs: FitInputs,
  env: StepWork,
  registry: Registry,
): Promise<Record<string, unknown>> {
  if (definition.kind === 'sae') return fitSae(definition, fit, inputs, env);
  if (definition.kind === 'checkpoint') return fitCheckpoint(fit.method, inputs, env, registry);
  return fitBaseline(definition, fit, inputs, env);
}

export async function fitBaseline(
  definition: DefinitionByKind['baseline'],
  fit: Fit,
  inputs: FitInputs,
  env: StepWork,
): Promise<Record<string, unknown>> {
  const { options } = fit.method;
  const state = await definition.fit({
    options,
    rng: createRng(fit.seed).fork('fit'),
    activations: inputs.train,
    ...(inputs.labelled ? { labelled: inputs.labelled } : {}),
    ...subjectOf(fit.method, inputs),
    ...(readsSubject(fit.method) && inputs.chat ? { chat: inputs.chat } : {}),
    site: inputs.site,
    signal: env.signal,
    progress: env.progress.update,
  });
  await writeArrays(env.folder, { arrays: state.tensors, json: state.json });
  return state.marks?.length ? { marks: state.marks } : {};
}

/** The subject, for methods that work through it. */
const subjectOf = (method: Pick<ResolvedMethod, 'needs'>, { subject }: Pick<FitInputs, 'subject'>) =>
  readsSubject(method) && subject ? { subject } : {};

export async function fitSae(
  definition: DefinitionByKind['sae'],
  fit: Fit,
  { train, test, target, site, input }: FitInputs,
  { folder, progress, signal }: StepWork,
): Promise<Record<string, unknown>> {
  const checkpointDir = join(folder, 'checkpoint');
  const started = performance.now();
  let tokensPerSecond = 0;
  const trained = await trainSae(definition, {
    activations: train,
    ...(test ? { heldOut: test } : {}),
    ...(target ? { target: target.train, heldOutTarget: target.test } : {}),
    ...(input ? { input: [...input] } : {}),
    d_sae: widthOf(fit.method.options, train.d_in),
    hp: hyperparametersOf(fit.method.options, fit.method.target),
    training: fit.training as Partial<TrainingOptions>,
    seed: fit.seed,
    checkpointDir,
    signal,
    onProgress({ step, steps, loss, l0, explained_variance, deadFraction, tokensPerSecond: speed }) {
      tokensPerSecond = speed;
      const numbers = `loss ${loss.toPrecision(3)} L0 ${l0.toFixed(1)} EV ${explained_variance.toFixed(3)}`;
      progress.update(step, steps, `${numbers} dead ${(100 * deadFraction).toFixed(0)}% ${Math.round(speed)} tok/s`);
    },
  });
  try {
    const state = trained.state();
    await writeArrays(folder, { arrays: state.tensors, json: state.json });
    if (definition.toSaeLens) {
      const other = fit.target && { hook_name_out: fit.target.site };
      await trained.writeSaeLens(join(folder, 'saelens'), { hook_name: site, ...other });
    }
    await rm(checkpointDir, { recursive: true, force: true });
    const parameters = Object.values(state.tensors).reduce((sum, { data }) => sum + data.length, 0);
    const rows = keptRows(train);
    const training: ResultTraining = {
      options: { ...trained.training },
      ...(definition.inference === undefined ? {} : { inference: definition.inference }),
      scale: trained.scale,
      scalars: trained.scalars,
      parameters,
      tokens: trained.tokens,
      rows,
      epochs: trained.tokens / rows,
      seconds: (performance.now() - started) / 1000,
      tokensPerSecond,
      curve: columns(trained.curve),
      ...(trained.heldOut.length > 0 ? { heldOut: columns(trained.heldOut) } : {}),
    };
    const { marks, speed } = trained;
    return { training, ...(speed ? { speed } : {}), ...(marks.length > 0 ? { marks } : {}) };
  } finally {
    trained.dispose();
  }
}

/** Points as series: `{ step: […], loss: […], …, 'part.aux': […] }`. */
function columns(points: readonly (HeldOutPoint & { parts?: Record<string, number> })[]): ResultTraining['curve'] {
  const series: Record<string, number[]> = {};
  for (const { parts = {}, ...numbers } of points) {
    const named = Object.entries(parts).map(([name, value]) => [`part.${name}`, value] as const);
    for (const [name, value] of [...Object.entries(numbers), ...named]) {
      series[name] ??= [];
      series[name].push(value);
    }
  }
  return series;
}

/** What restoring reads. */
type RestoreInputs = Pick<FitInputs, 'train' | 'labelled' | 'subject' | 'chat' | 'site'>;

/** The fitted method from what {@link fitMethod} left. The caller disposes of it. */
export async function restoreMethod(
  definition: Method,
  folder: string,
  method: Fit['method'],
  inputs: RestoreInputs,
  registry: Registry,
): Promise<FittedMethod> {
  if (definition.kind === 'checkpoint') return restoreCheckpoint(method, folder, registry);
  const state = await readState(folder);
  return definition.kind === 'sae' ? restoreSae(definition, state) : restoreBaseline(definition, state, method, inputs);
}

/** What a method's latents are said to stand for, by the file that its suite names. */
export async function labelsOf(
  { name, labels: file }: Pick<ResolvedMethod, 'name' | 'labels'>,
  d_sae: number | undefined,
): Promise<Pick<FittedMethod, 'labels'>> {
  if (!file) return {};
  const labels = await plannedLabels(file);
  requireLatents(labels, d_sae, `method ${name}`);
  return { labels };
}

/** What {@link fitMethod} left of a method other than a checkpoint. */
export async function readState(folder: string): Promise<FittedState> {
  const { arrays, json } = await readArrays(folder);
  return { tensors: arrays as FittedState['tensors'], json };
}

export function restoreBaseline(
  definition: DefinitionByKind['baseline'],
  state: FittedState,
  { options, needs }: Fit['method'],
  { train, labelled, subject, chat, site }: RestoreInputs,
): FittedMethod {
  const concepts = labelled?.set.concepts;
  const through = subjectOf({ needs }, { subject });
  const method = definition.restore(state, {
    d_in: train.d_in,
    options,
    ...(concepts ? { concepts } : {}),
    ...(through.subject ? { ...through, site, ...(chat ? { chat } : {}) } : {}),
  });
  return { ...method, cost: sizeOf(Object.values(state.tensors).map(({ data }) => ({ size: data.length }))) };
}

/** Seed of the sample that an input scale is estimated on: a checkpoint gives one result, whatever the suite's seeds. */
const SAMPLE_SEED = 0;

/** The step of a checkpoint: keeps the factor on inputs that is still to be folded; the weights stay where they are. */
export async function fitCheckpoint(
  method: ResolvedMethod,
  { train, target }: Pick<FitInputs, 'train' | 'target'>,
  { folder, say }: Pick<StepWork, 'folder' | 'say'>,
  registry: Registry,
): Promise<Record<string, unknown>> {
  const found = await openCheckpoint(method.checkpoint!, method.checkpointForm);
  const read = found.own ? undefined : await found.read();
  // As SAELens does where a run has not folded it: the constant that brings the mean norm to the square root of d_in.
  const estimated = read?.config.inputScale === 'estimate';
  const scale = estimated ? meanNormScale(await sampleRows(train, SAMPLE_SEED), train.d_in) : null;
  await writeArrays(folder, { arrays: {}, json: { scale } });
  const checkpoint = read && scaled(read, scale);
  const restored = checkpoint ? checkpointMethod(checkpoint) : await restoreCheckpoint(method, folder, registry);
  try {
    const { line, marks } = await measureCheckpoint(
      restored,
      { train, target: target?.train },
      found.facts,
      SAMPLE_SEED,
      checkpoint,
    );
    say(`${method.name}: ${line}`);
    return { check: line, ...(marks.length > 0 ? { marks } : {}) };
  } finally {
    restored.dispose();
  }
}

/** The checkpoint as a method. The caller disposes of it. */
export async function restoreCheckpoint(
  { checkpoint, checkpointForm }: ResolvedMethod,
  folder: string,
  registry: Registry,
): Promise<FittedMethod> {
  const found = await openCheckpoint(checkpoint!, checkpointForm);
  if (found.own) return restoreSae(await registry.get('sae', found.own.variant), await readOwnState(found.folder));
  const { scale } = (await readArrays(folder)).json as { scale: number | null };
  return checkpointMethod(scaled(await found.read(), scale));
}

/** @param scale What is still to be folded, if anything. */
const scaled = (read: Checkpoint, scale: number | null): Checkpoint =>
  scale === null ? read : foldInputScale(read, scale);
