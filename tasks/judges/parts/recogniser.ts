/** @file Judge of generated text by a world's recogniser: exact about which concept and which topic a text shows. */
import type { TextJudge } from '../../../harness/contract.ts';
import { denied } from './negation.ts';

/** A concept or topic as a text shows it: grade 1 (weak) or 2 (clear), and the characters at which each mention starts. */
interface Sighting {
  grade: number;
  spans: readonly { start: number }[];
}

/** What the judge needs of a recogniser: the concepts and topics shown, by id. */
export type Recognise = (text: string) => {
  concept(id: string): Sighting | undefined;
  topic(id: string): Sighting | undefined;
};

/**
 * Concept: 2 for a whole surface form of the concept, 1 for telling words alone, else 0; of a concept whose every mention is
 * denied ("no fever") 1 at most. Instruction: the same for the topic that the prompt asks about. Both look at the given text
 * alone, which must be the generated one: the prompt names its topic by itself.
 */
export function recogniserJudge(recognise: Recognise): TextJudge {
  let last: { text: string; shown: ReturnType<Recognise> } | undefined;
  // A text is judged for its concept and then for its instruction: one look serves both.
  const look = (text: string) => {
    if (last?.text !== text) last = { text, shown: recognise(text) };
    return last.shown;
  };
  const gradeOf = (text: string, sighting: Sighting | undefined): number => {
    const { grade = 0, spans = [] } = sighting ?? {};
    return spans.length > 0 && spans.every(({ start }) => denied(text, start)) ? Math.min(grade, 1) : grade;
  };
  return {
    description:
      "The world's recogniser on the generated text: 2 = a whole surface form of the concept (or of the topic asked " +
      'about), 1 = words that only it uses (of topics: that to which most such words belong), or mentions that are all denied ' +
      '(no, not, never, without … within four words before), 0 = neither.',
    concept: (text, { id }) => gradeOf(text, look(text).concept(id)),
    instruction: (text, { topic = '' }) => gradeOf(text, look(text).topic(topic)),
  };
}
