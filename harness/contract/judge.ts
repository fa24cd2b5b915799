/** @file Judges: what rates steered texts or images, one row for each, and what a judge is given to do so. */
import type { ChatCost, ChatModel } from './chat.ts';
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
  /** Another run may be given what is missing, as a budget was reached or a service was down: the result is not kept for done. */
  later?: boolean;
  /** What it was given when it was asked a second time, for a sample of the rows: how far the judge agrees with itself. */
  again?: Pick<Rating, 'concept' | 'instruct' | 'fluency'>;
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
  /** Of a judge that `asks`: the model behind the endpoint that the command line names. Absent where none is named. */
  chat?: ChatModel;
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
  /**
   * Of a judge that asks a chat model (`chat`), what one rating costs at most. Its option `model` must be given then, and
   * the endpoint is part of the keys.
   */
  asks?(options: O): ChatCost;
  /** Those of its options that replies depend on, where not all do: with another value of the others nothing is asked again. */
  replyOptions?(options: O): Record<string, unknown>;
  /** Opened where a task first asks for a rating, and disposed of with the subject. */
  open(context: JudgeContext<O>): Promise<OpenJudge>;
}

/** How far two ratings of the same texts agree, as sums from which that is computed for one result or for many together. */
export interface JudgeAgreement {
  /** The judge that it is compared with; null: itself, asked a second time. */
  with: string | null;
  /** `overall`, `concept`, `instruct` or `fluency`. */
  rating: string;
  /** Concepts, whose texts are not independent. */
  units: string[];
  /** By unit, of the ratings x of this judge and y of the other: n, Σx, Σy, Σx², Σy², Σxy. */
  sums: number[][];
}

/** How a judge did in one evaluation. */
export interface Judging {
  judge: string;
  /** Different texts that it was to rate. */
  texts: number;
  /** Of these without a whole rating, by the reason. */
  missing: Record<string, number>;
  agreement: JudgeAgreement[];
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
