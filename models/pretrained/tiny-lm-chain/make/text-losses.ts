/** @file The loss of texts by a language model, without that of control tokens, which stand in them unpredicted. */
import { type LanguageModel, type Tensor2D, tf } from '../../../../harness/contract.ts';
import { targetLosses } from '../../../../harness/kit/index.ts';
import { batchOf } from '../../../subjects/load.ts';

/** Sum in nats over the predicted tokens of a text, its end included, and how many these are. */
export interface TextLoss {
  sum: number;
  tokens: number;
}

/** Texts in a pass. */
const BATCH = 32;

/** The loss of each text; tokens from the id `firstTag` on are not predicted. */
export function textLosses(subject: LanguageModel, texts: readonly string[], firstTag: number): TextLoss[] {
  const { tokenizer } = subject;
  const losses: TextLoss[] = [];
  for (let start = 0; start < texts.length; start += BATCH) {
    const rows = texts.slice(start, start + BATCH).map((text) => [...tokenizer.encode(text).ids, tokenizer.eosId!]);
    const batch = batchOf(rows, tokenizer.padId ?? 0);
    const places = rows.map((ids, row) =>
      ids.slice(1).flatMap((id, column) => (id < firstTag ? [row * batch.length + column] : [])),
    );
    const all = Int32Array.from(places.flat());
    const targets = all.map((place) => batch.ids[place + 1]!);
    const tensor = tf.tidy(() => {
      const logits = subject.forward(batch, { places: all }).logits!;
      return targetLosses(tf.reshape(logits, [all.length, -1]) as Tensor2D, targets);
    });
    const values = tensor.dataSync<'float32'>();
    tensor.dispose();
    let at = 0;
    for (const { length: tokens } of places) {
      losses.push({ sum: values.subarray(at, at + tokens).reduce((sum, value) => sum + value, 0), tokens });
      at += tokens;
    }
  }
  return losses;
}
