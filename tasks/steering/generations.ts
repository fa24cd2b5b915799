/** @file Continuations of all prompts under all factors, generated in large batches and measured for fluency. */
import type { FittedMethod, LanguageModel } from '../../harness/contract.ts';
import type { Generation } from '../judges/programmatic.ts';
import { type Kind, type RowSteering, steer } from './interventions.ts';
import { likenessOf } from './texts.ts';

/** One continuation to be generated. */
export interface GenerationRow {
  prompt: number[];
  /** Number of the random stream: rows of one stream draw the same random numbers, whatever steers them. */
  stream: number;
  /** Nothing for a generation without steering. */
  steering?: RowSteering;
}

export interface GenerationOptions {
  maxNewTokens: number;
  temperature: number;
  seed: number;
  signal?: AbortSignal;
  progress: (done: number, total: number) => void;
}

/** Floats of one activation of a batch: rows · d. Bounds the cache of keys and values too. */
const BATCH_WIDTH = 2 ** 16;
const MAX_ROWS = 512;

/** Generates all rows, in batches, and measures each under the subject as it is. All rows are steered, or none. */
export async function generateAll(
  subject: LanguageModel,
  site: { name: string; d: number },
  rows: readonly GenerationRow[],
  kind: Kind,
  method: FittedMethod | undefined,
  options: GenerationOptions,
): Promise<Generation[]> {
  const { maxNewTokens, temperature, seed, signal, progress } = options;
  const size = Math.max(8, Math.min(MAX_ROWS, Math.floor(BATCH_WIDTH / site.d)));
  const ids: number[][] = [];
  for (let from = 0; from < rows.length; from += size) {
    const batch = rows.slice(from, from + size);
    const steerings = batch.flatMap(({ steering }) => steering ?? []);
    const generated = await subject.generate(
      batch.map(({ prompt }) => prompt),
      {
        maxNewTokens,
        temperature,
        seed,
        streams: batch.map(({ stream }) => stream),
        interventions: method && steerings.length > 0 ? [steer(site.name, steerings, kind, method)] : [],
        signal,
      },
    );
    ids.push(...generated);
    progress(ids.length, rows.length);
  }
  const likeness = await likenessOf(
    subject,
    rows.map(({ prompt }, i) => ({ prompt, ids: ids[i]! })),
    { signal },
  );
  return likeness.map((measured, i) => ({
    ...measured,
    text: subject.tokenizer.decode(ids[i]!, { skipSpecialTokens: true }),
  }));
}
