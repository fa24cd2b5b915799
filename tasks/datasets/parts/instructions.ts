/** @file Instructions that concepts are steered from, drawn for each concept as AxBench draws them from AlpacaEval. */
import { type Concept, type SteeringPrompt, UserError } from '../../../harness/contract.ts';
import { documentFrequencies, rareWords, wordsOf } from '../../judges/parts/word-overlap.ts';
import type { ConversationFormat } from './conversation.ts';
import { readDocuments } from './documents.ts';
import { numpyPermutation } from './numpy-permutation.ts';

/** Instructions of AlpacaEval: with another number the draw is another. */
const ALPACA_EVAL = 805;
/** Words taken as a prompt's topic. */
const TOPIC_MOST = 12;

export interface Instructions {
  /** For results: how they are drawn, of how many. */
  description: string;
  /** A concept's own: the first n of numpy's permutation by its number. */
  promptsOf(concept: Concept, n: number): SteeringPrompt[];
}

/** Of a file of instructions (the field `instruction`), as the prompts of a format. */
export async function readInstructions(path: string, format: ConversationFormat): Promise<Instructions> {
  const all = await readDocuments(path, 'instruction');
  const frequencies = documentFrequencies(all);
  const drawn = `each concept is steered from its own instructions, drawn by its number as AxBench draws them`;
  return {
    description: `${drawn}, of ${all.length}${all.length === ALPACA_EVAL ? '' : ` (AlpacaEval has ${ALPACA_EVAL}: not AxBench's draw)`}`,
    promptsOf({ id }, n) {
      const number = Number(/\d+$/.exec(id)?.[0] ?? Number.NaN);
      if (Number.isNaN(number)) {
        throw new UserError(`instructions ${path}: expected a concept whose id ends in its number, found '${id}'.`);
      }
      if (n > all.length) {
        throw new UserError(`instructions ${path}: expected at least ${n}, one a prompt; found ${all.length}.`);
      }
      return numpyPermutation(number, all.length)
        .slice(0, n)
        .map((place) => {
          const instruction = all[place]!;
          const rare = rareWords(instruction, frequencies, all.length).slice(0, TOPIC_MOST);
          const topic = rare.length > 0 ? rare : wordsOf(instruction);
          const { text, responseStart } = format.write(instruction, '');
          return { id: `instruction-${place}`, text: text.slice(0, responseStart), topic: topic.join(' ') };
        });
    },
  };
}
