/** @file The plan: a resolved suite turned into steps with content keys. A pure function of its argument. */
import { sha256Json } from './io/hash.ts';
import { methodsWithTasks, readsLabels, type Skipped } from './plan/methods.ts';
import { arithmeticOf, digestOf, identity, sourceOf } from './plan/source.ts';
import type { ResultSettings } from './schema/result.generated.ts';
import { plantedReason, recoversPlanted } from './suite/planted.ts';
import {
  generalOf,
  isImported,
  type PlannedSubject,
  type ResolvedMethod,
  type ResolvedSuite,
  type ResolvedTask,
} from './suite/resolved.ts';

/** Raised when the harness itself changes what a step's numbers mean; part of every key. */
const KEY_FORMAT = 2;

/** Seed of everything that is declared to draw no random numbers. */
const NO_SEED = 0;

export const STEP_KINDS = ['activations', 'fit', 'prepare', 'evaluate'] as const;
export type StepKind = (typeof STEP_KINDS)[number];
export type ActivationSplit = 'train' | 'test' | 'labelled';

/** One task on one fitted method. */
export interface Evaluation {
  key: string;
  task: ResolvedTask;
  /** Key of the shared preparation, where the task has one. */
  prepare?: string;
  /** Seed of the result. */
  seed: number;
  /** Seed that the task draws from: constant for tasks that are not seeded. */
  taskSeed: number;
  /** The fit of the same method with the run's next seed, where the task compares the two. */
  otherSeed?: { key: string; seed: number };
  /** The fit of the same method trained on general text, where the task compares the two. */
  general?: Fit;
  settings: ResultSettings;
  /** Heading of the control that it is: it steers a subject that was trained for it. No part of the key. */
  plantedControl?: string;
}

/** One fitted method with the tasks that score it. */
export interface Fit {
  key: string;
  /** Hash of the method's id and all its options, those of its training among them: the same for all seeds. */
  identity: string;
  /** Its key without the seed. */
  setting: string;
  method: ResolvedMethod;
  seed: number;
  /** The suite's training options for an SAE: the subject's, then the method's own. */
  training: Record<string, unknown>;
  /** Where it reconstructs another site than the one it reads. */
  target?: PlannedTarget;
  /** Key of the activations that it is trained on, where these are of the subject's general text. */
  general?: string;
  evaluations: Evaluation[];
}

/** Another site, and the keys of its activations of the same items. */
export interface PlannedTarget {
  site: string;
  activations: { train: string; test: string };
}

export interface Prepare {
  key: string;
  task: ResolvedTask;
  taskSeed: number;
  /** The target that it is prepared for. */
  target?: PlannedTarget;
}

/** Everything at one site of one subject. */
export interface SitePlan {
  subject: PlannedSubject;
  site: string;
  /** Keys of the activation steps; `labelled` where the dataset has concepts. */
  activations: Partial<Record<ActivationSplit, string>> & { train: string; test: string };
  prepares: Prepare[];
  fits: Fit[];
}

export interface Plan {
  suite: { id: string; title: string };
  limited: boolean;
  backend: string;
  sites: SitePlan[];
  skipped: Skipped[];
}

/** One line of the flattened plan. */
export interface Step {
  kind: StepKind;
  key: string;
  label: string;
}

const key = (kind: StepKind, content: Record<string, unknown>) => sha256Json({ format: KEY_FORMAT, kind, ...content });

