/** @file Items, concepts, datasets, and activations read back from the store. */
import type { Csr } from '../num/csr.ts';
import type { OptionsSchema, Plugin } from './plugin.ts';

/** What items are: texts, images, or activations made without a subject. */
export type Modality = 'text' | 'image' | 'vectors';

/** A named activation. `pooled` sites have one row an item (`vision.embed`, `text.embed`), others one a position. */
export interface Site {
  name: string;
  d: number;
  modality: Modality;
  kind: 'tokens' | 'pooled';
  /** Shape of structured rows, e.g. [C, H, W] of an image, whose product is d; absent: rows have no structure. */
  input?: readonly number[];
  /** Of a joint site, `a+b`: the sites whose rows stand one after the other in its own, [n, d of a + d of b]. */
  parts?: readonly string[];
}

/** An RGB image in memory: `data` has width·height·3 bytes, row by row. */
export interface RawImage {
  width: number;
  height: number;
  data: Uint8Array;
}

/** Where a concept stands in a text: character offsets, `end` exclusive. */
export interface ConceptSpan {
  start: number;
  end: number;
  concept: string;
}

/** One document or one image. `id` is unique within its dataset and stable across runs. */
export interface Item {
  id: string;
  text?: string;
  /** Character offset in `text` at which the response to an instruction begins, where the text has one. */
  responseStart?: number;
  /** Pixels, or the path of an image file. */
  image?: RawImage | { path: string };
  caption?: string;
  /** Exact places of concepts in `text`, where the dataset knows them. */
  spans?: ConceptSpan[];
  /** Ids of all concepts of the dataset that the item shows, where the dataset knows them all; absent: not known. */
  concepts?: readonly string[];
  /** −ln p(text) under the generator that made it, in nats, where known: the floor of any model's loss. */
  generatorNats?: number;
  /** Ids of concepts of which nobody knows whether the item shows them: it is never a negative of theirs. */
  unknown?: readonly string[];
  /** Class labels by attribute, e.g. `{ colour: 'red' }`. */
  labels?: Record<string, string>;
  /** Items of one named group (a patient, a document) are not independent: they are in one split, and count as one in intervals. */
  group?: string;
  /** What is known of the item beside what it says, and must not be what a detector goes by: source, year, age. */
  covariates?: Readonly<Record<string, string | number>>;
}

/** An encoder of items that is not the subject: for what is measured by the likeness of items. */
export interface ItemEmbedder {
  id: string;
  /** Names it in results. */
  description: string;
  /** What of items it reads. */
  reads: readonly ('text' | 'image')[];
  /**
   * One vector an item, row-major [items.length, dim], not necessarily of unit norm.
   *
   * @throws UserError for an item that has none of what it reads.
   */
  embed(items: readonly Item[], signal?: AbortSignal): Promise<{ data: Float32Array; dim: number }>;
}

export interface Concept {
  id: string;
  /** Natural-language name, as a judge or a prompt would use it. */
  label: string;
  domain?: string;
  /** Words and phrases that name it in texts. */
  synonyms?: readonly string[];
  /** Id of the concept that it is a kind of, in the set or not: what shows it shows that one too. */
  parent?: string;
  /** As classifications have it: MeSH, ICD, UMLS. */
  code?: string;
  definition?: string;
  /** How many of how many items show it where it is to be found: in the population, or in the sample before examples were drawn. */
  prevalence?: { positives: number; labelled: number };
  /** Whether a text may deny it ("no evidence of …"): of a finding, not of a topic. Default true. */
  deniable?: boolean;
}

export type Split = 'train' | 'eval';
export type Role = 'positive' | 'negative' | 'hard-negative';

/** One labelled example of one concept; `item` indexes `ConceptSet.items`. Hard negatives exist in `eval` only. */
export interface ConceptExample {
  concept: number;
  item: number;
  split: Split;
  role: Role;
}

/** Concepts with labelled items. No item is in both splits of one concept; items may serve several concepts. */
export interface ConceptSet {
  concepts: Concept[];
  items: Item[];
  examples: ConceptExample[];
}

