/** @file Tasks: what they declare, what they are given, and the rows they return. */

import type { Rng } from '../num/rng.ts';
import type { ActivationSet, Dataset, Item, ItemEmbedder, Site } from './data.ts';
import type { Judging, TaskJudge } from './judge.ts';
import type { FittedMethod, LabelledActivations, Mark, PooledLatents } from './methods.ts';
import type { OptionsSchema, Plugin } from './plugin.ts';
import type { Subject } from './subject.ts';

export interface MetricDefinition {
  /** One sentence: what it is and how it is computed. */
  description: string;
  direction: 'max' | 'min' | 'none';
  /** Possible values; a value outside is a bug and refused. null = unbounded. */
  range: [number | null, number | null];
  unit: string;
  /** The metric that ranks methods on the leaderboard; exactly one a task. */
  main?: boolean;
  /** Version of the definition in num/metrics. */
  version?: number;
  /** Counted, not estimated, and the same for every seed: any difference is one, and nothing is tested. */
  counted?: boolean;
  /** A time or the like: another machine, or the same on another day, gives another value. Runs are not compared by it. */
  measured?: boolean;
}

/** One number with what a reader needs to trust it. `value: null` is an empty cell, with the reason. */
export interface MetricValue {
  value: number | null;
  /** 95 % interval over independent units (concepts, documents); null where it makes no sense. */
  ci95: [number, number] | null;
  /** Number of things averaged over. */
  n: number;
  /** Independent units that the interval rests on, where they are not these: the documents of n positions. */
  units?: number;
  reason?: string;
}

/**
 * Values by unit of a row's main metric, from which methods are compared in pairs: the mean over units is the metric.
 * Methods meet the same units under the same names.
 */
export interface RowSamples {
  /** What a unit is, e.g. `concept` or `block of documents`. */
  unit: string;
  /** Names of the units; numbered from 0 when left out. */
  ids?: string[];
  values: number[];
  /** 95 % interval of each value, over what that unit is measured on; null where it has none. Tables then show values by unit. */
  ci95?: ([number, number] | null)[];
  /** Whether each value is told apart from the task's `chance`, corrected for the number of units. */
  apart?: boolean[];
  /** Where units share items: what each block of items adds to the error of the mean. The sum is 0. */
  shared?: number[];
  /** In place of `shared`, the same for each value: [units][blocks]. Each sums to 0. */
  sharedBy?: number[][];
}

/** One line of a result: metrics under one setting of the task's axes, e.g. `{ selection: 'auroc' }`. */
export interface ResultRow {
  axes: Record<string, string>;
  /** What was measured. */
  metrics: Record<string, MetricValue>;
  /** Why each of the other declared metrics was not: metric → reason. The harness makes empty cells of them. */
  unavailable?: Record<string, string>;
  /** The row is what the method is compared with (its control), not the method itself: it gets no rank. */
  control?: boolean;
  samples?: RowSamples;
}

/** How a family of curves is drawn: those whose name before `/` is the family's. */
export interface CurveDisplay {
  title: string;
  caption: string;
  /** Titles of the axes. */
  x: string;
  y: string;
  logX?: boolean;
  /** A line from corner to corner: chance, for a ROC curve. */
  diagonal?: boolean;
  /** Of the family only the curves whose name ends so. */
  only?: string;
}

/** How a metric of this task goes with the size of a method: along the settings of each variant, and at equal sizes. */
export interface FrontDisplay {
  /** The size: a metric of this task, or of another one on the same method. Less of it is better. */
  x: { metric: string; task?: string };
  /** A metric of this task. */
  y: string;
  title: string;
  caption: string;
  logX?: boolean;
  /** Also a table of y at equal x, interpolated along each variant's own settings. */
  matched?: boolean;
}

/** What of a row is a loss that goes with width, sparsity and compute: the law of Gao et al. 2024 is fitted where a suite has the widths. */
export interface ScalingDisplay {
  /** A metric of this task whose best value is 1, such as explained variance: the loss is what is missing. */
  missing: string;
}

