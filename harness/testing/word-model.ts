/** @file A language model of five words that steering moves by known amounts, for the tests of steering. */
import { type GenerateOptions, type LanguageModel, tf } from '../contract.ts';
import { bigramModel } from './language-model.ts';

const WORDS = ['<s>', 'go', 'topic', 'concept', 'other'];
/** Words that it does not know are read as this one. */
const GO = WORDS.indexOf('go');
export const oneHot = (i: number) => WORDS.map((_, j) => (i === j ? 1 : 0));
/** Logits of the next word: after `go` the topic (4), after `topic` again (3) or the concept (2), steering adds 1 each. */
const NEXT = [
  [0, 1, 0, 0, 0],
  [0, 0, 4, 0, 1],
  [0, 0, 3, 2, 0],
  [0, 0, 0, 1, 0],
  [0, 0, 0, 0, 0],
];

/** Greedy generation of a bigram model with words for tokens. */
export function wordModel(): LanguageModel & { generated(): number } {
  const model = bigramModel(
    WORDS.map((_, i) => oneHot(i)),
    NEXT,
  );
  let generated = 0;
  const encode = (text: string) => {
    const words = [...text.matchAll(/\S+/g)];
    const ids = [0, ...words.map(([word]) => Math.max(GO, WORDS.indexOf(word)))];
    const offsets = [[0, 0], ...words.map((m) => [m.index, m.index + m[0].length])] as [number, number][];
    return { ids, offsets };
  };
  const decode = (ids: ArrayLike<number>) => Array.from(ids, (id) => WORDS[id]!).join(' ');
  return {
    ...model,
    tokenizer: { vocabSize: WORDS.length, specialIds: new Set([0]), encode, decode },
    async generate(prompts, { maxNewTokens, interventions = [] }: GenerateOptions) {
      generated += prompts.length;
      const out: number[][] = prompts.map(() => []);
      for (let step = 0; step < maxNewTokens; step++) {
        const last = Int32Array.from(prompts, (prompt, i) => [...prompt, ...out[i]!].at(-1)!);
        const batch = { n: prompts.length, length: 1, ids: last, mask: new Uint8Array(prompts.length).fill(1) };
        const logits = tf.tidy(() => model.forward(batch, { interventions }).logits!);
        const rows = await logits.array();
        logits.dispose();
        for (const [i, [row]] of rows.entries()) out[i]!.push(row!.indexOf(Math.max(...row!)));
      }
      return out;
    },
    generated: () => generated,
  };
}
