/** @file A suite with everything filled in that plan and execution need: plain data, no plug-in code. */
import type { CollectPolicy } from '../activations/policy.ts';
import type { PositionFilter } from '../activations/positions.ts';
import type { Modality } from '../contract/data.ts';
import type { MethodNeeds } from '../contract/methods.ts';
import type { RandomInit } from '../contract/subject.ts';
import type { LabelsFile } from './latent-labels.ts';

export interface ResolvedDataset {
  id: string;
  version: number;
  modality: Modality;
  options: Record<string, unknown>;
  optionsPassed: Record<string, unknown>;
  seed: number;
  fingerprint: string;
  hasConcepts: boolean;
  /** Its items are activations: no subject takes part. */
  ownActivations?: boolean;
  /** Results are not to hold its texts, nor judges elsewhere to read them. */
  privateItems?: boolean;
}

/** Which positions are rows. */
export type PositionPolicy = CollectPolicy & PositionFilter;

/** How activations are collected; all of it changes numbers. */
export interface ResolvedCollect {
  /** Version of the collecting code. */
  version: number;
  train: number;
  test: number;
  dtype: 'float32' | 'float16';
  policy: PositionPolicy;
  maxLength?: number;
}

/** What decides which imported items serve what. */
export interface ImportDraw {
  modality?: 'text' | 'image';
  seed: number;
  /** Held-out items. */
  test: number;
  concepts: { concepts?: number; perClass?: number };
}

/** Where what a subject is made of lies on this machine. */
export interface SubjectPlace {
  /** The model's folder; absent for imported activations and for a dataset's own. */
  folder?: string;
  /** Sizes and times of the model's files from before they were fingerprinted. */
  stamp?: string;
  /** The folder of imported activations. */
  imported?: string;
  /** Where the dataset's relative paths start. */
  baseDir: string;
}

export interface ResolvedSubject {
  id: string;
  place: SubjectPlace;
  /** How imported items are drawn, and what a reader of results must know about them. */
  draw?: ImportDraw;
  notes?: string[];
  /** What readers of results must know about the model: declared by its card, no part of any key. */
  remarks?: string[];
  /** The interventions that it was trained with, as its card declares: tasks that steer it recover what was planted. */
  planted?: string;
  fingerprint: string;
  /** Parameters are drawn anew when the model is loaded. */
  randomInit?: RandomInit;
  /**
   * Family plug-in with its version, e.g. `llama@1`; {@link IMPORTED} for activations made elsewhere, {@link NO_FAMILY} for
   * a dataset's own.
   */
  family: string;
  sites: string[];
  dataset: ResolvedDataset;
  /** What methods of `general` are trained on, or why it cannot be had; absent where no method is. */
  general?: ResolvedDataset | { reason: string };
  concepts: { concepts?: number; perClass?: number };
  collect: ResolvedCollect;
  training: Record<string, unknown>;
}

/** A subject as plans name it, on any machine: by id and fingerprint. */
export type PlannedSubject = Omit<ResolvedSubject, 'place'>;

/** The family of activations that were made elsewhere. */
export const IMPORTED = 'imported';

/** The family where the dataset has activations of its own. */
export const NO_FAMILY = 'none';

/** Whether activations come of a network here. */
export const hasNetwork = ({ family }: Pick<ResolvedSubject, 'family'>): boolean =>
  family !== IMPORTED && family !== NO_FAMILY;

/** What methods are trained on that are not trained on the dataset; undefined where there is none. */
export const generalOf = ({ general }: Pick<ResolvedSubject, 'general'>): ResolvedDataset | undefined =>
  general && 'id' in general ? general : undefined;

export const isImported = ({ family }: Pick<ResolvedSubject, 'family'>): boolean => family === IMPORTED;