/** Plans a suite. The same argument always gives the same plan. */
export function planSuite(suite: ResolvedSuite): Plan {
  const skipped: Skipped[] = [];
  const sites = suite.subjects.flatMap(({ place: _, ...subject }) =>
    subject.sites.flatMap((site) => planSite(suite, subject, site, (skip) => skipped.push(skip)) ?? []),
  );
  for (const { name, site } of suite.methods) {
    if (site === undefined || sites.some(({ fits }) => fits.some(({ method }) => method.name === name))) continue;
    const studied = [...new Set(sites.map((sitePlan) => sitePlan.site))].join(', ');
    skipped.push({ method: name, reason: `belongs to the site ${site}, and this run studies ${studied}` });
  }
  // Controls stand beside methods: where there is none, they are compared with nothing.
  const idle = sites.filter(({ fits }) => fits.length > 0 && fits.every(({ method }) => method.control));
  const chosen = idle.length < sites.length ? sites.filter((sitePlan) => !idle.includes(sitePlan)) : sites;
  if (chosen !== sites) {
    for (const { subject, site } of idle) skipped.push({ subject: subject.id, reason: `no method stands at ${site}` });
  }
  const { id, title, limited, backend } = suite;
  const once = new Map(skipped.map((skip) => [JSON.stringify(skip), skip]));
  return { suite: { id, title }, limited, backend, sites: chosen, skipped: [...once.values()] };
}

/** Undefined where all tasks that the suite means for the subject are left out there. */
function planSite(
  suite: ResolvedSuite,
  subject: PlannedSubject,
  site: string,
  skip: (skip: Skipped) => void,
): SitePlan | undefined {
  const { dataset, collect, concepts } = subject;
  const source = sourceOf(suite, subject);
  const activationsAt = (site: string) => ({
    train: key('activations', { ...source, site, split: 'train', items: collect.train }),
    test: key('activations', { ...source, site, split: 'test', items: collect.test }),
  });
  const activations: SitePlan['activations'] = activationsAt(site);
  if (dataset.hasConcepts) activations.labelled = key('activations', { ...source, site, split: 'labelled', concepts });

  const generalText = generalOf(subject);
  const general =
    generalText &&
    key('activations', {
      ...sourceOf(suite, { ...subject, dataset: generalText }),
      site,
      split: 'train',
      items: collect.train,
    });
  const positions = positionsOf(subject);
  const { train, test, dtype, policy, maxLength } = collect;
  const data: ResultSettings['data'] = {
    ...{ seed: dataset.seed, train, test, ...concepts, dtype, policy },
    ...(maxLength === undefined ? {} : { maxLength }),
  };

  const meant = suite.tasks.filter((task) => task.subjects?.includes(subject.id) ?? true);
  const tasks: ResolvedTask[] = [];
  for (const task of meant) {
    const reason = plantedReason(suite, subject, task);
    if (reason === undefined) tasks.push(withoutPlace(task));
    else skip({ subject: subject.id, task: task.id, reason });
  }
  if (tasks.length === 0 && meant.length > 0) return undefined;
  const prepares = new Map<string, Prepare>();
  const fits = new Map<string, Fit>();
  const standing = methodsWithTasks(suite, subject, site, tasks, skip);
  for (const { method, scoredBy } of standing) {
    const onGeneral = onGeneralText(method, standing);
    const fitted = method.seeded ? suite.seeds : suite.seeds.slice(0, 1);
    for (const [place, seed] of fitted.entries()) {
      const target = method.target === undefined ? undefined : planTarget(method.target, activationsAt);
      const inputs = { ...activations, general };
      const fit = planFit(suite, subject, inputs, method, seed, target);
      const next = fitted[(place + 1) % fitted.length]!;
      const other = next === seed ? undefined : planFit(suite, subject, inputs, method, next, target);
      const counterpart = onGeneral && planFit(suite, subject, inputs, onGeneral, seed, target);
      const entry = `${method.name} ${fit.key}`;
      fits.set(entry, fit);
      for (const task of scoredBy) {
        // A task that draws numbers gives one result a seed even for a method that is fitted once.
        const seeds = task.seeded && !method.seeded ? suite.seeds : [seed];
        for (const resultSeed of seeds) {
          const taskSeed = task.seeded ? resultSeed : NO_SEED;
          const prepare = task.prepares ? planPrepare(suite, subject, activations, task, taskSeed, target) : undefined;
          if (prepare) prepares.set(prepare.key, prepare);
          const otherSeed = task.comparesSeeds && other ? { key: other.key, seed: other.seed } : undefined;
          const beside = task.comparesGeneral ? counterpart : undefined;
          const others = { otherSeed: otherSeed?.key, general: beside?.key };
          const inputs = { ...activations, fit: fit.key, prepare: prepare?.key, ...others };
          const scored = {
            ...{ task: identity(task), positions, ...taskCode(suite, 'evaluate', task) },
            ...{
              judge: judgeOf(suite, task),
              otherJudges: otherJudgesOf(suite, task),
              embedder: embedderOf(suite, task),
            },
          };
          const labels = method.labels?.fingerprint;
          const all = { ...scored, prepare: prepare && taskCode(suite, 'prepare', task) };
          fit.evaluations.push({
            key: key('evaluate', { ...scored, labels, inputs, seed: taskSeed }),
            task,
            prepare: prepare?.key,
            seed: resultSeed,
            taskSeed,
            ...(otherSeed ? { otherSeed } : {}),
            ...(beside ? { general: beside } : {}),
            settings: {
              row: sha256Json({
                ...all,
                labels,
                inputs: { ...activations, fit: fit.setting, general: beside?.setting },
              }),
              table: sha256Json({ ...all, inputs: activations }),
              data,
            },
            ...(recoversPlanted(subject, task) ? { plantedControl: suite.plantedControl! } : {}),
          });
        }
      }
    }
  }
  return { subject, site, activations, prepares: [...prepares.values()], fits: [...fits.values()] };
}

