/** @file The step that scores a fitted method on a task, and the result that comes of it. */
import { join } from 'node:path';
import type { ChatModel } from '../contract/chat.ts';
import type { ItemEmbedder, Modality } from '../contract/data.ts';
import type { JudgeDefinition, OpenJudge, Replies, TaskJudge } from '../contract/judge.ts';
import type { LabelledActivations } from '../contract/methods.ts';
import type {
  PrepareContext,
  Prepared,
  TargetSite,
  TaskContext,
  TaskDefinition,
  TaskOutcome,
} from '../contract/task.ts';
import type { ActivationSet } from '../contract.ts';
import { ContractError } from '../errors.ts';
import { atomicWriteJson } from '../io/atomic.ts';
import { readJson } from '../io/json.ts';
import { refuseNonFinite } from '../io/non-finite.ts';
import { createRng } from '../num/rng.ts';
import type { Evaluation, Fit, Plan, SitePlan } from '../plan.ts';
import type { RunProvenance } from '../provenance.ts';
import { checkedRows, definitionsOf } from '../results/rows.ts';
import { RESULT_SCHEMA } from '../results.ts';
import type { Result, ResultRowRecord, ResultTraining } from '../schema/result.generated.ts';
import { readArrays, writeArrays } from '../store/arrays.ts';
import type { StoredStep } from '../store.ts';
import type { PlannedSubject, ResolvedJudge } from '../suite/resolved.ts';
import { createOnce } from './once.ts';
import type { Session } from './session.ts';
import type { StepWork } from './steps.ts';

/** Activations of a site, as tasks read them. */
export interface SiteActivations {
  train: ActivationSet;
  test: ActivationSet;
  labelled?: LabelledActivations;
  /** Where the method reconstructs another site. */
  target?: TargetSite;
}

/** What an evaluation leaves in the store beside its outcome: all that a result says about where it comes from. */
export interface EvaluationMeta {
  run: RunProvenance;
  site: Result['site'];
  modality: Modality;
  subject: { fingerprint: string; family: string; parameters: number | null };
  data: {
    policy: string;
    positions?: NonNullable<Result['dataset']['positions']>;
    notes?: string[];
    trainRows: number;
    testRows: number;
    concepts?: number;
  };
  d_sae?: number;
  training?: ResultTraining;
  marks?: Result['marks'];
  /** What of the outcome another run may add. */
  incomplete?: string;
  /** Wall time by step. */
  seconds: Record<string, number>;
}

interface StoredOutcome extends Omit<TaskOutcome, 'rows'> {
  rows: ResultRowRecord[];
  unavailable?: string;
}

const OUTCOME = 'outcome.json';

/** What a task reads with. */
export interface TaskReaders {
  /** The one that ranks first. */
  judges?: TaskJudge[];
  embedder?: ItemEmbedder | undefined;
  collect?: PrepareContext<unknown>['collect'] | undefined;
}

/** The part of a task's context that does not depend on the method. */
export async function prepareContext(
  session: Session,
  sitePlan: SitePlan,
  activations: SiteActivations,
  options: Record<string, unknown>,
  taskSeed: number,
  { progress, signal }: StepWork,
  { judges = [], embedder, collect }: TaskReaders = {},
): Promise<PrepareContext<Record<string, unknown>>> {
  const [judge, ...otherJudges] = judges;
  return {
    options,
    ...(session.subject ? { subject: session.subject } : {}),
    site: session.site(sitePlan.site),
    dataset: session.dataset,
    ...activations,
    testItems: await session.testItems(),
    ...(judge ? { judge } : {}),
    ...(otherJudges.length > 0 ? { otherJudges } : {}),
    ...(embedder ? { embedder } : {}),
    ...(collect ? { collect } : {}),
    rng: createRng(taskSeed).fork('task'),
    seed: taskSeed,
    signal,
    progress: progress.update,
  };
}

/** The judge on a session's dataset and subject; it is disposed of with the session, and so is the encoder that it may read by. */
export function taskJudge(
  definition: JudgeDefinition,
  { id, version, options }: ResolvedJudge,
  session: Pick<Session, 'dataset' | 'subject' | 'own'>,
  replies: Replies,
  chat?: ChatModel,
  embedderOf: () => Promise<ItemEmbedder | undefined> = async () => undefined,
): TaskJudge {
  const { dataset, subject } = session;
  const once = createOnce();
  const opened = (): Promise<OpenJudge> =>
    once('judge', async () => {
      const embedder = definition.embeds ? await embedderOf() : undefined;
      const judge = await definition.open({
        ...{ options, dataset, replies },
        ...(subject ? { subject } : {}),
        ...(chat && definition.asks ? { chat } : {}),
        ...(embedder ? { embedder } : {}),
      });
      session.own(judge);
      return judge;
    });
  const unavailable = definition.unavailable?.({ dataset });
  return {
    id,
    version,
    ...(unavailable === undefined ? {} : { unavailable }),
    description: async () => (await opened()).description,
    rate: async (rows, signal) => (await opened()).rate(rows, signal),
  };
}

/** Runs a task's shared preparation into `folder`. */
export async function prepareTask(
  task: TaskDefinition,
  context: PrepareContext<Record<string, unknown>>,
  folder: string,
): Promise<void> {
  const unavailable = task.unavailable?.(context);
  const prepared: Prepared = unavailable === undefined ? await task.prepare!(context) : { json: {}, arrays: {} };
  refuseNonFinite(prepared.json, `task ${task.id}: prepared`);
  await writeArrays(folder, prepared);
}

