/** @file One item as a method sees it: the values of latents on its rows, and its text in the pieces that those are of. */
import type { ActivationSet } from '../contract/data.ts';
import type { FittedMethod } from '../contract/methods.ts';
import type { Tokenizer } from '../contract/subject.ts';
import { peek } from '../num/peek.ts';
import { tf } from '../num/tf.ts';
import { disposeCodes } from './codes.ts';

/** Values of latents on the rows of one item, those that do not count at 0: latent → [rows]. */
export async function rowValues(
  method: Pick<FittedMethod, 'encode'>,
  set: ActivationSet,
  item: number,
  latents: readonly number[],
): Promise<Map<number, Float32Array>> {
  const [first, end] = [set.bounds[item]!, set.bounds[item + 1]!];
  const rows = Array.from({ length: end - first }, (_, i) => i).filter((i) => set.keep[first + i] === 1);
  const found = new Map(latents.map((latent) => [latent, new Float32Array(end - first)]));
  if (rows.length === 0) return found;
  const all = await set.read(first, end);
  const kept = new Float32Array(rows.length * set.d_in);
  rows.forEach((row, i) => {
    kept.set(all.subarray(row * set.d_in, (row + 1) * set.d_in), i * set.d_in);
  });
  const codes = tf.tidy(() => method.encode!(tf.tensor2d(kept, [rows.length, set.d_in])));
  try {
    const values = (await peek(codes.values)) as Float32Array;
    const width = codes.values.shape[1];
    if (codes.kind === 'dense') {
      for (const [latent, own] of found) {
        rows.forEach((row, i) => {
          own[row] = values[i * width + latent]!;
        });
      }
      return found;
    }
    const indices = await peek(codes.indices);
    rows.forEach((row, i) => {
      for (let at = i * width; at < (i + 1) * width; at++) {
        const own = found.get(indices[at]!);
        if (own && values[at] !== 0) own[row] = values[at]!;
      }
    });
    return found;
  } finally {
    disposeCodes(codes);
  }
}

/** A text by the rows of its activations. */
export interface TextPieces {
  /** What each shown token adds to the text, with the blanks before it. */
  pieces: string[];
  /** The row of each within the item. */
  rows: number[];
}

/** Tokens of the text that are rows of the item, those without characters left out; undefined where rows are not its tokens. */
export function textPieces(text: string, ids: Int32Array, tokenizer: Tokenizer): TextPieces | undefined {
  if (ids.length < 2 || ids.some((id) => id < 0)) return undefined;
  const encoded = (addSpecialTokens: boolean) => {
    const own = tokenizer.encode(text, { addSpecialTokens });
    return ids.length <= own.ids.length && ids.every((id, i) => id === own.ids[i]) ? own : undefined;
  };
  const found = encoded(true) ?? encoded(false);
  if (!found) return undefined;
  const [pieces, rows]: [string[], number[]] = [[], []];
  let end = 0;
  for (let row = 0; row < ids.length; row++) {
    const [start, stop] = found.offsets[row]!;
    if (stop <= Math.max(start, end)) continue;
    pieces.push(text.slice(end, stop));
    rows.push(row);
    end = stop;
  }
  return { pieces, rows };
}
