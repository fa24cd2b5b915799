/** @file Encoder and TopK in one operation, whose gradient reads the kept entries only. */
import { hasKernel, runKernels } from '../kernels/own.ts';
import { laterWhereAllowed } from '../kernels/unmade.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';
import { gradDecoder } from './sparse-decode.ts';
import { checkTopk, type TopkCodes, topkSparse } from './topk-sparse.ts';

/** A linear encoder: its pre-activations are (x − centre) · W_enc + bias. */
export interface LinearEncoder {
  /** [d_in, d_sae] */
  W_enc: Tensor2D;
  /** [d_sae] */
  bias: Tensor1D;
  /** [d_in]; left out: 0. */
  centre?: Tensor1D;
}

/** Pre-activations that are there at once where the backend has no kernel that needs none: 32 MiB. */
const TILE = 2 ** 23;

/** Of some rows after others, so that memory does not grow with them. */
function largestByTiles(x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, k: number): TopkCodes {
  const [n, d_in] = x.shape;
  const rows = Math.max(1, Math.floor(TILE / W_enc.shape[1]));
  const of = (part: Tensor2D) => topkSparse(tf.add(tf.matMul(part, W_enc), bias) as Tensor2D, k);
  if (n <= rows) return of(x);
  const tiles = Array.from({ length: Math.ceil(n / rows) }, (_, tile) =>
    tf.tidy(() => ({ ...of(tf.slice(x, [tile * rows, 0], [Math.min(rows, n - tile * rows), d_in])) })),
  );
  return joined(tiles);
}

/** The pre-activations [n, d_sae] never exist as a whole: not at all where the backend has a kernel, else a tile of rows. */
export function largestEntries(x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, k: number): TopkCodes {
  checkTopk(k, W_enc.shape[1]);
  if (!hasKernel('SaxEncodeTopK')) return largestByTiles(x, W_enc, bias, k);
  const [values, indices] = runKernels('SaxEncodeTopK', { x, W_enc, bias }, { k }) as [Tensor2D, Tensor2D];
  return { values, indices };
}

const joined = (parts: TopkCodes[]): TopkCodes => ({
  values: tf.concat(parts.map(({ values }) => values)),
  indices: tf.concat(parts.map(({ indices }) => indices)),
});

/** As above among some latents only; the indices are those of the whole dictionary. */
function largestAmong(x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, k: number, among: Tensor1D): TopkCodes {
  const found = largestEntries(x, tf.gather(W_enc, among, 1), tf.gather(bias, among), k);
  return { values: found.values, indices: tf.gather(among, found.indices) as unknown as Tensor2D };
}

/** As above for rows in groups: those of group g, up to ends[g], among the g-th of as many equal parts of the latents. */
function largestByGroup(x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D, k: number, ends: Tensor1D): TopkCodes {
  const [d_in, d_sae] = W_enc.shape;
  const width = d_sae / ends.size;
  if (!Number.isInteger(width)) throw new RangeError(`topk: ${ends.size} groups do not divide d_sae = ${d_sae}`);
  checkTopk(k, width);
  if (hasKernel('SaxEncodeTopK')) {
    const [values, indices] = runKernels('SaxEncodeTopK', { x, W_enc, bias, ends }, { k }) as [Tensor2D, Tensor2D];
    return { values, indices };
  }
  const bounds = [0, ...ends.dataSync()];
  if (bounds.at(-1) !== x.shape[0] || ends.dataSync().some((end, group) => end < bounds[group]!)) {
    throw new RangeError(`topk: the groups' ends do not ascend to ${x.shape[0]} rows: ${ends.dataSync().join()}`);
  }
  const parts = Array.from(ends.dataSync(), (end, group): TopkCodes => {
    const [start, from] = [bounds[group]!, group * width];
    const found = largestEntries(
      tf.slice(x, [start, 0], [end - start, d_in]),
      tf.slice(W_enc, [0, from], [d_in, width]),
      tf.slice(bias, [from], [width]),
      k,
    );
    return { values: found.values, indices: tf.add(found.indices, tf.scalar(from, 'int32')) };
  }).filter(({ values }) => values.shape[0] > 0);
  if (parts.length === 0) return { values: tf.zeros([0, k]), indices: tf.zeros([0, k], 'int32') };
  return joined(parts);
}

