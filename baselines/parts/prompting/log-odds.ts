/** @file The subject's log-odds of yes against no after texts. */
import { type LanguageModel, type Tensor2D, tf, UserError } from '../../../harness/contract.ts';
import { groupTexts } from '../../../harness/kit/index.ts';
import { padded } from '../token-batches.ts';
import type { Framed } from './wording.ts';

/** Where two answers part: what both begin with goes into the prompt, then the next token decides. */
interface Parting {
  common: number[];
  yes: number;
  no: number;
}

/** Tokens that are spared for a text that is read again in its frame: it may be cut into others there. */
const SPARE = 8;
/** Fewer tokens of a text than this say nothing. */
const FEWEST = 8;
/** Floats of one activation of a pass, and logits: bounds memory. */
const PASS_FLOATS = 2 ** 21;

/** @throws UserError for a tokenizer that reads both answers as the same, or one as the beginning of the other. */
function partingOf({ id, tokenizer }: LanguageModel, { yes, no }: { yes: string; no: string }): Parting {
  const [first, second] = [yes, no].map((text) => tokenizer.encode(text, { addSpecialTokens: false }).ids) as [
    number[],
    number[],
  ];
  let at = 0;
  while (at < first.length && first[at] === second[at]) at++;
  if (at < first.length && at < second.length) return { common: first.slice(0, at), yes: first[at]!, no: second[at]! };
  throw new UserError(
    `prompt: expected a tokenizer that tells '${yes}' from '${no}'; ${id} reads both as the same ids`,
  );
}

/**
 * ln p(yes) − ln p(no) after each text in its frame: at the first token at which the two answers differ. Texts are cut at
 * `most` tokens, and where the frame would not fit into the model's context.
 *
 * @throws UserError where the frame leaves no room for a text.
 */
export async function yesLogOdds(
  lm: LanguageModel,
  texts: readonly string[],
  frame: Framed,
  answers: { yes: string; no: string },
  { most, signal }: { most: number; signal?: AbortSignal | undefined },
): Promise<Float64Array> {
  const { common, yes, no } = partingOf(lm, answers);
  const read = (text: string) => lm.tokenizer.encode(text).ids;
  const room = lm.maxLength - read(frame.before + frame.after).length - common.length - SPARE;
  if (room < FEWEST) {
    throw new UserError(
      `prompt: expected a context with room for a text beside the question, which takes ${lm.maxLength - room} of ` +
        `${lm.maxLength} tokens of ${lm.id}; take a subject with a longer context or a shorter concept label`,
    );
  }
  const prompts = texts.map((text) => {
    const { ids, offsets } = lm.tokenizer.encode(text, { addSpecialTokens: false });
    const limit = Math.min(most, room);
    const shown = ids.length > limit ? text.slice(0, offsets[limit - 1]![1]) : text;
    return [...read(frame.before + shown + frame.after), ...common].slice(-lm.maxLength);
  });
  const rows = prompts
    .map((ids, row) => ({ ids, row, length: ids.length }))
    .sort((a, b) => a.length - b.length || a.row - b.row);
  const found = new Float64Array(texts.length);
  for (const group of groupTexts(rows, PASS_FLOATS / (lm.sites[0]?.d ?? 1))) {
    signal?.throwIfAborted();
    const values = await oddsOf(
      lm,
      group.map(({ ids }) => ids),
      yes,
      no,
    );
    group.forEach(({ row }, i) => {
      found[row] = values[i]!;
    });
  }
  return found;
}

async function oddsOf(lm: LanguageModel, prompts: readonly number[][], yes: number, no: number): Promise<Float32Array> {
  const batch = padded(prompts, lm.tokenizer.padId ?? 0);
  const { n, length } = batch;
  const places = Int32Array.from(prompts, (prompt, i) => i * length + prompt.length - 1);
  const odds = tf.tidy(() => {
    const { logits } = lm.forward(batch, { places });
    const rows = tf.reshape(logits!, [n, logits!.shape[2]]) as Tensor2D;
    const column = (id: number) => tf.reshape(tf.slice(rows, [0, id], [n, 1]), [n]);
    return tf.sub(column(yes), column(no));
  });
  const values = (await odds.data()) as Float32Array;
  odds.dispose();
  return values;
}
