/** @file Judges: what rates steered texts or images, one row for each, and what a judge is given to do so. */
import type { Concept, Dataset, Item, ItemEmbedder, SteeringPrompt } from './data.ts';
import type { OptionsSchema, Plugin } from './plugin.ts';
import type { Subject } from './subject.ts';

/** What is rated: a text that was generated (without its prompt) or an image. */
export interface JudgedRow {
  text?: string;
  image?: Item['image'];
  /** What it was steered to. */
  concept: Concept;
  /** What it continues. */
  prompt: SteeringPrompt;
}

/** Ratings of one row, each from 0 to 2 (AxBench's scale). null: the judge gave none, which never counts as 0. */
export interface Rating {
  /** Whether the concept shows. */
  concept: number | null;
  /** Whether the prompt is followed. */
  instruct: number | null;
  /** Left out by a judge that leaves fluency to the task. */
  fluency?: number | null;
  /** Why a rating is missing. */
  reason?: string;
}

/** What a judge was answered before: kept in the store by judge, version, options and request, so that a rerun asks nothing. */
export interface Replies {
  /**
   * The kept reply to `request`, or what `ask` gives, which is then kept.
   *
   * @param request All that the reply depends on beside the judge's options: plain JSON.
   * @param ask Gives the reply: plain JSON. Nothing is kept where it throws.
   */
  once<T>(request: unknown, ask: () => Promise<T>): Promise<T>;
}

export interface JudgeContext<O> {
  options: O;
  dataset: Dataset;
  /** Absent when activations were imported. */
  subject?: Subject;
  replies: Replies;
  /** The encoder that the option `embedder` names, of a judge that declares `embeds`. */
  embedder?: ItemEmbedder;
}

/** A judge at work. */
export interface OpenJudge {
  /** How it judges, in a sentence, for results. */
  description: string;
  /** One rating for each row, in order. All rows of one call may be asked for together. */
  rate(rows: readonly JudgedRow[], signal?: AbortSignal): Promise<Rating[]>;
  dispose(): void;
}

export interface JudgeDefinition<O = Record<string, unknown>> extends Plugin {
  options: OptionsSchema;
  /**
   * It has an option `embedder`: an encoder's folder or name, which is loaded for it. Its fingerprint is part of the key of what was
   * judged, and stands in results.
   */
  embeds?: boolean;
  /** Why it cannot judge what is made of this dataset; undefined when it can. */
  unavailable?(context: { dataset: Dataset }): string | undefined;
  /** Opened where a task first asks for a rating, and disposed of with the subject. */
  open(context: JudgeContext<O>): Promise<OpenJudge>;
}

/** The judge that a task's option `judge` names. */
export interface TaskJudge extends Pick<OpenJudge, 'rate'> {
  id: string;
  version: number;
  /** Why it cannot judge here. */
  unavailable?: string;
  /** How it judges. */
  description(): Promise<string>;
}