/** Reads what {@link prepareTask} left. */
export async function readPrepared(folder: string): Promise<Prepared> {
  const { arrays, json } = await readArrays(folder);
  return { arrays, json: json ?? {} };
}

/** Runs a task on a method into `folder`. @returns What of the outcome another run may add. */
export async function evaluateTask(
  task: TaskDefinition,
  context: TaskContext<Record<string, unknown>>,
  folder: string,
): Promise<Pick<TaskOutcome, 'incomplete'>> {
  const where = `task ${task.id} on ${context.method.id}`;
  const unavailable = task.unavailable?.(context);
  let outcome: StoredOutcome;
  if (unavailable === undefined) {
    const given = await task.run(context);
    outcome = { ...given, rows: checkedRows(given, task.metrics, where) };
    if (outcome.rows.length === 0) throw new ContractError(`${where}: the task returned no row`);
  } else {
    outcome = { rows: [], unavailable };
  }
  refuseNonFinite(outcome, where);
  await atomicWriteJson(join(folder, OUTCOME), outcome, { durable: false });
  const { incomplete } = outcome;
  return incomplete === undefined ? {} : { incomplete };
}

/** What a result holds that its task gave: rows, or why there are none. */
type Outcome = StoredOutcome & { failed?: string };

/** The result of an evaluation that lies in the store. */
export async function resultOf(
  plan: Plan,
  sitePlan: SitePlan,
  fit: Fit,
  evaluation: Evaluation,
  stored: StoredStep,
  task: Pick<TaskDefinition, 'axes' | 'metrics' | 'shows' | 'words'>,
): Promise<Result> {
  const outcome = (await readJson(join(stored.folder, OUTCOME), 'store')) as StoredOutcome;
  const mayQuote = sitePlan.subject.dataset.privateItems === true && task.words === undefined;
  const told = mayQuote ? withoutRemarks(outcome) : outcome;
  return resultWith(plan, sitePlan, fit, evaluation, told, stored.meta as unknown as EvaluationMeta, task);
}

/** What a task remarks in sentences of its own making may quote items, where it says nothing of words. */
const withoutRemarks = ({ marks: _marks, judging: _judging, ...outcome }: StoredOutcome): StoredOutcome => outcome;

/** What a subject is, where it is not a model as anyone would train it. */
function controlOf({ randomInit, planted }: PlannedSubject): Pick<Result['subject'], 'control'> {
  if (randomInit !== undefined) return { control: 'random-weights' };
  return planted === undefined ? {} : { control: 'planted' };
}

/** The result of an evaluation that gave `outcome`, or of one that failed. */
export function resultWith(
  plan: Plan,
  sitePlan: SitePlan,
  fit: Fit,
  evaluation: Evaluation,
  { rows, details, latents, curves, unavailable, failed, incomplete, judging, marks: ofTask = [] }: Outcome,
  meta: EvaluationMeta,
  { axes, metrics, shows }: Pick<TaskDefinition, 'axes' | 'metrics' | 'shows'>,
): Result {
  const { id, kind, name, title, paper, version, options, optionsPassed, sparsity } = fit.method;
  const { task } = evaluation;
  const control = fit.method.control || fit.method.nullRow === true;
  const { dataset } = sitePlan.subject;
  const marks = [...(meta.marks ?? []), ...ofTask];
  const keys = Object.entries({
    ...sitePlan.activations,
    fit: fit.key,
    prepare: evaluation.prepare,
    evaluate: evaluation.key,
  });
  return {
    schema: RESULT_SCHEMA,
    key: evaluation.key,
    suite: plan.suite,
    subject: {
      ...{ id: sitePlan.subject.id, modality: meta.modality, ...meta.subject },
      ...(sitePlan.subject.remarks ? { remarks: sitePlan.subject.remarks } : {}),
      ...controlOf(sitePlan.subject),
    },
    site: meta.site,
    dataset: {
      ...{ id: dataset.id, fingerprint: dataset.fingerprint, options: dataset.options },
      ...(dataset.privateItems ? { privateItems: true } : {}),
      ...meta.data,
    },
    method: {
      ...{ id, kind, name, title, version, control, options, optionsPassed, identity: fit.identity },
      ...(paper === undefined ? {} : { paper }),
      ...(meta.d_sae === undefined ? {} : { d_sae: meta.d_sae }),
      ...(sparsity === undefined ? {} : { sparsity }),
    },
    task: {
      id: task.id,
      title: task.title,
      version: task.version,
      options: task.options,
      axes,
      metrics: definitionsOf(metrics),
      ...(shows ? { shows } : {}),
      ...(task.judge ? { judge: task.judge } : {}),
      ...(task.otherJudges ? { otherJudges: task.otherJudges } : {}),
      ...(task.embedder ? { embedder: task.embedder } : {}),
    },
    seed: evaluation.seed,
    settings: evaluation.settings,
    limited: plan.limited,
    ...(evaluation.plantedControl === undefined ? {} : { plantedControl: evaluation.plantedControl }),
    ...(unavailable === undefined ? {} : { unavailable }),
    ...(failed === undefined ? {} : { failed }),
    ...(incomplete === undefined ? {} : { incomplete }),
    rows,
    ...(judging ? { judging } : {}),
    ...(details ? { details } : {}),
    ...(latents ? { latents } : {}),
    ...(curves ? { curves } : {}),
    ...(marks.length > 0 ? { marks } : {}),
    ...(meta.training ? { training: meta.training } : {}),
    provenance: {
      ...meta.run,
      steps: Object.fromEntries(keys.filter((entry): entry is [string, string] => entry[1] !== undefined)),
      seconds: meta.seconds,
    },
  };
}
