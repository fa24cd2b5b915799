/** @file Decides from text alone which concepts and which topic it shows, in whole and in broken text. */
import { createEvidence } from './evidence.ts';
import type { Node } from './grammar.ts';
import { compileSlotOf } from './grammar.ts';
import { parse } from './parse.ts';
import { surfacePattern } from './pattern.ts';
import type { Concept, Topic } from './world.ts';

/** 0 absent, 1 weak or broken, 2 a clear and whole surface form. */
export type Grade = 0 | 1 | 2;

/** How a text shows one concept or topic. */
export interface Shown {
  readonly grade: Grade;
  /** Whole surface forms found. */
  readonly count: number;
  /** Where, in characters [start, end): the whole forms, or for grade 1 the telling words. */
  readonly spans: readonly { readonly start: number; readonly end: number }[];
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

/** A recogniser over these concepts and topics. */
export function createRecogniser(
  concepts: readonly Concept[],
  topics: readonly Topic[],
): (text: string) => Recognition {
  const conceptForms = concepts.map((concept) => ({ id: concept.id, pattern: surfacePattern(surfaceForms(concept)) }));
  const topicForms = topics.map((topic) => ({ id: topic.id, pattern: surfacePattern([topic.clause]) }));
  const evidence = createEvidence([...concepts, ...topics]);

  return (text) => {
    const firstLine = text.split('\n', 1)[0]!;
    const asked = topics.find((topic) => parse(topic.instruction, firstLine) !== null);
    // The instruction names the topic by itself: only the response shows whether it was followed.
    const offset = asked ? firstLine.length : 0;
    const body = lowerSentenceStarts(text.slice(offset));
    const weak = evidence(body);
    const shownBy = (entries: readonly { id: string; pattern: RegExp }[]): Map<string, Shown> => {
      const shown = new Map<string, Shown>();
      for (const { id, pattern } of entries) {
        const whole = [...body.matchAll(pattern)].map((m) => ({ start: m.index, end: m.index + m[0].length }));
        const spans = whole.length > 0 ? whole : (weak.get(id) ?? []);
        if (spans.length === 0) continue;
        const moved = spans.map(({ start, end }) => ({ start: start + offset, end: end + offset }));
        shown.set(id, { grade: whole.length > 0 ? 2 : 1, count: whole.length, spans: moved });
      }
      return shown;
    };
    const shownTopics = shownBy(topicForms);
    const best = [...shownTopics].sort(([, a], [, b]) => b.grade - a.grade || b.count - a.count)[0];
    return {
      concepts: shownBy(conceptForms),
      topics: shownTopics,
      topic: best?.[0] ?? null,
      instructionTopic: asked?.id ?? null,
    };
  };
}

/** The grammars whose text alone is a full surface form: the clause, and for formats the form itself. */
function surfaceForms(concept: Concept): Node[] {
  return [concept.clause, ...(concept.spec.core ?? []).map((slot) => compileSlotOf(concept.spec, slot, concept.id))];
}

/** Clauses are written without capitals: lower the first letter of every sentence, however it came about. */
function lowerSentenceStarts(body: string): string {
  return body.replace(
    /(^|[.!?\n]\s*)([A-Z])(?=[a-z]* )/g,
    (_, before: string, letter: string) => before + letter.toLowerCase(),
  );
}
