/** @file Corpora and steering prompts from a list of documents, divided by what each document says. */
import { type Dataset, type Item, type SteeringPrompt, UserError } from '../../../harness/contract.ts';
import { documentFrequencies, rareWords } from '../../judges/parts/word-overlap.ts';
import { type Shares, useOf } from './partition.ts';

type Use = 'train' | 'test' | 'prompts';

const SHARES: Shares<Use> = [
  ['train', 13],
  ['test', 2],
  ['prompts', 1],
];

/** A prompt ends with the sentence that brings it to this many words, and has no more than `PROMPT_MOST`. */
const PROMPT_ENOUGH = 36;
const PROMPT_MOST = 60;
/** Telling words that a prompt must have, so that keeping to it can be seen, and those taken as its topic. */
const TOPIC_LEAST = 3;
const TOPIC_MOST = 12;

/**
 * `corpus` and `prompts` of a dataset over documents, each document once. A prompt is the beginning of a document that
 * is in no corpus; its topic are its rarest words. `cut` makes the items of the corpus from a document, all of one split.
 */
export function documentCorpus(
  dataset: string,
  read: () => Promise<string[]>,
  cut: (document: string) => string[] = (document) => [document],
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
      const items = texts.flatMap(cut).slice(0, n);
      return items.map((text, i): Item => ({ id: `${split}-${i}`, text }));
    },
    async prompts(n) {
      const all = await documents();
      return promptsFrom(
        all.filter((text) => useOf(text, SHARES) === 'prompts'),
        all,
        n,
      );
    },
  };
}

/** Prompts of the beginnings of some of all documents, each beginning once; its topic are the words that are rarest in all. */
export function promptsFrom(documents: readonly string[], all: readonly string[], n: number): SteeringPrompt[] {
  const frequencies = documentFrequencies(all);
  const prompts = new Map<string, SteeringPrompt>();
  for (const text of documents) {
    if (prompts.size >= n) break;
    const start = firstSentences(text);
    const topic = rareWords(start, frequencies, all.length).slice(0, TOPIC_MOST);
    if (topic.length < TOPIC_LEAST || prompts.has(start)) continue;
    prompts.set(start, { id: `prompt-${prompts.size}`, text: start, topic: topic.join(' ') });
  }
  return [...prompts.values()];
}

/** Whole sentences from the beginning, or the first words where these are too long. */
function firstSentences(text: string): string {
  let start = '';
  for (const [sentence] of text.matchAll(/[^.!?]+[.!?]+["']?|[^.!?]+$/g)) {
    start += sentence;
    if (start.split(/\s+/).length >= PROMPT_ENOUGH) break;
  }
  return start.trim().split(/\s+/).slice(0, PROMPT_MOST).join(' ');
}
