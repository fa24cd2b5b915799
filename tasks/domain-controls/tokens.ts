/** @file Localisation: does a detector answer on the very words that show a concept, within the texts that have it? */
import {
  type Concept,
  type FittedMethod,
  type LabelledActivations,
  type LanguageModel,
  tf,
} from '../../harness/contract.ts';
import { auroc, codesCsr, disposeCodes, joined, peek } from '../../harness/kit/index.ts';

/** What gives a score to every position: a latent with its sign, or the method's own detector. */
export type TokenDetector = { latent: number; sign: number } | 'detector';

/** Places where a concept stands in a text, and the texts' rows: 1 on a token of the concept, 0 on any other one. */
export interface MarkedRows {
  rows: Uint32Array;
  labels: Uint8Array;
}

/**
 * The kept rows of the items that know the places of a concept.
 *
 * @returns undefined where no item knows them, or all tokens are of one kind.
 */
export function markedRows(
  { set, activations }: Pick<LabelledActivations, 'set' | 'activations'>,
  { tokenizer }: Pick<LanguageModel, 'tokenizer'>,
  { id }: Concept,
  places: Uint32Array,
): MarkedRows | undefined {
  const { bounds, keep, positions, tokenIds } = activations;
  const [rows, labels]: [number[], number[]] = [[], []];
  for (const place of places) {
    const { text, spans } = set.items[place]!;
    const own = spans?.filter(({ concept }) => concept === id) ?? [];
    if (text === undefined || own.length === 0) continue;
    const { ids, offsets } = tokenizer.encode(text);
    for (let row = bounds[place]!; row < bounds[place + 1]!; row++) {
      const at = positions[row]!;
      if (keep[row] !== 1) continue;
      if (ids[at] !== tokenIds[row])
        throw new Error(`internal: item '${set.items[place]!.id}' is tokenised in two ways`);
      const [start, end] = offsets[at]!;
      rows.push(row);
      labels.push(Number(own.some((span) => start < span.end && end > span.start)));
    }
  }
  const marked = labels.reduce((sum, label) => sum + label, 0);
  return marked === 0 || marked === labels.length
    ? undefined
    : { rows: Uint32Array.from(rows), labels: Uint8Array.from(labels) };
}

/** AUROC of the tokens of a concept against the others of the same texts; null of a detector that scores whole items alone. */
export async function tokenAuroc(
  method: FittedMethod,
  { activations }: Pick<LabelledActivations, 'activations'>,
  concept: Concept,
  by: TokenDetector,
  { rows, labels }: MarkedRows,
): Promise<number | null> {
  const score = by === 'detector' ? method.detector?.(concept)?.score : undefined;
  if (by === 'detector' ? !score : !method.encode) return null;
  const parts: Float32Array[] = [];
  for (let from = 0; from < rows.length; ) {
    // Rows of one text stand one after the other.
    let to = from + 1;
    while (to < rows.length && rows[to] === rows[to - 1]! + 1) to++;
    parts.push(await activations.read(rows[from]!, rows[to - 1]! + 1));
    from = to;
  }
  const x = tf.tensor2d(joined(Float32Array, parts), [rows.length, activations.d_in]);
  try {
    if (by === 'detector') {
      const tensor = tf.tidy(() => score!(x));
      const values = await peek(tensor);
      tensor.dispose();
      return auroc(Float64Array.from(values), labels);
    }
    const codes = tf.tidy(() => method.encode!(x));
    const { indptr, indices, values } = await codesCsr(codes);
    disposeCodes(codes);
    const own = new Float64Array(rows.length);
    for (let row = 0; row < rows.length; row++)
      for (let at = indptr[row]!; at < indptr[row + 1]!; at++)
        if (indices[at] === by.latent) own[row] = by.sign * values[at]!;
    return auroc(own, labels);
  } finally {
    x.dispose();
  }
}
