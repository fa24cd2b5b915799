/** @file Decides from text alone which concepts and which topic it shows, in whole and in broken text. */

import type { Concept, Topic } from './concepts.ts';
import { createEvidence } from './evidence.ts';
import type { Node } from './grammar.ts';
import { compileSlotOf, text, textsOf } from './grammar.ts';
import { type Place, surfaceFinder } from './pattern.ts';

/** 0 absent, 1 weak or broken, 2 a clear and whole surface form. */
export type Grade = 0 | 1 | 2;

/** How a text shows one concept or topic. */
export interface Shown {
  readonly grade: Grade;
  /** Whole surface forms found. */
  readonly count: number;
  /** Where, in characters [start, end): the whole forms, or for grade 1 the telling words. */
  readonly spans: readonly Place[];
}

/** What a text shows. */
export interface Recognition {
  /** Only what is shown (grade at least 1). */
  readonly concepts: ReadonlyMap<string, Shown>;
  readonly topics: ReadonlyMap<string, Shown>;
  /** The topic shown most, by grade and then count; null when none is. */
  readonly topic: string | null;
  /** The topic that the first line asks about, or null when it is no instruction of this world. */
  readonly instructionTopic: string | null;
}

/** What a text shows of the concepts and topics asked for, one by one: undefined is nothing. */
export interface Look {
  concept(id: string): Shown | undefined;
  topic(id: string): Shown | undefined;
  readonly instructionTopic: string | null;
}

/** Whole forms to look for: of a concept or of a topic. */
interface Form {
  readonly id: string;
  readonly find: (text: string) => Place[];
}

/** A recogniser over these concepts and topics: of all of them, or of those that are asked for. */
export function createRecogniser(
  concepts: readonly Concept[],
  topics: readonly Topic[],
): { recognise(text: string): Recognition; look(text: string): Look } {
  const traits = concepts.flatMap(({ spec }) => spec.traits);
  const formsOf = (entries: readonly { id: string; nodes: () => Node[] }[]) => {
    const made = new Map<string, Form>();
    const nodesOf = new Map(entries.map(({ id, nodes }) => [id, nodes]));
    return (id: string): Form | undefined => {
      const nodes = nodesOf.get(id);
      let form = made.get(id);
      if (!form && nodes) {
        form = { id, find: surfaceFinder(nodes(), traits) };
        made.set(id, form);
      }
      return form;
    };
  };
  const conceptForm = formsOf(concepts.map((concept) => ({ id: concept.id, nodes: () => surfaceForms(concept) })));
  const topicForm = formsOf(topics.map(({ id, clause }) => ({ id, nodes: () => [clause] })));
  const evidence = createEvidence([...concepts, ...topics]);
  const asking = new Map<string, string>();
  for (const { id, instruction } of topics) {
    for (const line of textsOf(instruction)) if (!asking.has(line)) asking.set(line, id);
  }

  function look(text: string): Look {
    const firstLine = text.split('\n', 1)[0]!;
    const instructionTopic = asking.get(firstLine) ?? null;
    // The instruction names the topic by itself: only the response shows whether it was followed.
    const offset = instructionTopic === null ? 0 : firstLine.length;
    const body = lowerSentenceStarts(text.slice(offset));
    const weak = evidence(body);
    const shownBy = (form: Form | undefined, told: readonly Place[] | undefined): Shown | undefined => {
      if (!form) return undefined;
      const whole = form.find(body);
      const spans = whole.length > 0 ? whole : (told ?? []);
      if (spans.length === 0) return undefined;
      const moved = spans.map(({ start, end }) => ({ start: start + offset, end: end + offset }));
      return { grade: whole.length > 0 ? 2 : 1, count: whole.length, spans: moved };
    };
    // A list of words on many topics is on none: words tell of the topic that most of them belong to.
    const onTopics = topics.reduce((sum, { id }) => sum + (weak.get(id)?.length ?? 0), 0);
    const mainly = (id: string) => {
      const told = weak.get(id);
      return told && 2 * told.length >= onTopics ? told : undefined;
    };
    return {
      concept: (id) => shownBy(conceptForm(id), weak.get(id)),
      topic: (id) => shownBy(topicForm(id), mainly(id)),
      instructionTopic,
    };
  }

  function recognise(text: string): Recognition {
    const { concept, topic, instructionTopic } = look(text);
    const shownOf = (ids: readonly { id: string }[], one: (id: string) => Shown | undefined): Map<string, Shown> => {
      const shown = ids.map(({ id }) => [id, one(id)] as const);
      return new Map(shown.filter((entry): entry is readonly [string, Shown] => entry[1] !== undefined));
    };
    const shownTopics = shownOf(topics, topic);
    const best = [...shownTopics].sort(([, a], [, b]) => b.grade - a.grade || b.count - a.count)[0];
    return { concepts: shownOf(concepts, concept), topics: shownTopics, topic: best?.[0] ?? null, instructionTopic };
  }

  return { recognise, look };
}

/** The grammars whose text alone is a full surface form: the clause, the asides, and for formats the form itself. */
function surfaceForms(concept: Concept): Node[] {
  const { asides } = concept.spec;
  return [
    concept.clause,
    ...asides.map(text),
    ...(concept.spec.core ?? []).map((slot) => compileSlotOf(concept.spec, slot, concept.id)),
  ];
}

/** Clauses are written without capitals: lower the first letter of every sentence, however it came about. */
function lowerSentenceStarts(body: string): string {
  return body.replace(
    /(^|[.!?\n]\s*)([A-Z])(?=[a-z]* )/g,
    (_, before: string, letter: string) => before + letter.toLowerCase(),
  );
}
