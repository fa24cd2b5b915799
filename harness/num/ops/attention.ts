/** @file Softmax attention over all heads in one operation: no transposes, no scores kept for the gradient. */
import { hasKernel, runKernels } from '../kernels/own.ts';
import { type Tensor, type Tensor2D, type Tensor3D, type Tensor4D, tf } from '../tf.ts';
import { customOp } from './custom-op.ts';

/** Sizes of attention. `heads` is a multiple of `kvHeads`: head h reads the keys of group ⌊h·kvHeads/heads⌋. */
export interface AttentionShape {
  heads: number;
  kvHeads: number;
  headDim: number;
}

export interface AttentionOptions extends AttentionShape {
  /** Rows of the batch, and queries in each. */
  n: number;
  t: number;
  /** Key columns in use of each row; all of them when omitted. */
  columns?: number;
  /** Query i sees columns up to i + columns − t. */
  causal?: boolean;
  /** bool [n, columns]: the columns that the queries of a row may look at. A query that sees nothing gives zeros. */
  seen?: Tensor2D;
  /** Factor on q·kᵀ; 1/√headDim when omitted. */
  scale?: number;
  /** With `causal`, columns that a query sees, its own the last of them; all when omitted (Beltagy et al. 2020, arXiv:2004.05150). */
  window?: number;
  /** Scores s become cap · tanh(s / cap) (Gemma 2, arXiv:2408.00118, §2). */
  cap?: number;
}

/** What the computation takes, the optional parts filled in. */
type Sizes = Required<Omit<AttentionOptions, 'seen' | 'cap' | 'window'>> &
  Pick<AttentionOptions, 'cap' | 'window'> & { capacity: number };

/** Added to the scores of what is not seen. */
const HIDDEN = -1e9;

/** 1 where a query sees a column, broadcast to [n, heads, t, columns]; nothing when it sees all. */
function visible({ n, t, columns, causal, window }: Sizes, seen: Tensor2D | undefined): Tensor | undefined {
  const columnMask = seen && tf.cast(tf.reshape(seen, [n, 1, 1, columns]), 'float32');
  if (!causal || (t === 1 && window === undefined)) return columnMask;
  const triangle = new Float32Array(t * columns);
  for (let i = 0; i < t; i++) {
    const end = i + 1 + columns - t;
    triangle.fill(1, i * columns + Math.max(0, end - (window ?? end)), i * columns + end);
  }
  const rows = tf.tensor4d(triangle, [1, 1, t, columns]);
  return columnMask ? tf.mul(rows, columnMask) : rows;
}

function composed(q: Tensor2D, k: Tensor2D, v: Tensor2D, sizes: Sizes, seen: Tensor2D | undefined): Tensor2D {
  const { n, t, columns, capacity, heads, kvHeads, headDim, scale, cap } = sizes;
  const byHead = (x: Tensor, length: number, count: number) =>
    tf.transpose(tf.reshape(x, [n, length, count, headDim]) as Tensor4D, [0, 2, 1, 3]);
  const used = (x: Tensor2D) =>
    columns === capacity
      ? x
      : tf.slice(tf.reshape(x, [n, capacity, kvHeads * headDim]), [0, 0, 0], [n, columns, kvHeads * headDim]);
  // The heads of one group lie side by side, so a group's queries are one matrix and keys need not be repeated.
  const grouped: [number, number, number] = [n * kvHeads, (heads / kvHeads) * t, headDim];
  const flat = (x: Tensor2D) =>
    tf.reshape(byHead(used(x), columns, kvHeads), [n * kvHeads, columns, headDim]) as Tensor3D;
  const queries = tf.reshape(byHead(tf.mul(q, scale), t, heads), grouped) as Tensor3D;
  const products = tf.reshape(tf.matMul(queries, flat(k), false, true), [n, heads, t, columns]);
  const scores = cap === undefined ? products : tf.mul(tf.tanh(tf.div(products, cap)), cap);
  const mask = visible(sizes, seen);
  let weights = tf.softmax(mask ? tf.add(scores, tf.mul(tf.sub(1, mask), HIDDEN)) : scores);
  if (mask && seen) weights = tf.mul(weights, mask);
  const mixed = tf.matMul(tf.reshape(weights, [grouped[0], grouped[1], columns]) as Tensor3D, flat(v));
  return tf.reshape(tf.transpose(tf.reshape(mixed, [n, heads, t, headDim]), [0, 2, 1, 3]), [n * t, heads * headDim]);
}

