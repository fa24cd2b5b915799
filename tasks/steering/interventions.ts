/** @file Steering as an intervention: every row of a batch with a vector and a strength of its own. */
import {
  type FittedMethod,
  type Intervention,
  type InterventionContext,
  type Tensor2D,
  type Tensor3D,
  tf,
} from '../../harness/contract.ts';
import { CODES, editedRows } from './edited-codes.ts';
import type { SteeredPositions } from './positions.ts';

/** What one row of a batch is steered with. */
export interface RowSteering {
  /** [d] */
  vector: Float32Array;
  /** Factor · scale: how much of the vector is added, or what the latent is set to. */
  strength: number;
  /** Needed by all kinds but `add`. */
  latent?: number;
  /** Where; at every position, of prompt and generated text, when omitted. */
  at?: SteeredPositions;
}

/** How a row is steered; what each does is said at {@link steer}. */
export type Kind = 'add' | 'clamp' | 'patch' | 'replace';

/** With what and how a row is steered. */
export type Steering = RowSteering & { kind: Kind };

/**
 * `add`: x + strength · vector. `clamp`: x + (strength − f(x)) · vector, where f is the row's latent at that position:
 * the latent is set to `strength` and the reconstruction's error is kept. `patch`: the same by the decoder itself, whatever
 * it computes: x + decode(codes with the latent at `strength`) − decode(codes). `replace`: the first of these alone, so that
 * the error is lost. At every position, of prompt and generated text, special tokens included (AxBench), or where a row says.
 */
export function steer(site: string, rows: readonly RowSteering[], kind: Kind, method: FittedMethod): Intervention {
  const steered = kind === 'add' || kind === 'clamp' ? adding(rows, kind, method) : editing(rows, kind, method);
  if (rows.every(({ at }) => at === undefined)) return { site, apply: steered };
  return {
    site,
    apply: (x, context) => tf.where(acted(rows, x, context), steered(x), x) as Tensor3D,
  };
}

type Change = (x: Tensor3D) => Tensor3D;

function adding(rows: readonly RowSteering[], kind: 'add' | 'clamp', method: FittedMethod): Change {
  const d = rows[0]?.vector.length ?? 0;
  const steps = vectorsOf(rows, d, ({ strength }) => strength);
  const vectors = kind === 'clamp' ? vectorsOf(rows, d, () => 1) : undefined;
  return (x) => {
    const left = vectors ? withoutLatents(x, rows, vectors, method) : x;
    return tf.add(left, tf.tensor3d(steps, [rows.length, 1, d])) as Tensor3D;
  };
}

function editing(rows: readonly RowSteering[], kind: 'patch' | 'replace', method: FittedMethod): Change {
  return (x) => {
    const [n, length, d] = x.shape;
    const each = Array.from({ length: n * length }, (_, at) => rows[Math.floor(at / length)]!);
    const edits = {
      latents: Int32Array.from(each, ({ latent }) => latent!),
      values: Float32Array.from(each, ({ strength }) => strength),
    };
    return tf.reshape(editedRows(tf.reshape(x, [n * length, d]), edits, method, kind === 'patch'), x.shape);
  };
}

/** Where x is changed, [n, length, d]. */
function acted(rows: readonly RowSteering[], x: Tensor3D, { phase }: InterventionContext) {
  const [n, length] = x.shape;
  const acts = new Uint8Array(n * length).fill(1);
  rows.forEach(({ at }, row) => {
    if (!at) return;
    for (let column = 0; column < length; column++) {
      const within = phase === 'generated' ? at.generated : column >= at.from && column < at.to;
      acts[row * length + column] = within ? 1 : 0;
    }
  });
  return tf.broadcastTo(tf.tensor3d(acts, [n, length, 1], 'bool'), x.shape);
}

/** Rows steered each in its own way; those of one kind are best kept together. */
export function steerEach(site: string, rows: readonly Steering[], method: FittedMethod): Intervention {
  const starts = rows.flatMap(({ kind }, i) => (kind === rows[i - 1]?.kind ? [] : [i]));
  const runs = starts.map((from, i) => {
    const own = rows.slice(from, starts[i + 1]);
    return { from, count: own.length, steering: steer(site, own, own[0]!.kind, method) };
  });
  if (runs.length === 1) return runs[0]!.steering;
  return {
    site,
    apply(x, context) {
      const parts = runs.map(({ from, count, steering }) =>
        steering.apply(tf.slice(x, [from, 0, 0], [count, -1, -1]), context),
      );
      return tf.concat(parts, 0);
    },
  };
}

/** x − f(x) · vector: what clamping to 0 leaves of x [n, length, d]. */
export function cleared(x: Tensor3D, rows: readonly Omit<RowSteering, 'strength'>[], method: FittedMethod): Tensor3D {
  return withoutLatents(
    x,
    rows,
    vectorsOf(rows, x.shape[2], () => 1),
    method,
  );
}

function withoutLatents(
  x: Tensor3D,
  rows: readonly Pick<RowSteering, 'latent'>[],
  vectors: Float32Array,
  method: FittedMethod,
): Tensor3D {
  const [n, length, d] = x.shape;
  const values = tf.reshape(latentValues(tf.reshape(x, [n * length, d]), rows, length, method), [n, length, 1]);
  return tf.sub(x, tf.mul(values, tf.tensor3d(vectors, [n, 1, d]))) as Tensor3D;
}

function vectorsOf<R extends Pick<RowSteering, 'vector'>>(
  rows: readonly R[],
  d: number,
  scale: (row: R) => number,
): Float32Array {
  const data = new Float32Array(rows.length * d);
  rows.forEach((row, i) => {
    const factor = scale(row);
    for (let j = 0; j < d; j++) data[i * d + j] = factor * row.vector[j]!;
  });
  return data;
}

/** The value that each row's own latent has at each of its positions: [n · length, 1]. */
function latentValues(
  x: Tensor2D,
  rows: readonly Pick<RowSteering, 'latent'>[],
  length: number,
  method: FittedMethod,
): Tensor2D {
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