const GRADIENT = 'SaxEncodeGrad';

/** What a code's gradient passes on: everything that the forward pass saw. */
export interface Encoded {
  x: Tensor2D;
  indices: Tensor2D;
  codes: Tensor2D;
  W_enc: Tensor2D;
}

/** Gradients of W_enc, bias and, where there is one, centre from those of the codes. */
export function encoderGradients(
  dy: Tensor2D,
  { x, indices, codes, W_enc }: Encoded,
  centre: Tensor | undefined,
): Tensor[] {
  if (hasKernel(GRADIENT)) {
    const inputs = { x, dy, codes, indices, W_enc, ...(centre && { centre }) };
    return runKernels(GRADIENT, inputs, laterWhereAllowed());
  }
  const d_sae = W_enc.shape[1];
  const dz = tf.mul(dy, tf.step(codes)) as Tensor2D;
  const flat = (t: Tensor2D) => tf.reshape(t, [t.size]) as Tensor1D;
  const bias = tf.unsortedSegmentSum(flat(dz), flat(indices), d_sae) as Tensor1D;
  const own = [tf.transpose(gradDecoder(x, dz, indices, d_sae)), bias];
  return centre ? [...own, tf.neg(tf.squeeze(tf.matMul(W_enc, tf.expandDims(bias, 1) as Tensor2D), [1]))] : own;
}

/** Finds entries of ReLU(x · W + bias); x is centred already. */
export type FindEntries = (x: Tensor2D, W_enc: Tensor2D, bias: Tensor1D) => TopkCodes;

/**
 * What `find` picks of ReLU((x − centre) · W_enc + bias). The gradients of the encoder are summed over
 * the entries above 0, n · k · d_in multiplications instead of n · d_sae · d_in; x gets no gradient.
 */
export function encodeEntries(x: Tensor2D, { W_enc, bias, centre }: LinearEncoder, find: FindEntries): TopkCodes {
  let kept: Tensor2D | undefined;
  const values = customOp<Tensor2D>(
    centre ? [W_enc, bias, centre] : [W_enc, bias],
    (save, ...params) => {
      const [W, b, c] = params as [Tensor2D, Tensor1D, Tensor1D | undefined];
      const input = c ? (tf.sub(x, c) as Tensor2D) : x;
      const found = find(input, W, b);
      // An operation has one output: the indices leave it as a constant.
      kept = tf.keep(found.indices);
      save([input, found.indices, found.values, W]);
      return found.values;
    },
    (dy, saved) => {
      const [input, indices, codes, W] = saved as [Tensor2D, Tensor2D, Tensor2D, Tensor2D];
      return encoderGradients(dy, { x: input, indices, codes, W_enc: W }, centre);
    },
  );
  // A clone belongs to the caller's scope, as every result does.
  const indices = tf.clone(kept!);
  kept!.dispose();
  return { indices, values };
}

/**
 * The `k` largest entries of each row of ReLU((x − centre) · W_enc + bias), of all latents or of those in `among` (int32,
 * each at most once), with the gradients of {@link encodeEntries}.
 *
 * @param x [n, d_in]
 */
export function topkEncode(x: Tensor2D, encoder: LinearEncoder, k: number, among?: Tensor1D): TopkCodes {
  return encodeEntries(x, encoder, (input, W, b) => {
    const { values, indices } = among ? largestAmong(input, W, b, k, among) : largestEntries(input, W, b, k);
    return { values: tf.relu(values), indices };
  });
}

/**
 * The same of rows that are sorted by group, each among its group's latents only: of `ends.size` equal parts of the
 * dictionary the g-th serves the rows up to ends[g], and no other entry is computed. The indices are those of the whole
 * dictionary.
 *
 * @param x [n, d_in], sorted as `groupRows` says
 * @param ends int32 [groups]
 * @param k At most d_sae / groups.
 */
export function topkEncodeGrouped(x: Tensor2D, encoder: LinearEncoder, k: number, ends: Tensor1D): TopkCodes {
  return encodeEntries(x, encoder, (input, W, b) => {
    const { values, indices } = largestByGroup(input, W, b, k, ends);
    return { values: tf.relu(values), indices };
  });
}