/** A zero-shot classification over images: prompts of each class, and the class of every item that has one. */
export interface ZeroShotTask {
  id: string;
  classes: { label: string; prompts: string[] }[];
  /** Index of the item's class, or undefined where the item has none. */
  classOf(item: Item): number | undefined;
}

/** A prompt to steer from. `topic` is what a good answer keeps to, in the dataset's own terms. */
export interface SteeringPrompt {
  id: string;
  text: string;
  topic?: string;
}

/** What a dataset knows of a generated text, each score in {0, 1, 2} (AxBench's scale): the judge `dataset` asks it. */
export interface TextJudge {
  /** How it judges, in a sentence, for reports. */
  description: string;
  /** Reads what it judges by, where it has to: awaited before the first text. */
  ready?(): Promise<unknown>;
  concept(text: string, concept: Concept): number;
  instruction(text: string, prompt: SteeringPrompt): number;
}

/** The features that the rows of a dataset's own activations are made of. */
export interface GroundTruth {
  features: number;
  /** Unit directions, row-major [features, d_in]. Needs a backend. */
  directions(): Promise<Float32Array>;
  /** Features of items with their magnitudes, all above 0: row i are those of item i. */
  of(items: readonly Item[]): Csr;
  /** Parent of each feature, −1 where it has none: a feature is active only where its parent is. Absent: no hierarchy. */
  parents?: Int32Array;
}

/**
 * An item before and after exactly one attribute changes: the `labels` of the two have the same keys, and of their
 * values that of `attribute` alone differs.
 */
export interface AttributePair {
  attribute: string;
  before: Item;
  after: Item;
}

/** Manifolds of known dimensions on which the rows of a dataset's own activations lie. */
export interface KnownManifolds {
  list: readonly { name: string; dimension: number }[];
  /** Index of the one that an item lies on. */
  of(item: Item): number;
}

/** Where the texts come from whose likelihoods are compared, with a concept and without it. */
export interface TextPairing {
  /** In a sentence, for results. */
  description: string;
  /** Places of the held-out items of the set that may stand beside a concept's positives; its own negatives when omitted. */
  partners?(set: ConceptSet, concept: number): number[];
}

export interface Dataset {
  id: string;
  modality: Modality;
  /** Changes whenever the content does; part of the key of every step that reads the dataset. */
  fingerprint: string;
  /** What readers of results must know of it, e.g. in which format its texts are. */
  notes?: string[];
  /** Texts and images are not to leave the machine that it lies on: results name items by id, and no judge elsewhere is asked. */
  privateItems?: boolean;
  /** Up to `n` items without regard to concepts. No item of one split is in the other, or a concept's in the other of its splits. */
  corpus(split: 'train' | 'test', n: number): Promise<Item[]>;
  /** The labelled concepts, at most `limits.concepts` of them with at most `limits.perClass` items a role and split. */
  concepts?(limits: { concepts?: number; perClass?: number }): Promise<ConceptSet>;
  zeroShot?: ZeroShotTask[];
  /**
   * Pairs of items that differ in one attribute, `perAttribute` of each attribute that can change alone; disjoint from every
   * other item. Of a dataset whose corpus has all its attributes as `labels`.
   */
  attributePairs?(perAttribute: number): Promise<AttributePair[]>;
  /** Prompts for steering, disjoint from every other item. */
  prompts?(n: number): Promise<SteeringPrompt[]>;
  /** Of a dataset whose concepts have prompts of their own each: exactly `n` of them. Ids tell which are the same. */
  conceptPrompts?(concept: Concept, n: number): Promise<SteeringPrompt[]>;
  judge?: TextJudge;
  /** How its held-out texts with a concept are paired with texts without it. */
  pairing?: TextPairing;
  /**
   * An embedding of items that does not come from the subject, for the MS score: row-major [items.length, dim], rows
   * not necessarily of unit norm. `description` names it in results.
   */
  embed?(items: Item[]): Promise<{ data: Float32Array; dim: number; description: string }>;
  /**
   * Of a dataset of `vectors`, which needs no subject: the one site of its items, and their rows [items.length, site.d],
   * one an item. Needs a backend.
   */
  activations?: {
    site: Site;
    rows(items: readonly Item[]): Promise<Float32Array>;
    /** Where rows are functions [C, N]: other numbers of points, and the same items' rows at one of them. */
    grids?: { points: readonly number[]; rows(items: readonly Item[], points: number): Promise<Float32Array> };
  };
  /** What `activations` are made of, where the dataset knows it. */
  groundTruth?: GroundTruth;
  /** The manifolds that `activations` lie on, where the dataset knows them. */
  manifolds?: KnownManifolds;
}