/** The method that differs from another in its training text alone. */
function onGeneralText(method: ResolvedMethod, standing: readonly { method: ResolvedMethod }[]) {
  const settings = ({ id, options, training }: ResolvedMethod) => sha256Json({ id, options, training });
  if (method.general) return undefined;
  return standing.find(({ method: other }) => other.general && settings(other) === settings(method))?.method;
}

/** The filter of positions that steps read activations under; undefined, and so no part of a key, where none is declared. */
function positionsOf({ collect: { policy } }: PlannedSubject) {
  const { specialTokens: _special, classToken: _class, ...filter } = policy;
  return Object.keys(filter).length === 0 ? undefined : filter;
}

const planTarget = (site: string, activationsAt: (site: string) => PlannedTarget['activations']): PlannedTarget => ({
  site,
  activations: activationsAt(site),
});

function methodCode({ code: { machine, plugins } }: ResolvedSuite, { checkpoint, variant, kind, id }: ResolvedMethod) {
  if (checkpoint !== undefined) {
    const plugin = variant === undefined ? {} : { plugin: digestOf(plugins, `sae ${variant}`) };
    return { machine: digestOf(machine, 'checkpoint'), ...plugin };
  }
  return { machine: digestOf(machine, kind), plugin: digestOf(plugins, `${kind} ${id}`) };
}

const taskCode = (suite: ResolvedSuite, step: 'prepare' | 'evaluate', { id }: ResolvedTask) => ({
  code: { machine: digestOf(suite.code.machine, step), plugin: digestOf(suite.code.plugins, `task ${id}`) },
  ...arithmeticOf(suite),
});

/** Of the judge of a task all that its ratings depend on; undefined, and so no part of a key, where a task has none. */
const judgeOf = ({ code }: ResolvedSuite, { judge }: Pick<ResolvedTask, 'judge'>) =>
  judge && { ...identity(judge), endpoint: judge.endpoint, code: digestOf(code.plugins, `judge ${judge.id}`) };

const otherJudgesOf = (suite: ResolvedSuite, { otherJudges }: ResolvedTask) =>
  otherJudges?.map((judge) => judgeOf(suite, { judge }));

/** As {@link judgeOf}, of the encoder that a task reads. */
const embedderOf = ({ code }: ResolvedSuite, { embedder }: ResolvedTask) =>
  embedder && {
    ...{ fingerprint: embedder.fingerprint, family: embedder.family },
    code: digestOf(code.plugins, `subject ${embedder.family.split('@')[0]}`),
  };

/** A plan says nothing of this machine. */
function withoutPlace({ embedder, ...task }: ResolvedTask): ResolvedTask {
  if (!embedder) return task;
  const { place: _, ...planned } = embedder;
  return { ...task, embedder: planned };
}

