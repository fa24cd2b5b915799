/** @file starter: a judge that looks for the words of a concept in a steered text. Change `rate` into your own. */
import { defineJudge, type JudgedRow, type Rating } from 'saxbench';

/** Options, as a task's `judgeOptions` give them in a suite. */
interface Options {
  words: Record<string, string[]>;
}

const wordsOf = (text: string): string[] => text.toLowerCase().match(/\p{L}{3,}/gu) ?? [];

/** 2 where most of the words, or longer ones that begin so, are there; 1 where some are, 0 where none is. */
function found(words: readonly string[], text: string): number {
  const there = wordsOf(text);
  const share = words.filter((word) => there.some((it) => it.startsWith(word.toLowerCase()))).length / words.length;
  return share > 0.5 ? 2 : share > 0 ? 1 : 0;
}

export default defineJudge<Options>({
  id: 'starter', // as the file is named
  title: 'starter: words of the concept',
  version: 1, // raise it when the same text gets another rating
  options: {
    words: {
      type: 'object',
      additionalProperties: { type: 'array', minItems: 1, items: { type: 'string' } },
      default: {},
      description: 'Words by id of the concept; those of its label where it is not named.',
    },
  },
  // Why it cannot judge what is made of a dataset.
  unavailable: ({ dataset }) => (dataset.modality === 'image' ? 'it reads texts' : undefined),
  // Opened once for a subject. A judge that asks a service keeps its answers with `replies.once`.
  async open({ options }) {
    // Each rating is 0, 1 or 2; null, with a reason, where there is none.
    const rate = ({ text = '', concept, prompt }: JudgedRow): Rating => {
      const words = options.words[concept.id] ?? wordsOf(concept.label);
      const asked = wordsOf(prompt.topic ?? prompt.text);
      const missing = [
        words.length === 0 && 'the concept has no words',
        asked.length === 0 && 'the prompt has no words',
      ];
      const reason = missing.find((text) => text !== false);
      return {
        concept: words.length === 0 ? null : found(words, text),
        instruct: asked.length === 0 ? null : found(asked, text),
        ...(reason ? { reason } : {}),
      };
    };
    return {
      description: 'Share of the words of the concept, and of the prompt, that the text has.',
      rate: async (rows) => rows.map(rate),
      dispose() {},
    };
  },
});
