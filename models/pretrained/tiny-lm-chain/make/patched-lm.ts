/** @file Continuations of a language model with the activations of other texts at the ends of its own. */
import { type Intervention, type LanguageModel, type Tensor3D, tf } from '../../../../harness/contract.ts';
import { batchOf } from '../../../subjects/load.ts';
import type { Continue, Patch } from './gate.ts';

/** How `subject` goes on, at temperature 1: a row draws the same random numbers whether it is patched or not. */
export function continuations(
  subject: LanguageModel,
  { maxNewTokens, seed }: { maxNewTokens: number; seed: number },
): Continue {
  const { tokenizer } = subject;
  const idsOf = (texts: readonly string[]) => texts.map((text) => [...tokenizer.encode(text).ids]);
  return async (texts, patch) => {
    const prompts = idsOf(texts);
    const interventions = patch ? [patchOf(subject, prompts, patch)] : [];
    const rows = await subject.generate(prompts, { maxNewTokens, temperature: 1, seed, interventions });
    return rows.map((ids) => tokenizer.decode(ids, { skipSpecialTokens: true }));
  };
}

/**
 * Replaces the activations of the last tokens of each prompt by those of the donor's last tokens.
 *
 * @throws Error for more tokens than a prompt or its donor has.
 */
function patchOf(subject: LanguageModel, prompts: readonly number[][], { site, donors, tokens }: Patch): Intervention {
  const { tokenizer } = subject;
  const sources = donors.map((text) => [...tokenizer.encode(text).ids]);
  tokens.forEach((count, row) => {
    const most = Math.min(prompts[row]!.length, sources[row]!.length);
    if (count > most) throw new Error(`patch: row ${row}: expected at most ${most} tokens, found ${count}`);
  });
  const donorBatch = batchOf(sources, tokenizer.padId ?? 0);
  const columns = Math.max(...prompts.map(({ length }) => length));
  // Where each position of the prompts takes its activation from: a row of donors, then of the prompts' own.
  const offset = donorBatch.n * donorBatch.length;
  const from = Int32Array.from({ length: prompts.length * columns }, (_, i) => offset + i);
  prompts.forEach((ids, row) => {
    for (let back = 1; back <= tokens[row]!; back++) {
      from[row * columns + ids.length - back] = row * donorBatch.length + sources[row]!.length - back;
    }
  });
  return {
    site,
    apply(x, { phase }) {
      if (phase !== 'prompt') return x;
      const donor = subject.forward(donorBatch, { capture: [site], output: false }).captured[site]!;
      const d = x.shape[2];
      const both = tf.concat([tf.reshape(donor, [-1, d]), tf.reshape(x, [-1, d])]);
      return tf.reshape(tf.gather(both, tf.tensor1d(from, 'int32')), x.shape) as Tensor3D;
    },
  };
}
