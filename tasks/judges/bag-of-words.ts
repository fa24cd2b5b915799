/** @file A judge for any dataset of labelled texts: bags of words, and whether the prompt's telling words come again. */
import { defineJudge } from '../../harness/contract.ts';
import { gradesOfSet } from './parts/bag-of-words.ts';
import { ECHO_RULE, ownWords } from './parts/own-words.ts';
import { keepsToTopic, wordsOf } from './parts/word-overlap.ts';

/** A second opinion where a dataset has a judge, and one where it has none. */
export default defineJudge({
  id: 'bag-of-words',
  title: 'Bags of words, fitted on labelled texts',
  version: 2,
  options: {},
  unavailable: ({ dataset }) =>
    dataset.concepts && dataset.modality === 'text' ? undefined : 'the dataset has no labelled texts',
  async open({ dataset }) {
    const set = await dataset.concepts!({});
    const grade = gradesOfSet(() => set);
    return {
      description:
        'Concept: a bag of words fitted on training texts, 1 above the 95th percentile of held-out texts without the ' +
        'concept, 2 if also at or above the median of those with it; a denied mention counts like any other. Instruction: ' +
        `whether the words of the topic come again. ${ECHO_RULE}`,
      rate: async (rows) =>
        rows.map(({ text = '', concept, prompt }) => {
          const own = ownWords(text, prompt.text);
          const shown = grade(own, concept);
          if (wordsOf(prompt.topic ?? '').length > 0) return { concept: shown, instruct: keepsToTopic(own, prompt) };
          return { concept: shown, instruct: null, reason: 'the prompt names no topic' };
        }),
      dispose() {},
    };
  },
});
