/** @file How far reconstructions are from activations: sums over the kept positions of each document. */
import {
  type ActivationSet,
  disposeCodes,
  type FittedMethod,
  readCodes,
  scanKept,
  type Tensor2D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import type { DocumentSums, Statistics } from './cluster-bootstrap.ts';

const ROWS = 1024;
const COLUMNS = ['n', 'l0', 'l1', 'x2', 'centred2', 'error2', 'out2', 'dot', 'cosine', 'ratio'] as const;
/** Columns that need a reconstruction, in the order in which `compare` gives them. */
const COMPARED = ['x2', 'centred2', 'error2', 'out2', 'dot', 'cosine', 'ratio'] as const;
/** Norms below this are zero as far as ratios and cosines go (SAEBench §1.1). */
const TINY = 1e-4;

export interface Geometry {
  sums: DocumentSums;
  /** How often each latent fired, [d_sae]. */
  fires: Float64Array;
  positions: number;
}

/** The mean kept activation of a set, [d_in], accumulated in float64. */
export async function meanActivation(set: ActivationSet): Promise<Float32Array> {
  const sum = new Float64Array(set.d_in);
  let rows = 0;
  for await (const batch of scanKept(set, ROWS)) {
    for (let at = 0; at < batch.x.length; at++) sum[at % set.d_in] = sum[at % set.d_in]! + batch.x[at]!;
    rows += batch.rows;
  }
  if (rows === 0) throw new UserError(`reconstruction: expected kept positions under '${set.policy}', found none`);
  return Float32Array.from(sum, (value) => value / rows);
}

/** Encodes every kept position of `test`, decodes it where the method can, and sums by document. `mean` is test's own. */
export async function measureGeometry(
  method: FittedMethod & { id: string },
  test: ActivationSet,
  mean: Float32Array,
  options: { signal?: AbortSignal; progress: (done: number, total: number) => void },
): Promise<Geometry> {
  const { encode, decode, d_sae = 0 } = method;
  if (!encode) throw new Error('internal: measureGeometry needs a method that encodes');
  const documents = test.bounds.length - 1;
  const sums = Object.fromEntries(COLUMNS.map((name) => [name, new Float64Array(documents)])) as DocumentSums;
  const fires = new Float64Array(d_sae);
  let positions = 0;
  for await (const batch of scanKept(test, ROWS)) {
    options.signal?.throwIfAborted();
    const x = tf.tensor2d(batch.x, [batch.rows, test.d_in]);
    const codes = tf.tidy(() => encode(x));
    const compared = decode && tf.tidy(() => compare(x, decode(codes), mean));
    const read = await readCodes(codes);
    const values = await compared?.data();
    x.dispose();
    compared?.dispose();
    disposeCodes(codes);
    for (let i = 0; i < batch.items; i++) {
      const document = batch.firstItem + i;
      const add = (column: string, value: number) => {
        if (!Number.isFinite(value)) throw notFinite(method.id, document);
        sums[column]![document] = sums[column]![document]! + value;
      };
      for (let row = batch.bounds[i]!; row < batch.bounds[i + 1]!; row++) {
        let l0 = 0;
        let l1 = 0;
        read(row, (latent, value) => {
          l0++;
          l1 += Math.abs(value);
          fires[latent] = fires[latent]! + 1;
        });
        add('n', 1);
        add('l0', l0);
        add('l1', l1);
        for (const [c, column] of COMPARED.entries()) if (values) add(column, values[row * COMPARED.length + c]!);
      }
    }
    positions += batch.rows;
    options.progress(batch.firstItem + batch.items, documents);
  }
  return { sums, fires, positions };
}

/** The columns `COMPARED` of each row, [rows, columns]. */
function compare(x: Tensor2D, out: Tensor2D, mean: Float32Array): Tensor2D {
  const squares = (t: Tensor2D) => tf.sum(tf.square(t), 1);
  const x2 = squares(x);
  const out2 = squares(out);
  const dot = tf.sum(tf.mul(x, out), 1);
  const normX = tf.sqrt(x2);
  const normOut = tf.sqrt(out2);
  const cosine = tf.div(dot, tf.maximum(tf.mul(normX, normOut), TINY * TINY));
  const ratio = tf.where(tf.less(normX, TINY), tf.onesLike(normX), tf.div(normOut, tf.maximum(normX, TINY)));
  const centred2 = squares(tf.sub(x, tf.tensor1d(mean)));
  const error2 = squares(tf.sub(x, out));
  return tf.stack([x2, centred2, error2, out2, dot, cosine, ratio], 1) as Tensor2D;
}

function notFinite(method: string, document: number): UserError {
  return new UserError(
    `reconstruction: method '${method}', document ${document}: expected finite activations, codes and reconstructions, ` +
      'found NaN or Infinity; check the weights and the activations',
  );
}

/** Sparsity of the codes, from the sums. */
export const codeStatistics: Statistics = ({ n, l0, l1 }) => ({ l0: l0! / n!, l1: l1! / n! });

/** Numbers of the reconstruction, from the sums. */
export const reconstructionStatistics: Statistics = (s) => ({
  explained_variance: s['centred2'] === 0 ? undefined : 1 - s['error2']! / s['centred2']!,
  mse: s['error2']! / s['n']!,
  nmse: s['x2'] === 0 ? undefined : s['error2']! / s['x2']!,
  // Rounding may carry the mean of float32 cosines a little past 1.
  cosine: Math.min(1, Math.max(-1, s['cosine']! / s['n']!)),
  l2_ratio: s['ratio']! / s['n']!,
  relative_reconstruction_bias: s['dot'] === 0 ? undefined : s['out2']! / s['dot']!,
});