/** What a task shows in tables and plots; reports know no task by name. */
export interface TaskDisplay {
  /** Metrics beside the main one, in order: the columns of the leaderboard. */
  columns?: string[];
  /** Metrics that stand beside the main one in the overview, where a method has one row over all tasks. */
  overview?: string[];
  /**
   * The one row of a method that is ranked: for each axis the values that may be, the preferred first. Other rows are
   * details. Left out: a method's first row.
   */
  ranked?: Record<string, string[]>;
  /**
   * Methods are ranked only among those whose value of `metric` lies in one band: `ratio` wide, about its powers. A value
   * of at least `dense` times d_in stands apart without a rank: that is no compression.
   */
  bands?: { metric: string; ratio: number; dense: number };
  /**
   * Ids of controls that must not do better than the best method: where one does, what they are measured by ranks nothing,
   * and tables stand without ranks, for this reason.
   */
  withheld?: { beatenBy: string[]; reason: string };
  /** Value of the main metric that means nothing was found: a line among its bars. */
  chance?: number;
  /** One metric against another, a point a method; the main metric has bars unless it is one of them. */
  scatter?: { x: string; y: string; title: string; caption: string; logX?: boolean };
  fronts?: FrontDisplay[];
  /**
   * Metrics of this task that say what a method costs: the main metric of every other task at the same place is drawn
   * against each of them.
   */
  costs?: string[];
  scaling?: ScalingDisplay;
  curves?: Record<string, CurveDisplay>;
}

/** One item that drives a latent: where it is largest, and the text about that place. */
export interface LatentExample {
  item: string;
  value: number;
  /** Token by token; a text in one piece has no values by token. */
  pieces?: string[];
  /** Of each piece, 0 to 9: its value in ninths of the largest. */
  grades?: number[];
}

/** A latent as reports show it. */
export interface ShownLatent {
  latent: number;
  /** -1: the negated latent, of a method with signed codes. */
  sign: 1 | -1;
  /** Chosen for a concept, of a high score, or drawn. */
  why: 'concept' | 'score' | 'random';
  label?: string;
  /** Share of the items on which it is active; absent of dense codes. */
  fires?: number;
  ms?: number;
  concepts?: { id: string; label: string; selection: string; auroc: number }[];
  examples: LatentExample[];
  /** Tokens of the largest logits of its direction. */
  tokens?: string[];
}

/** Some latents of a method, chosen by a rule that is the same for every method. */
export interface ShownLatents {
  /** Which items the examples are from, and which latents are here, in words. */
  from: string;
  rule: string;
  /** Items are named by their ids alone. */
  private?: boolean;
  /** How tokens were found for a direction, in words. */
  logits?: string;
  /** Thumbnails of items that are images, by id: WebP in base64. */
  images?: Record<string, string>;
  latents: ShownLatent[];
}

/** What a task hands back. All of it is plain JSON without NaN or Infinity. */
export interface TaskOutcome {
  rows: ResultRow[];
  /** Per-concept or per-latent details, for inspection and for paired statistics. */
  details?: Record<string, unknown>;
  /** Some of the method's latents with their top items, for the reports' browser of latents. */
  latents?: ShownLatents;
  /** Plottable series: name → points, e.g. `roc`, `score-by-factor`, `ms-quantiles`. */
  curves?: Record<string, { x: number[]; y: number[]; lo?: number[]; hi?: number[] }>;
  /** What a reader must know about the method beside these numbers; stands with the marks of its training. */
  marks?: Mark[];
  /** What another run may add to it, as a judge could not be asked: the next run makes it anew. */
  incomplete?: string;
  /** How its judges did. */
  judging?: Judging[];
}

/** Method-independent work shared by all methods: typed arrays and JSON of the task's own form P, kept in the store. */
export interface Prepared<P = unknown> {
  json: P;
  arrays: Record<string, { shape: number[]; data: Float32Array | Int32Array | Uint8Array }>;
}

/** The site that a transcoder reconstructs. */
export interface TargetSite {
  site: Site;
  train: ActivationSet;
  test: ActivationSet;
}

export interface PrepareContext<O> {
  options: O;
  /** Absent when activations were imported, or are the dataset's own. */
  subject?: Subject;
  site: Site;
  dataset: Dataset;
  /** Held-out activations, disjoint from the training ones; `testItems[i]` made item i. */
  test: ActivationSet;
  testItems: Item[];
  /** Training activations, e.g. for the mean of a mean ablation, for controls and for selection. */
  train: ActivationSet;
  /** Where the method reconstructs another site than the one it reads: that site, with the same rows. */
  target?: TargetSite;
  /** Absent where the dataset has no concepts. */
  labelled?: LabelledActivations;
  /** Activations of further items at this site, e.g. changed texts, under the same policy; absent without a subject. */
  collect?(items: readonly Item[]): Promise<ActivationSet>;
  /** The judge that the option `judge` names; present where the task declares `measure: 'judged'`. */
  judge?: TaskJudge;
  /** Those that the option names beside it: they rate the same texts. */
  otherJudges?: TaskJudge[];
  /** The encoder that the option `embedder` names, in a task that declares `embeds`. */
  embedder?: ItemEmbedder;
  rng: Rng;
  seed: number;
  signal?: AbortSignal;
  progress(done: number, total: number, note?: string): void;
}

