/** @file Batched generation with a cache of keys and values; every row has its own positions and random stream. */
import { setImmediate } from 'node:timers/promises';
import {
  createRng,
  type GenerateOptions,
  type NamedTensors,
  type Rng,
  type Tensor4D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import type { KeyValues } from './attention.ts';
import type { LlamaConfig } from './llama-config.ts';
import { llamaHidden, llamaLogits } from './llama-forward.ts';
import { batchOf } from './load.ts';
import { argmax, sampleToken } from './sampling.ts';

/** A row that is still generating. `index` is its place among the prompts. */
interface Row {
  index: number;
  rng: Rng;
  /** Ids so far, prompt included. */
  length: number;
  next: number;
}

/**
 * Continues each prompt until its EOS, `maxNewTokens` or the model's longest sequence. Prompts are right-padded, so
 * columns of the prompt phase are positions, as in a forward pass; a new token then stands in a column of its own that
 * is the same for all rows while its position is the row's own. In the generated phase `context.offset` is that column.
 * Finished rows leave the batch, except where interventions run: these may hold something for every row.
 *
 * @returns New ids of each prompt, without EOS.
 * @throws UserError for an empty prompt, one that is too long, an unknown id or options out of range.
 */
export async function generate(
  params: NamedTensors,
  config: LlamaConfig,
  prompts: readonly (readonly number[])[],
  options: GenerateOptions,
): Promise<number[][]> {
  checkOptions(config, prompts, options);
  const { interventions, seed = 0, streams, signal, maxNewTokens } = options;
  const out: number[][] = prompts.map(() => []);
  if (prompts.length === 0 || maxNewTokens === 0) return out;
  const root = createRng(seed).fork('generate');
  let rows = prompts.map((ids, index): Row => {
    return { index, rng: root.fork(streams?.[index] ?? index), length: ids.length, next: 0 };
  });

  signal?.throwIfAborted();
  const batch = batchOf(prompts, 0);
  const keep = new Set(rows);
  let seen = rows.map((_, i) => batch.mask.slice(i * batch.length, (i + 1) * batch.length));
  let state = tf.tidy(() => {
    const { hidden, keyValues } = llamaHidden(params, config, batch, { interventions, keep: true });
    const last = Int32Array.from(prompts, (ids, i) => i * batch.length + ids.length - 1);
    return { logits: llamaLogits(params, config, tf.gather(hidden!, tf.tensor1d(last, 'int32'))), keyValues };
  });
  try {
    while (true) {
      const logits = await state.logits.data();
      state.logits.dispose();
      rows.forEach((row, i) => {
        if (keep.has(row) && !take(row, logits.subarray(i * config.vocab, (i + 1) * config.vocab))) keep.delete(row);
      });
      if (keep.size === 0) return out;
      // Lets timers, signals and progress through: the arithmetic itself never yields.
      await setImmediate();
      signal?.throwIfAborted();
      if (!interventions?.length && keep.size <= rows.length / 2) {
        const kept = rows.flatMap((row, i) => (keep.has(row) ? [i] : []));
        state.keyValues = selectRows(state.keyValues, kept);
        rows = kept.map((i) => rows[i]!);
        seen = kept.map((i) => seen[i]!);
      }
      seen = seen.map((columns) => Uint8Array.of(...columns, 1));
      state = step(state.keyValues);
    }
  } finally {
    tf.dispose(state);
  }

  /** Draws a row's next token; false when the row is done. */
  function take(row: Row, logits: ArrayLike<number>): boolean {
    const { temperature = 0, topK, topP, eosId } = options;
    const id = temperature === 0 ? argmax(logits) : sampleToken(logits, row.rng.uniform(), { temperature, topK, topP });
    if (id === eosId) return false;
    const ids = out[row.index]!;
    ids.push(id);
    row.next = id;
    row.length++;
    return ids.length < maxNewTokens && row.length < config.maxLength;
  }

  function step(past: KeyValues[]) {
    const n = rows.length;
    const columns = seen[0]!.length;
    const flat = new Uint8Array(n * columns);
    for (const [i, row] of seen.entries()) flat.set(row, i * columns);
    const ids = Int32Array.from(rows, (row) => row.next);
    const mask = Uint8Array.from(rows, (row) => (keep.has(row) ? 1 : 0));
    const next = tf.tidy(() => {
      const { hidden, keyValues } = llamaHidden(
        params,
        config,
        { n, length: 1, ids, mask },
        {
          interventions,
          keep: true,
          phase: 'generated',
          offset: columns - 1,
          columns: { past, positions: Int32Array.from(rows, (row) => row.length - 1), seen: flat },
        },
      );
      return { logits: llamaLogits(params, config, hidden!), keyValues };
    });
    tf.dispose(past);
    return next;
  }
}

function selectRows(keyValues: KeyValues[], rows: number[]): KeyValues[] {
  const selected = tf.tidy(() => {
    const index = tf.tensor1d(rows, 'int32');
    return keyValues.map(({ k, v }) => ({ k: tf.gather(k, index) as Tensor4D, v: tf.gather(v, index) as Tensor4D }));
  });
  tf.dispose(keyValues);
  return selected;
}

function checkOptions(config: LlamaConfig, prompts: readonly (readonly number[])[], options: GenerateOptions): void {
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
    if (ids.length === 0 || ids.length >= config.maxLength) {
      throw refuse(`prompt ${i}`, `1 to ${config.maxLength - 1} ids, so that one more fits`, ids.length);
    }
    const unknown = ids.find((id) => !(Number.isInteger(id) && id >= 0 && id < config.vocab));
    if (unknown !== undefined) throw refuse(`prompt ${i}`, `ids below ${config.vocab}`, unknown);
  });
}
