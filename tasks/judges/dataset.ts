/** @file The judge that comes with a dataset: it knows what its own concepts and topics look like. */
import { defineJudge, type TextJudge } from '../../harness/contract.ts';
import { ECHO_RULE, ownWords } from './parts/own-words.ts';

/** Scores of each different text are computed once. */
function remembered(judge: TextJudge): Pick<TextJudge, 'concept' | 'instruction'> {
  const known = new Map<string, number>();
  const once = (key: string, score: () => number): number => {
    const value = known.get(key) ?? score();
    known.set(key, value);
    return value;
  };
  return {
    concept: (text, concept) => once(`concept ${concept.id}\n${text}`, () => judge.concept(text, concept)),
    instruction: (text, prompt) => once(`prompt ${prompt.id}\n${text}`, () => judge.instruction(text, prompt)),
  };
}

/** A world's recogniser, or the bag of words of a labelled dataset; fluency is left to the task. */
export default defineJudge({
  id: 'dataset',
  title: "The dataset's own judge",
  version: 2,
  options: {},
  unavailable: ({ dataset }) => (dataset.judge ? undefined : 'the dataset has no judge'),
  async open({ dataset }) {
    const judge = dataset.judge!;
    await judge.ready?.();
    const { concept: shown, instruction } = remembered(judge);
    return {
      description: `${judge.description} ${ECHO_RULE}`,
      rate: async (rows) =>
        rows.map(({ text = '', concept, prompt }) => {
          const own = ownWords(text, prompt.text);
          return { concept: shown(own, concept), instruct: instruction(own, prompt) };
        }),
      dispose() {},
    };
  },
});