/** Whether fitting a method reads the test rows: to say how a trained SAE does on them, which changes no weight. */
export const readsTest = ({ kind, checkpoint }: Pick<ResolvedMethod, 'kind' | 'checkpoint'>): boolean =>
  kind === 'sae' && checkpoint === undefined;

function planFit(
  suite: ResolvedSuite,
  subject: PlannedSubject,
  activations: SitePlan['activations'] & { general?: string | undefined },
  method: ResolvedMethod,
  seed: number,
  target: PlannedTarget | undefined,
): Fit {
  const trained = readsTest(method);
  const training = trained ? { ...subject.training, ...method.training } : {};
  const content = {
    method: { ...identity(method), kind: method.kind },
    trainer: trained ? suite.trainerVersion : undefined,
    training,
    positions: positionsOf(subject),
    inputs: {
      train: method.general ? activations.general : activations.train,
      test: trained ? activations.test : undefined,
      labelled: readsLabels(method) ? activations.labelled : undefined,
      target: target?.activations,
    },
    seed: method.seeded ? seed : NO_SEED,
    code: methodCode(suite, method),
    ...arithmeticOf(suite),
  };
  return {
    key: key('fit', content),
    setting: key('fit', { ...content, seed: NO_SEED }),
    identity: sha256Json({ id: method.id, options: method.options, training, general: method.general }),
    method,
    seed: method.seeded ? seed : NO_SEED,
    training,
    ...(target ? { target } : {}),
    ...(method.general ? { general: activations.general! } : {}),
    evaluations: [],
  };
}

function planPrepare(
  suite: ResolvedSuite,
  subject: PlannedSubject,
  activations: SitePlan['activations'],
  task: ResolvedTask,
  taskSeed: number,
  target: PlannedTarget | undefined,
): Prepare {
  const read = task.readsTarget ? target : undefined;
  const inputs = { ...activations, target: read?.activations };
  const positions = positionsOf(subject);
  const content = {
    ...{ task: identity(task), positions, inputs, seed: taskSeed, ...taskCode(suite, 'prepare', task) },
    embedder: embedderOf(suite, task),
  };
  return { key: key('prepare', content), task, taskSeed, ...(read ? { target: read } : {}) };
}

/** The sites that methods reconstruct, each once. */
export function targetsOf(fits: readonly Fit[]): PlannedTarget[] {
  const bySite = new Map(fits.flatMap(({ target }) => (target ? [[target.site, target] as const] : [])));
  return [...bySite.values()];
}

/** All steps in the order of their dependencies, each key once. */
export function planSteps(plan: Plan): Step[] {
  const steps = new Map<string, Step>();
  const add = (kind: StepKind, key: string, ...words: (string | number)[]) => {
    if (!steps.has(key)) steps.set(key, { kind, key, label: words.join(' ') });
  };
  for (const { subject, site, activations, prepares, fits } of plan.sites) {
    // Imported activations are read where they lie.
    const collected = isImported(subject) ? [] : Object.entries(activations);
    for (const [split, key] of collected) add('activations', key, subject.id, site, split);
    for (const target of targetsOf(fits)) {
      for (const [split, key] of Object.entries(target.activations)) {
        add('activations', key, subject.id, target.site, split);
      }
    }
    for (const { general } of fits) if (general !== undefined) add('activations', general, subject.id, site, 'general');
    for (const { key, task } of prepares) add('prepare', key, subject.id, site, task.id);
    for (const fit of fits) {
      const named = [subject.id, site, fit.method.name];
      const seed = fit.method.seeded ? [`seed ${fit.seed}`] : [];
      add('fit', fit.key, ...named, ...seed);
      for (const { key, task, seed, otherSeed, general } of fit.evaluations) {
        if (otherSeed) add('fit', otherSeed.key, ...named, `seed ${otherSeed.seed}`);
        if (general) add('fit', general.key, subject.id, site, general.method.name, `seed ${general.seed}`);
        add('evaluate', key, ...named, task.id, `seed ${seed}`);
      }
    }
  }
  return [...steps.values()];
}