export interface ResolvedMethod {
  id: string;
  kind: 'sae' | 'baseline';
  name: string;
  title: string;
  paper?: string;
  version: number;
  options: Record<string, unknown>;
  optionsPassed: Record<string, unknown>;
  /** Trained on the subject's general text, not on its dataset. */
  general?: true;
  /** The option that sets how many latents are active. */
  sparsity?: string;
  training: Record<string, unknown>;
  seeded: boolean;
  needs: MethodNeeds;
  modalities?: Modality[];
  subjects?: string[];
  /** The sites that the suite means it for; every site when absent. */
  sites?: string[];
  /** The one site that it belongs to; every site when absent. */
  site?: string;
  /** The site that it reconstructs, where that is another than the one it reads. */
  target?: string;
  /** Folder of a checkpoint: what is scored as it is, without training. */
  checkpoint?: string;
  /** What a person said of a checkpoint whose files do not say it: architecture, k, a mapping of its tensors. */
  checkpointForm?: Record<string, unknown>;
  /** Fingerprint of the model that a checkpoint says it was trained on; absent where any model does. */
  trainedOn?: string;
  /** The SAE plug-in that a checkpoint in this project's own layout needs. */
  variant?: string;
  /** What its latents are said to stand for. */
  labels?: LabelsFile;
  /** Added by a task as a null row; only such tasks score it. */
  control: boolean;
  /** A null row by declaration: tables give it no rank. */
  nullRow?: boolean;
}

/** The judge of a task that declares `measure: 'judged'`. */
export interface ResolvedJudge {
  id: string;
  version: number;
  options: Record<string, unknown>;
  /** Of one that asks a chat model: where. */
  endpoint?: string;
}

/** The encoder of items that a task reads: with the place of its files on this machine until it is planned. */
export interface ResolvedEmbedder {
  id: string;
  fingerprint: string;
  /** As a subject's. */
  family: string;
  place?: SubjectPlace;
}

export interface ResolvedTask {
  id: string;
  title: string;
  version: number;
  options: Record<string, unknown>;
  optionsPassed: Record<string, unknown>;
  seeded: boolean;
  prepares: boolean;
  controls: string[];
  /** What it prepares is of the site that a method reconstructs. */
  readsTarget?: boolean;
  /** It measures time: it runs when nothing else of the run does. */
  exclusive?: boolean;
  /** It looks at the same method fitted with the next seed. */
  comparesSeeds?: boolean;
  /** It looks at the same method trained on general text. */
  comparesGeneral?: boolean;
  /** It changes the subject to bring a concept in. */
  steers?: boolean;
  judge?: ResolvedJudge;
  /** Those that rate the same texts beside the first. */
  otherJudges?: ResolvedJudge[];
  embedder?: ResolvedEmbedder;
  subjects?: string[];
  /** Names or ids of the methods that it scores, beside its controls; all when absent. */
  methods?: string[];
}

/** All judges of a task, the one that ranks first. */
export const judgesOf = ({ judge, otherJudges = [] }: Pick<ResolvedTask, 'judge' | 'otherJudges'>): ResolvedJudge[] =>
  judge ? [judge, ...otherJudges] : [];

/** Digests of the code that steps run. */
export interface SuiteCode {
  /** The machine: `collect`, `import`, `sae`, `baseline`, `checkpoint`, `prepare`, `evaluate`, `backend`. */
  machine: Record<string, string>;
  /** Plug-ins by kind and id, e.g. `task reconstruction`. */
  plugins: Record<string, string>;
}

export interface ResolvedSuite {
  id: string;
  title: string;
  /** Heading of what it reports of tasks that steer planted subjects; without it they are left out. */
  plantedControl?: string;
  limited: boolean;
  seeds: number[];
  backend: string;
  /** Backend, instruction set and version of what computes: the last bits of every number depend on it. */
  arithmetic: string;
  code: SuiteCode;
  trainerVersion: number;
  subjects: ResolvedSubject[];
  methods: ResolvedMethod[];
  tasks: ResolvedTask[];
}
