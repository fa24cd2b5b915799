/** @file Corpora and steering prompts from a list of documents, divided by what each document says. */
import { type Dataset, type Item, type SteeringPrompt, UserError } from '../../../harness/contract.ts';
import { documentFrequencies, rareWords } from '../../judges/word-overlap.ts';
import { type Shares, useOf } from './partition.ts';

type Use = 'train' | 'test' | 'prompts';

const SHARES: Shares<Use> = [
  ['train', 13],
  ['test', 2],
  ['prompts', 1],
];

/** Words that a prompt takes over from a document, at most. */
const PROMPT_WORDS = 24;
/** Rare words that a prompt must have, so that keeping to it can be seen. */
const PROMPT_RARE = 3;

/**
 * `corpus` and `prompts` of a dataset over documents, each document once. A prompt is the first sentence of a document
 * that is in no corpus; its topic are its rarest words.
 */
export function documentCorpus(
  dataset: string,
  read: () => Promise<string[]>,
): Required<Pick<Dataset, 'corpus' | 'prompts'>> {
  let loaded: Promise<string[]> | undefined;
  const documents = () => {
    loaded ??= read().then((texts) => [...new Set(texts)]);
    return loaded;
  };
  return {
    async corpus(split, n) {
      const texts = (await documents()).filter((text) => useOf(text, SHARES) === split);
      if (texts.length === 0) {
        throw new UserError(`dataset ${dataset}: no document falls into the ${split} split; give it more documents.`);
      }
      return texts.slice(0, n).map((text, i): Item => ({ id: `${split}-${i}`, text }));
    },
    async prompts(n) {
      const all = await documents();
      const frequencies = documentFrequencies(all);
      const prompts = new Map<string, SteeringPrompt>();
      for (const text of all) {
        if (prompts.size >= n) break;
        if (useOf(text, SHARES) !== 'prompts') continue;
        const start = firstSentence(text);
        const topic = rareWords(start, frequencies, all.length).slice(0, PROMPT_RARE);
        if (topic.length < PROMPT_RARE || prompts.has(start)) continue;
        prompts.set(start, { id: `prompt-${prompts.size}`, text: start, topic: topic.join(' ') });
      }
      return [...prompts.values()];
    },
  };
}

/** The first sentence, or the first words of a long one. */
function firstSentence(text: string): string {
  const sentence = /^[^.!?]+[.!?]/.exec(text)?.[0] ?? text;
  return sentence.split(/\s+/).slice(0, PROMPT_WORDS).join(' ');
}
