/** @file KronSAE's encoder: products of two small encoders' outputs within heads, and TopK of them, in one operation. */
import { hasKernel, runKernels } from '../kernels/own.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { encoderGradients } from './topk-encode.ts';
import { checkTopk, type TopkCodes, topkSparse } from './topk-sparse.ts';

/** In each of `heads` heads, m factors and n factors give m · n latents, of index head · m · n + i · n + j. */
export interface Heads {
  heads: number;
  m: number;
  n: number;
}

/** u = (x − centre) · W_base and v = (x − centre) · W_extension; a latent is √(u_i · v_j) where both are above 0, else 0. */
export interface KronEncoder {
  /** [d_in, heads · m] */
  W_base: Tensor2D;
  /** [d_in, heads · n] */
  W_extension: Tensor2D;
  /** [d_in] */
  centre: Tensor1D;
}

/** Factors below this count as this in the gradient of the root, which is infinite at 0. */
const LEAST = 1e-6;

/** Where in [heads · m] and [heads · n] the factors of latents lie. */
function factorIndices(indices: Tensor2D, { m, n }: Heads): { base: Tensor2D; extension: Tensor2D } {
  const of = indices.dataSync();
  const [base, extension] = [new Int32Array(of.length), new Int32Array(of.length)];
  for (let p = 0; p < of.length; p++) {
    base[p] = Math.floor(of[p]! / n);
    extension[p] = Math.floor(of[p]! / (m * n)) * n + (of[p]! % n);
  }
  const matrix = (values: Int32Array) => tf.tensor2d(values, indices.shape, 'int32');
  return { base: matrix(base), extension: matrix(extension) };
}

/** The entries of each row at the columns `at` [rows, k]; wasm's own gather with a batch reads beyond its memory. */
function entries(x: Tensor2D, at: Tensor2D): Tensor2D {
  const [rows, width] = x.shape;
  const starts = tf.reshape(tf.range(0, rows * width, width, 'int32'), [rows, 1]);
  const flat = tf.reshape(tf.add(at, starts), [at.size]);
  return tf.reshape(tf.gather(tf.reshape(x, [x.size]), flat as Tensor1D), at.shape);
}

interface Composed extends TopkCodes {
  /** √(u / v) of each code, 0 beside a 0. */
  ratios: Tensor2D;
}

/** The k largest latents of rows x, centred, those that `among` [d_sae] has above 0 where it is given. Products are compared, not roots. */
function compose(
  x: Tensor2D,
  W_base: Tensor2D,
  W_extension: Tensor2D,
  shape: Heads,
  k: number,
  among: Tensor1D | undefined,
): Composed {
  const { heads, m, n } = shape;
  const d_sae = heads * m * n;
  if (W_base.shape[1] !== heads * m || W_extension.shape[1] !== heads * n) {
    throw new RangeError(
      `kron: ${W_base.shape[1]} and ${W_extension.shape[1]} factors are not ${heads} heads of ${m} and ${n}`,
    );
  }
  checkTopk(k, d_sae);
  if (hasKernel('SaxKronEncode')) {
    const inputs = { x, W_base, W_extension, ...(among && { among }) };
    const [values, ratios, indices] = runKernels('SaxKronEncode', inputs, { ...shape, k, least: LEAST });
    return { values, ratios, indices } as Composed;
  }
  const [u, v] = [tf.matMul<Tensor2D>(x, W_base), tf.matMul<Tensor2D>(x, W_extension)];
  const rows = x.shape[0];
  const left = tf.reshape(tf.relu(u), [rows * heads, m, 1]);
  const right = tf.reshape(tf.relu(v), [rows * heads, 1, n]);
  const products = tf.reshape(tf.mul(left, right), [rows, d_sae]) as Tensor2D;
  const { values: kept, indices } = topkSparse(among ? (tf.mul(products, tf.step(among)) as Tensor2D) : products, k);
  const { base, extension } = factorIndices(indices, shape);
  const [a, b] = [entries(u, base), entries(v, extension)].map((factors) => tf.maximum(factors, LEAST));
  const ratios = tf.mul(tf.sqrt(tf.div(a!, b!)), tf.step(kept)) as Tensor2D;
  return { values: tf.sqrt(kept), ratios, indices };
}

/**
 * The `k` largest latents of each row, or of those that `among` has above 0. The gradients of the two encoders are summed
 * over the entries above 0, 2 · rows · k · d_in multiplications; x gets none.
 *
 * @param x [rows, d_in]
 * @param among float32 [heads · m · n]
 */
export function kronTopkEncode(
  x: Tensor2D,
  encoder: KronEncoder,
  shape: Heads,
  k: number,
  among?: Tensor1D,
): TopkCodes {
  let kept: Tensor2D | undefined;
  const values = customOp<Tensor2D>(
    [encoder.W_base, encoder.W_extension, encoder.centre],
    (save, ...params) => {
      const [W_base, W_extension, centre] = params as [Tensor2D, Tensor2D, Tensor1D];
      const input = tf.sub(x, centre) as Tensor2D;
      const found = compose(input, W_base, W_extension, shape, k, among);
      // An operation has one output: the indices leave it as a constant.
      kept = tf.keep(found.indices);
      save([input, found.indices, found.values, found.ratios, W_base, W_extension, centre]);
      return found.values;
    },
    (dy, saved) => {
      const [input, indices, codes, ratios, W_base, W_extension] = saved as Tensor2D[];
      const centre = saved[6]!;
      const { base, extension } = factorIndices(indices!, shape);
      // ∂√(uv)/∂u = √(v/u) / 2 and ∂√(uv)/∂v = √(u/v) / 2.
      const half = tf.mul(dy, 0.5);
      const sides: [Tensor, Tensor2D, Tensor2D][] = [
        [tf.divNoNan(half, ratios!), base, W_base!],
        [tf.mul(half, ratios!), extension, W_extension!],
      ];
      const [ofBase, ofExtension] = sides.map(([dz, at, W_enc]) =>
        encoderGradients(dz as Tensor2D, { x: input!, indices: at, codes: codes!, W_enc }, centre),
      );
      return [ofBase![0]!, ofExtension![0]!, tf.add(ofBase![2]!, ofExtension![2]!)];
    },
  );
  // A clone belongs to the caller's scope, as every result does.
  const indices = tf.clone(kept!);
  kept!.dispose();
  return { indices, values };
}