/**
 * Activations of items at one site. A row is one position of one item: item i has the rows
 * `bounds[i]` … `bounds[i + 1] − 1`. Every row is present; `keep` tells which of them count (special tokens, class
 * token and padding by the recorded policy).
 */
export interface ActivationSet {
  d_in: number;
  /** Number of rows, kept or not. */
  n: number;
  bounds: Uint32Array;
  /** Token id of each row; −1 where there is none (image patches). */
  tokenIds: Int32Array;
  /** Position of each row within its item. */
  positions: Uint32Array;
  /** 1 where the row counts, else 0. */
  keep: Uint8Array;
  /** What `keep` was before the filter of positions (attention sinks) left rows out; absent where it left none out. */
  unfiltered?: Uint8Array;
  /** Items of one named group (a patient, a document) share a number: they are not independent. Absent: all items are. */
  groups?: Uint32Array;
  /** The policy that made `keep`, in words, for results. */
  policy: string;
  /** Hash of everything that the rows come from. */
  key: string;
  /** Rows `start` … `end − 1`, row-major [end − start, d_in]. The caller may keep the array. */
  read(start: number, end: number): Promise<Float32Array>;
  /** Rows as `read` gives them, without a copy; there where they are in memory anyway. Nobody may change them. */
  view?(start: number, end: number): Promise<Float32Array>;
  /** Sequential batches of whole items, at most about `rows` rows each. */
  scan(rows: number): AsyncIterable<ActivationBatch>;
  /** Endless shuffled batches of exactly `size` kept rows; deterministic in `seed`; starts at batch number `from`. */
  shuffled(size: number, seed: number, options?: ShuffleOptions): AsyncIterable<ShuffledBatch>;
}

export interface ShuffleOptions {
  /** Number of batches already consumed by an earlier, interrupted run. */
  from?: number;
  /** Also read the row of the preceding position; rows without one are then left out. */
  previous?: boolean;
  /** Give every batch in the same arrays: for who is done with one when asking for the next. */
  reuse?: boolean;
}

export interface ActivationBatch {
  firstItem: number;
  items: number;
  firstRow: number;
  rows: number;
  /** Row-major [rows, d_in]; may be the set's own memory: do not change it. */
  x: Float32Array;
}

export interface ShuffledBatch {
  /** Row numbers in the set. */
  rows: Uint32Array;
  x: Float32Array;
  previous?: Float32Array;
}

/** One turn of a conversation. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** How a subject's own chat template writes conversations. */
export interface ChatFormat {
  /** Changes with the template: part of the fingerprint of a dataset whose texts it writes. */
  digest: string;
  /**
   * The text of a conversation as the subject's tokenizer is to read it; `addGenerationPrompt` opens the answer at its end.
   *
   * @throws UserError for roles that the template refuses.
   */
  render(messages: readonly ChatMessage[], options?: { addGenerationPrompt?: boolean }): string;
  /** A text as `render` has it within a message: what would be read as a special token is parted by a zero-width space. */
  literal(text: string): string;
}

/** What a dataset is opened with. */
export interface DatasetContext {
  seed: number;
  /** Folder that relative paths start from. */
  baseDir: string;
  /** Whether what is on the hub may be downloaded; else it is taken from the cache. Default true. */
  download?: boolean;
  /** The chat format of the subject that is to read it; gives undefined where it has none. Absent: no subject is known. */
  chat?(): Promise<ChatFormat | undefined>;
}

/** A dataset plug-in: opens text, images or vectors, labelled or not, with the given options (already validated). */
export interface DatasetDefinition<O = Record<string, unknown>> extends Plugin {
  modality: Modality;
  options: OptionsSchema;
  open(options: O, context: DatasetContext): Promise<Dataset>;
}
