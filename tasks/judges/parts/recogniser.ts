/** @file Judge of generated text by a world's recogniser: exact about which concept and which topic a text shows. */
import type { TextJudge } from '../../../harness/contract.ts';

/** What the judge needs of a recogniser: grades 1 (weak) and 2 (clear) of the concepts and topics shown, by id. */
export type Recognise = (text: string) => {
  concept(id: string): { grade: number } | undefined;
  topic(id: string): { grade: number } | undefined;
};

/**
 * Concept: 2 for a whole surface form of the concept, 1 for telling words alone, else 0. Instruction: the same for the
 * topic that the prompt asks about. Both look at the given text alone, which must be the generated one: the prompt
 * names its topic by itself.
 */
export function recogniserJudge(recognise: Recognise): TextJudge {
  let last: { text: string; shown: ReturnType<Recognise> } | undefined;
  // A text is judged for its concept and then for its instruction: one look serves both.
  const look = (text: string) => {
    if (last?.text !== text) last = { text, shown: recognise(text) };
    return last.shown;
  };
  return {
    description:
      "The world's recogniser on the generated text: 2 = a whole surface form of the concept (or of the topic asked " +
      'about), 1 = words that only it uses, 0 = neither.',
    concept: (text, { id }) => look(text).concept(id)?.grade ?? 0,
    instruction: (text, { topic = '' }) => look(text).topic(topic)?.grade ?? 0,
  };
}
