/** @file Continuations of all prompts under all factors, generated in large batches and measured for fluency. */
import { type FittedMethod, type Intervention, type LanguageModel, type Tensor3D, tf } from '../../harness/contract.ts';
import { groupTexts, restOfText } from '../../harness/kit/index.ts';
import { type Applied, batchChange, together } from './applied.ts';
import type { Generation } from './ratings.ts';
import { type KnownTexts, type RecordedStream, textLikelihoods, textOf } from './texts.ts';

/** One continuation to be generated. */
export interface GenerationRow {
  prompt: number[];
  /** The prompt after which its likelihood is measured, where that is another. */
  measuredAfter?: number[];
  /** Number of the random stream: rows of one stream draw the same random numbers, whatever steers them. */
  stream: number;
  /** Nothing for a generation without steering. */
  steering?: Applied;
}

export interface GenerationOptions {
  maxNewTokens: number;
  temperature: number;
  seed: number;
  /** Likelihoods of texts generated before, shared by all methods. */
  known?: KnownTexts;
  signal?: AbortSignal;
  progress: (done: number, total: number) => void;
}

/** Floats of one activation of a step: rows · d. */
const BATCH_WIDTH = 2 ** 16;
/** Of the pass over all prompts, new tokens included: rows · columns · d. Bounds the cache of keys and values, and what is recorded, too. */
const BATCH_FLOATS = 2 ** 23;
const MAX_ROWS = 512;

/** Generates all rows, in batches, and measures each under the subject as it is. All rows are steered, or none. */
export async function generateAll(
  subject: LanguageModel,
  site: { name: string; d: number },
  rows: readonly GenerationRow[],
  method: FittedMethod | undefined,
  options: GenerationOptions,
): Promise<Generation[]> {
  const { maxNewTokens, temperature, seed, known, signal, progress } = options;
  const generations: Generation[] = [];
  for (const batch of batchesOf(rows, site.d, maxNewTokens)) {
    const applied = batch.flatMap(({ steering }) => steering ?? []);
    const change = method && applied.length > 0 ? batchChange(site.name, applied, method) : undefined;
    const steering = change && 'steering' in change ? change.steering : undefined;
    // What changes the subject in its own way may do so before the site: the stream there is not the clean one.
    const recorder = steering && restOfText(subject, site.name) ? streamRecorder(site.name) : undefined;
    try {
      const ids = await subject.generate(
        batch.map(({ prompt }) => prompt),
        {
          maxNewTokens,
          temperature,
          seed,
          streams: batch.map(({ stream }) => stream),
          ...(change && 'own' in change
            ? change.own
            : { interventions: [recorder?.intervention, steering].filter((each) => each !== undefined) }),
          signal,
        },
      );
      const likelihoods = await textLikelihoods(
        subject,
        batch.map(({ prompt, measuredAfter = prompt }, i) => ({ prompt: measuredAfter, ids: ids[i]! })),
        { signal, recorded: recorder?.recorded(), known },
      );
      likelihoods.forEach((measured, i) => {
        generations.push({ ...measured, text: textOf(subject, ids[i]!) });
      });
    } finally {
      recorder?.dispose();
    }
    progress(generations.length, rows.length);
  }
  return generations;
}

/** Batches of rows with their texts at full length, in order; rows of one change of the subject stand alone. */
function batchesOf(rows: readonly GenerationRow[], d: number, maxNewTokens: number): GenerationRow[][] {
  const most = Math.max(8, Math.min(MAX_ROWS, Math.floor(BATCH_WIDTH / d)));
  const texts = rows.map((row) => ({ row, length: row.prompt.length + maxNewTokens }));
  const batches = groupTexts(
    texts,
    BATCH_FLOATS / d,
    ({ row }, batch) => batch.length < most && together(batch[0]!.row.steering, row.steering),
  );
  return batches.map((batch) => batch.map(({ row }) => row));
}

/**
 * An intervention that changes nothing and keeps what comes by at a site: put before the one that steers, it sees the
 * residual stream that the subject as it is has there for the same tokens.
 */
function streamRecorder(site: string): {
  intervention: Intervention;
  recorded(): RecordedStream;
  dispose(): void;
} {
  const parts: Tensor3D[] = [];
  let whole: Tensor3D | undefined;
  return {
    intervention: {
      site,
      apply(x) {
        parts.push(tf.keep(tf.clone(x)));
        return x;
      },
    },
    recorded() {
      whole = tf.concat(parts, 1);
      return { site, x: whole, start: parts[0]!.shape[1] };
    },
    dispose() {
      tf.dispose(parts);
      whole?.dispose();
    },
  };
}
