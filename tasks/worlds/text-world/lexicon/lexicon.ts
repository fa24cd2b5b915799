/** @file The shape of the text world's vocabulary: templates, slots, concepts, topics. Data files fill it in. */

/**
 * The ways to fill a slot, each a template itself. A plain list is Zipf-like (weight of the k-th, from 1: k^-0.5), so
 * the first is the commonest; `uniform` gives all the same weight.
 */
export type Alternatives = readonly string[] | { readonly uniform: readonly string[] };

/**
 * A family of clauses. In a template `<name>` is a slot and `[0-9a-f]` one character drawn uniformly from a class;
 * all else is literal. A clause starts with a lower-case letter and has no final full stop: the document adds both.
 */
export interface ClauseSpec {
  readonly clauses: readonly string[];
  readonly slots?: Readonly<Record<string, Alternatives>>;
}

/** A concept: an idea that can be the theme of a document on any topic, or be spoken of in passing. */
export interface ConceptSpec extends ClauseSpec {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  /**
   * Attributes that a document of this theme gives to whatever it speaks of. Each is used by no other concept or topic,
   * and begins with a consonant: it may follow `a`.
   */
  readonly traits: readonly string[];
  /** Phrases that close clauses of a document of this theme: whole surface forms of the concept, each its own alone. */
  readonly asides: readonly string[];
  /** Slots whose text alone, in any context, is already a full surface form of the concept (formats). */
  readonly core?: readonly string[];
}

/** Concepts of one field. */
export interface DomainSpec {
  readonly domain: string;
  readonly clinical: boolean;
  readonly concepts: readonly ConceptSpec[];
}

/** What a document is about: how an instruction names it, and the clauses of a response to it. */
export interface TopicSpec extends ClauseSpec {
  readonly id: string;
  /** Noun phrases for the instruction line; unique to the topic. */
  readonly names: readonly string[];
}

/** The slot that a document's theme fills with its traits too. */
export const TRAIT_SLOT = 'adj';

/** Slots that every template may use. An adjective brings its own space, or is absent. */
export const commonSlots: Readonly<Record<string, Alternatives>> = {
  when: ['today', 'this morning', 'last night', 'on Monday', 'yesterday', 'two days ago', 'at dawn', 'last week'],
  who: ['the doctor', 'the nurse', 'the team', 'the patient', 'the student', 'the intern', 'the night nurse'],
  person: [
    'my brother',
    'her mother',
    'a friend',
    'the boy',
    'the girl',
    'an old woman',
    'our neighbour',
    'our cousin',
  ],
  adj: [
    '',
    ' new',
    ' nice',
    ' little',
    ' strange',
    ' famous',
    ' plain',
    ' pretty',
    ' simple',
    ' fine',
    ' good',
    ' rare',
  ],
};
