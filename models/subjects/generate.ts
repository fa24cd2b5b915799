/** @file Batched generation with a cache of keys and values; every row has its own positions and random stream. */
import { setImmediate } from 'node:timers/promises';
import {
  type GenerateOptions,
  type NamedTensors,
  type Rng,
  type Tensor2D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { createKeyValueCache, createRng, peek } from '../../harness/kit/index.ts';
import { type CausalLm, causalLmHidden, causalLmLogits } from './causal-lm.ts';
import { batchOf } from './load.ts';
import { argmax, sampleTokens } from './sampling.ts';

/** A row that is still generating. `index` is its place among the prompts. */
interface Row {
  index: number;
  rng: Rng;
  /** Ids so far, prompt included. */
  length: number;
  next: number;
  /** Ids of its prompt. */
  prompt: number;
}

/**
 * Continues each prompt until its EOS, `maxNewTokens` or the model's longest sequence. Prompts are right-padded, so
 * columns of the prompt phase are positions, as in a forward pass; a new token then stands in a column of its own that
 * is the same for all rows while its position is the row's own. In the generated phase `context.offset` is that column.
 * Finished rows leave the batch, except where interventions run: these may hold something for every row.
 *
 * @param usualEnds Ids at which rows stop where `options` name none.
 * @returns New ids of each prompt, without EOS.
 * @throws UserError for an empty prompt, one that is too long, an unknown id or options out of range.
 */
export async function generate(
  params: NamedTensors,
  lm: CausalLm,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
  usualEnds: readonly number[] = [],
): Promise<number[][]> {
  checkOptions(lm, prompts, options);
  const { interventions, additions, seed = 0, streams, signal, maxNewTokens, temperature = 0 } = options;
  const ends = options.eosId === undefined ? usualEnds : [options.eosId];
  const out: number[][] = prompts.map(() => []);
  if (prompts.length === 0 || maxNewTokens === 0) return out;
  const root = createRng(seed).fork('generate');
  let rows = prompts.map((ids, index): Row => {
    return { index, rng: root.fork(streams?.[index] ?? index), length: ids.length, next: 0, prompt: ids.length };
  });

  signal?.throwIfAborted();
  const batch = { ...batchOf(prompts, 0), promptLengths: Int32Array.from(prompts, (ids) => ids.length) };
  const keep = new Set(rows);
  const { layers, kvHeads, headDim } = lm.stack;
  const shortest = Math.min(...prompts.map((ids) => ids.length));
  let columns = batch.length;
  const capacity = columns + Math.min(maxNewTokens, lm.maxLength - shortest);
  const caches = Array.from({ length: layers }, () => createKeyValueCache(rows.length, capacity, kvHeads * headDim));
  try {
    let output = tf.tidy(() => {
      const { hidden } = causalLmHidden(params, lm, batch, { interventions, additions, caches });
      const last = Int32Array.from(prompts, (ids, i) => i * batch.length + ids.length - 1);
      return weigh(causalLmLogits(params, lm, tf.gather(hidden!, tf.tensor1d(last, 'int32'))), temperature);
    });
    while (true) {
      const ids = await choose(output);
      output.dispose();
      rows.forEach((row, i) => {
        if (keep.has(row) && !take(row, ids[i]!)) keep.delete(row);
      });
      if (keep.size === 0) return out;
      // Lets timers, signals and progress through: the arithmetic itself never yields.
      await setImmediate();
      signal?.throwIfAborted();
      if (!interventions?.length && !additions?.length && keep.size <= rows.length / 2) {
        const kept = rows.flatMap((row, i) => (keep.has(row) ? [i] : []));
        for (const cache of caches) cache.selectRows(kept);
        rows = kept.map((i) => rows[i]!);
      }
      columns++;
      output = tf.tidy(step);
    }
  } finally {
    for (const cache of caches) cache.dispose();
  }

  /** The next token of every row; what it says of rows that are done means nothing. */
  async function choose(weights: Tensor2D): Promise<ArrayLike<number>> {
    if (temperature > 0) {
      const { topK, topP } = options;
      const u = Float64Array.from(rows, (row) => (keep.has(row) ? row.rng.uniform() : 0));
      return sampleTokens(weights, u, { topK, topP });
    }
    const values = (await peek(weights)) as Float32Array;
    return rows.map((_, i) => argmax(values.subarray(i * lm.vocab, (i + 1) * lm.vocab)));
  }

  /** Adds a row's next token; false when the row is done. */
  function take(row: Row, id: number): boolean {
    if (ends.includes(id)) return false;
    const ids = out[row.index]!;
    ids.push(id);
    row.next = id;
    row.length++;
    return ids.length < maxNewTokens && row.length < lm.maxLength;
  }

  /** Weights of the rows' next tokens. */
  function step(): Tensor2D {
    const n = rows.length;
    const ids = Int32Array.from(rows, (row) => row.next);
    const mask = Uint8Array.from(rows, (row) => (keep.has(row) ? 1 : 0));
    const positions = Int32Array.from(rows, (row) => row.length - 1);
    const { hidden } = causalLmHidden(
      params,
      lm,
      { n, length: 1, ids, mask },
      {
        ...{ interventions, additions, caches, phase: 'generated', offset: columns - 1 },
        column: { positions, seen: seenColumns() },
      },
    );
    return weigh(causalLmLogits(params, lm, hidden!), temperature);
  }

  /** Where each row may look, [n, columns]: everywhere but at its prompt's padding. */
  function seenColumns(): Uint8Array | undefined {
    if (rows.every((row) => row.prompt === batch.length)) return undefined;
    const seen = new Uint8Array(rows.length * columns).fill(1);
    rows.forEach((row, i) => {
      seen.fill(0, i * columns + row.prompt, i * columns + batch.length);
    });
    return seen;
  }
}

/** Logits [n, vocab] as what a token is chosen by: themselves at temperature 0, else probabilities. */
function weigh(logits: Tensor2D, temperature: number): Tensor2D {
  if (temperature === 0) return logits;
  if (temperature === 1) return tf.softmax(logits);
  // The largest is taken away first: divided by a tiny temperature it could be infinite.
  return tf.softmax(tf.div(tf.sub(logits, tf.max(logits, 1, true)), temperature));
}

function checkOptions(lm: CausalLm, prompts: readonly (readonly number[])[], options: GenerateOptions): void {
  const { maxNewTokens, temperature = 0, topK, topP, streams } = options;
  const refuse = (what: string, expected: string, found: unknown) =>
    new UserError(`generate: ${what}: expected ${expected}, found ${found}.`);
  if (!(Number.isInteger(maxNewTokens) && maxNewTokens >= 0))
    throw refuse('maxNewTokens', 'a whole number', maxNewTokens);
  if (!(temperature >= 0 && temperature < Infinity)) throw refuse('temperature', 'a number of at least 0', temperature);
  if (topK !== undefined && !(Number.isInteger(topK) && topK >= 1))
    throw refuse('topK', 'an integer of at least 1', topK);
  if (topP !== undefined && !(topP > 0 && topP <= 1)) throw refuse('topP', 'a number above 0 and up to 1', topP);
  if (streams && streams.length !== prompts.length) {
    throw refuse('streams', `one for each of the ${prompts.length} prompts`, streams.length);
  }
  prompts.forEach((ids, i) => {
    if (ids.length === 0 || ids.length >= lm.maxLength) {
      throw refuse(`prompt ${i}`, `1 to ${lm.maxLength - 1} ids, so that one more fits`, ids.length);
    }
    const unknown = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < lm.vocab));
    if (unknown !== undefined) throw refuse(`prompt ${i}`, `ids below ${lm.vocab}`, unknown);
  });
}
