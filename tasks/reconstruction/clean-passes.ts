/**
 * @file Log-probabilities of the untouched model, which every method is compared with: kept where they fit; else the
 * activations after the last block, of which the unembedding alone makes them; else computed anew.
 */
import { type LanguageModel, type Prepared, type Tensor2D, type Tensor3D, tf } from '../../harness/contract.ts';
import { joined, logProbs, restOfText } from '../../harness/kit/index.ts';
import type { ItemBatch } from './splice.ts';

const LOG_PROBS = 'lm_clean_log_probs';
const STREAM = 'lm_clean_stream';

/** The residual stream after the last block, where the model can go on from it. */
function lastSite(model: LanguageModel): { name: string; d: number } | undefined {
  const last = model.sites.findLast(({ name }) => /^blocks\.\d+\.hook_resid_post$/.test(name));
  return last && restOfText(model, last.name) ? last : undefined;
}

/** Log-probabilities of the token after each of the places `at`, [places, vocab]. */
const passed = (model: LanguageModel, { tokens }: ItemBatch, at: Int32Array): Tensor2D =>
  tf.tidy(() => logProbs(model.forward(tokens, { places: at }).logits!));

/** From the stream after the last block at some places, [places, d]: each is a text of one token to what follows. */
function unembedded(model: LanguageModel, site: string, stream: Tensor2D): Tensor2D {
  const n = stream.shape[0];
  const tokens = { n, length: 1, ids: new Int32Array(n), mask: new Uint8Array(n).fill(1) };
  return tf.tidy(() => {
    const x = tf.reshape(stream, [n, 1, stream.shape[1]]) as Tensor3D;
    return logProbs(
      restOfText(model, site)!(
        x,
        tokens,
        Int32Array.from({ length: n }, (_, i) => i),
      ),
    );
  });
}

/** Clean passes that are made once, batch after batch. */
export interface CleanPasses {
  /** Log-probabilities at the places of the next batch, [places, vocab]. */
  next(batch: ItemBatch, at: Int32Array): Promise<Tensor2D>;
  /** What is kept of them. */
  arrays(): Prepared['arrays'];
}

/** @param places Of all batches together. @param bytes What may be kept. */
export function makeCleanPasses(model: LanguageModel, places: number, bytes: number): CleanPasses {
  const last = lastSite(model);
  const kept: Float32Array[] = [];
  let width = 0;
  let name: typeof LOG_PROBS | typeof STREAM | 'nothing' | undefined;
  const fits = (columns: number) => places * columns * Float32Array.BYTES_PER_ELEMENT <= bytes;
  async function keep(x: Tensor2D): Promise<void> {
    kept.push((await x.data()) as Float32Array);
    width = x.shape[1];
  }
  return {
    async next(batch, at) {
      if (name !== STREAM) {
        const found = passed(model, batch, at);
        // The columns of the logits, of which a padded vocabulary has more than its tokenizer has ids.
        name ??= fits(found.shape[1]) ? LOG_PROBS : last && fits(last.d) ? STREAM : 'nothing';
        if (name === LOG_PROBS) await keep(found);
        if (name !== STREAM) return found;
        found.dispose();
      }
      const stream = tf.tidy(() => {
        const x = model.forward(batch.tokens, { capture: [last!.name], output: false }).captured[last!.name]!;
        return tf.gather(tf.reshape(x, [-1, last!.d]), tf.tensor1d(at, 'int32')) as Tensor2D;
      });
      await keep(stream);
      const found = unembedded(model, last!.name, stream);
      stream.dispose();
      return found;
    },
    arrays: () => (kept.length > 0 ? { [name!]: { shape: [places, width], data: joined(Float32Array, kept) } } : {}),
  };
}

/** The same passes again, from what was kept of them. */
export function keptCleanPasses(model: LanguageModel, { arrays }: Prepared): Pick<CleanPasses, 'next'> {
  const [name, kept] = [LOG_PROBS, STREAM].map((key) => [key, arrays[key]] as const).find(([, found]) => found) ?? [];
  let row = 0;
  return {
    async next(batch, at) {
      if (!kept) return passed(model, batch, at);
      const width = kept.shape[1]!;
      const own = kept.data.subarray(row * width, (row + at.length) * width);
      row += at.length;
      const rows = tf.tensor2d(own as Float32Array, [at.length, width]);
      if (name === LOG_PROBS) return rows;
      const found = unembedded(model, lastSite(model)!.name, rows);
      rows.dispose();
      return found;
    },
  };
}
