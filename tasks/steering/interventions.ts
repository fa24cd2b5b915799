/** @file Steering as an intervention: every row of a batch with a vector and a strength of its own. */
import { type FittedMethod, type Intervention, type Tensor2D, type Tensor3D, tf } from '../../harness/contract.ts';

/** What one row of a batch is steered with. */
export interface RowSteering {
  /** [d] */
  vector: Float32Array;
  /** Factor · scale: how much of the vector is added, or what the latent is set to. */
  strength: number;
  /** Needed for clamping. */
  latent?: number;
}

export type Kind = 'add' | 'clamp';

/** Code values computed at a time: bounds the [rows, d_sae] block of methods with dense codes. */
const CODES = 2 ** 23;

/**
 * `add`: x + strength · vector. `clamp`: x + (strength − f(x)) · vector, where f is the row's latent at that position:
 * the latent is set to `strength` and the reconstruction's error is kept. At every position, of prompt and generated
 * text, special tokens included (AxBench).
 */
export function steer(site: string, rows: readonly RowSteering[], kind: Kind, method: FittedMethod): Intervention {
  return { site, apply: (x) => steered(x, rows, kind, method) };
}

/** The steered activation x [n, length, d] of n rows. */
export function steered(x: Tensor3D, rows: readonly RowSteering[], kind: Kind, method: FittedMethod): Tensor3D {
  return kind === 'add' ? added(x, rows) : clamped(x, rows, method);
}

function vectorsOf(rows: readonly RowSteering[], d: number, scale: (row: RowSteering) => number): Float32Array {
  const data = new Float32Array(rows.length * d);
  rows.forEach((row, i) => {
    const factor = scale(row);
    for (let j = 0; j < d; j++) data[i * d + j] = factor * row.vector[j]!;
  });
  return data;
}

function added(x: Tensor3D, rows: readonly RowSteering[]): Tensor3D {
  const [n, , d] = x.shape;
  return tf.add(
    x,
    tf.tensor3d(
      vectorsOf(rows, d, ({ strength }) => strength),
      [n, 1, d],
    ),
  ) as Tensor3D;
}

function clamped(x: Tensor3D, rows: readonly RowSteering[], method: FittedMethod): Tensor3D {
  const [n, length, d] = x.shape;
  const values = latentValues(tf.reshape(x, [n * length, d]), rows, length, method);
  const strengths = tf.tensor3d(
    Float32Array.from(rows, ({ strength }) => strength),
    [n, 1, 1],
  );
  const missing = tf.sub(strengths, tf.reshape(values, [n, length, 1]));
  const vectors = tf.tensor3d(
    vectorsOf(rows, d, () => 1),
    [n, 1, d],
  );
  return tf.add(x, tf.mul(missing, vectors)) as Tensor3D;
}

/** The value that each row's own latent has at each of its positions: [n · length, 1]. */
function latentValues(x: Tensor2D, rows: readonly RowSteering[], length: number, method: FittedMethod): Tensor2D {
  const step = Math.max(1, Math.floor(CODES / method.d_sae!));
  const latents = Int32Array.from({ length: x.shape[0] }, (_, at) => rows[Math.floor(at / length)]!.latent!);
  const parts: Tensor2D[] = [];
  for (let from = 0; from < x.shape[0]; from += step) {
    const count = Math.min(step, x.shape[0] - from);
    const wanted = latents.subarray(from, from + count);
    parts.push(
      tf.tidy(() => {
        const codes = method.encode!(tf.slice(x, [from, 0], [count, -1]));
        if (codes.kind === 'topk') {
          const hits = tf.equal(codes.indices, tf.tensor2d(wanted, [count, 1], 'int32'));
          return tf.sum(tf.mul(codes.values, tf.cast(hits, 'float32')), 1, true) as Tensor2D;
        }
        const at = Int32Array.from(wanted, (latent, i) => i * method.d_sae! + latent);
        return tf.reshape(tf.gather(tf.reshape(codes.values, [-1]), tf.tensor1d(at, 'int32')), [count, 1]) as Tensor2D;
      }),
    );
  }
  return parts.length === 1 ? parts[0]! : (tf.concat(parts, 0) as Tensor2D);
}