function byKernel(q: Tensor2D, k: Tensor2D, v: Tensor2D, sizes: Sizes, seen: Tensor2D | undefined): Tensor2D {
  const { headDim, n, t, columns, capacity, heads, kvHeads, causal, scale, window = 0 } = sizes;
  const attrs = { n, t, columns, capacity, heads, kvHeads, causal, scale, window, width: headDim };
  const mask: Record<string, Tensor> = seen ? { seen } : {};
  return customOp<Tensor2D>(
    [q, k, v],
    (save, queries, keys, values) => {
      const inputs = { q: queries!, k: keys!, v: values! };
      const [mixed, sums] = runKernels('SaxAttention', { ...inputs, ...mask }, attrs);
      save([queries!, keys!, values!, mixed!, sums!, ...Object.values(mask)]);
      return mixed as Tensor2D;
    },
    (dy, [queries, keys, values, mixed, sums, hidden]) => {
      const inputs = { dy, mixed: mixed!, sums: sums!, q: queries!, k: keys!, v: values! };
      return runKernels('SaxAttentionGrad', hidden ? { ...inputs, seen: hidden } : inputs, attrs);
    },
  );
}

/**
 * softmax(q·kᵀ / √headDim) · v for every head (Vaswani et al. 2017, arXiv:1706.03762), with another factor, a window or a
 * cap where the options say so; with a cap it is computed by single operations.
 *
 * @param q [n·t, heads·headDim]
 * @param k, v [n·capacity, kvHeads·headDim]: `capacity` columns for each row, the first `columns` of them in use
 * @returns [n·t, heads·headDim]; gradients flow to q, k and v
 * @throws Error where the sizes contradict one another.
 */
export function attention(q: Tensor2D, k: Tensor2D, v: Tensor2D, options: AttentionOptions): Tensor2D {
  const { n, t, heads, kvHeads, headDim, causal = false, seen, scale = headDim ** -0.5, cap } = options;
  const capacity = n === 0 ? (options.columns ?? 0) : k.shape[0] / n;
  const columns = options.columns ?? capacity;
  const expected: [string, Tensor, number[]][] = [
    ['q', q, [n * t, heads * headDim]],
    ['k', k, [n * capacity, kvHeads * headDim]],
    ['v', v, [n * capacity, kvHeads * headDim]],
    ...(seen ? [['seen', seen, [n, columns]] as [string, Tensor, number[]]] : []),
  ];
  for (const [name, x, shape] of expected) {
    if (x.shape.join() !== shape.join()) throw new Error(`attention: ${name}: expected [${shape}], found [${x.shape}]`);
  }
  if (heads % kvHeads !== 0 || !Number.isInteger(capacity) || columns > capacity || (causal && t > columns)) {
    throw new Error(`attention: heads ${heads}/${kvHeads}, ${t} queries, ${columns} of ${capacity} columns do not fit`);
  }
  const window = options.window !== undefined && options.window < columns ? options.window : undefined;
  if (window !== undefined && !(causal && window >= 1)) {
    throw new Error(`attention: expected a window of at least 1 column, with causal, found ${window}`);
  }
  const sizes: Sizes = { n, t, heads, kvHeads, headDim, causal, columns, capacity, scale, window, cap };
  if (hasKernel('SaxAttention') && cap === undefined) return byKernel(q, k, v, sizes, seen);
  return n * t * columns === 0 ? tf.zeros([n * t, heads * headDim]) : composed(q, k, v, sizes, seen);
}