/** Another fit of the method that a task scores, with its latents. */
export interface OtherFit {
  method: FittedMethod;
  latents(set: ActivationSet): Promise<PooledLatents>;
}

export interface TaskContext<O, P = unknown> extends PrepareContext<O> {
  method: FittedMethod & { id: string; kind: 'sae' | 'baseline' };
  prepared: Prepared<P>;
  /**
   * The method's latents of whole items: the maximum over an item's kept positions. Kept as long as the method is, so that
   * tasks share them; not to be changed. Only where the method encodes.
   */
  latents(set: ActivationSet): Promise<PooledLatents>;
  /**
   * The same method fitted with the run's next seed, in a task that declares `comparesSeeds`; absent of a method of one seed, or a
   * run of one. Not to be disposed of.
   */
  otherSeed?(): Promise<OtherFit>;
  /**
   * The same method trained on general text with this seed, in a task that declares `comparesGeneral`; absent where the suite has
   * none. Not to be disposed of.
   */
  general?(): Promise<OtherFit>;
  /** What is the same for every method at this site: made by the first that asks for it, and kept as long as the site. */
  shared<T>(name: string, make: () => Promise<T>): Promise<T>;
}

/** @typeParam P What `prepare` leaves as JSON. */
export interface TaskDefinition<O = Record<string, unknown>, P = unknown> extends Plugin {
  options: OptionsSchema;
  metrics: Record<string, MetricDefinition>;
  /** Named axes of its rows with the values they can take, for tables and plots. */
  axes: Record<string, string>;
  /** What its tables show. */
  shows?: TaskDisplay;
  /**
   * Names of the fields of `details`, at any depth, that hold words of items, or texts that go on from them; none: `[]`. Results of
   * private items are kept without them, and those of a task that does not say so without any details, marks and judging.
   */
  words?: readonly string[];
  /**
   * For tasks that change the subject. `judged`: a judge rates what was generated; the task has the options `judge` (an
   * id, or several of which the first ranks) and `judgeOptions` (of several judges by their ids), and the judges' versions,
   * options and code are part of the key of its results. `likelihood`: the changed subject itself is rated, by what it makes
   * of given texts; no judge is opened.
   */
  measure?: 'judged' | 'likelihood';
  /**
   * It has an option `embedder` without a default: an encoder's folder or name, which is loaded for it. Its fingerprint is
   * part of the key of its results, and stands in them.
   */
  embeds?: boolean;
  /** Whether two seeds give two results for the same fitted method. */
  seeded: boolean;
  /**
   * It measures time: its steps run when all other work of the run is done, one after another and alone in the process, so that
   * nothing of the run takes their cores away.
   */
  exclusive?: boolean;
  /** What `prepare` gives depends on the site that a method reconstructs: it is then made for each `target`. */
  readsTarget?: boolean;
  /** It looks at the same method fitted with another seed: that fit is part of the key of its results. */
  comparesSeeds?: boolean;
  /** It looks at the same method trained on the subject's general text: that fit is part of the key of its results. */
  comparesGeneral?: boolean;
  /** Ids of baselines that always stand beside the methods: added to every plan, and without a rank where the suite does not name them. */
  controls?: string[];
  /** Why the task cannot run on this subject, site and dataset at all; undefined when it can. */
  unavailable?(
    context: Pick<PrepareContext<O>, 'subject' | 'site' | 'dataset' | 'labelled' | 'judge' | 'otherJudges'>,
  ): string | undefined;
  /** Work that does not depend on the method (clean passes, ablation losses, calibration), done once and stored. */
  prepare?(context: PrepareContext<O>): Promise<Prepared<P>>;
  run(context: TaskContext<O, P>): Promise<TaskOutcome>;
  /** Of a judged task: most texts that each judge rates for one method, for an estimate of what that costs. */
  judgedTexts?(options: O): { texts: number; tokensPerText: number };
}
