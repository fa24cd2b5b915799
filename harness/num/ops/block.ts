/** @file A pre-norm transformer block in one operation, for passes without gradients and without a look inside it. */
import type { NamedAttrMap } from '@tensorflow/tfjs-core';
import { hasKernel, runKernel } from '../kernels/own.ts';
import { precision } from '../precision.ts';
import { type Tensor, type Tensor1D, type Tensor2D, tf } from '../tf.ts';
import type { Activation } from './activation.ts';
import type { AttentionShape } from './attention.ts';
import type { KeyValueCache } from './key-value-cache.ts';
import type { RotaryTables } from './rotary.ts';

/** What is fixed about a block. */
export interface BlockShape extends AttentionShape {
  d: number;
  /** Width of the feed-forward layer. */
  mlp: number;
  norm: 'rms' | 'layer';
  epsilon: number;
  activation: Activation;
  /** Whether the feed-forward layer is down(act(gate·x) ⊙ up·x). */
  gated: boolean;
  causal: boolean;
  /** Whether the linear layers have biases. */
  bias: { attention: boolean; mlp: boolean };
}

/** A norm's gain and bias [d]; weights [in, out] and biases [out] of linear layers. Biases as the shape says. */
export interface BlockWeights {
  attentionNorm: { weight: Tensor; bias?: Tensor };
  mlpNorm: { weight: Tensor; bias?: Tensor };
  layers: Record<'q' | 'k' | 'v' | 'out' | 'up' | 'down', LinearWeights> & { gate?: LinearWeights };
}

interface LinearWeights {
  weight: Tensor2D;
  bias?: Tensor;
}

/** One pass over n sequences of t columns. */
export interface BlockPass {
  n: number;
  t: number;
  /** Tables of the columns, or of the sequences where t is 1; absent where positions are not rotary. */
  rotary?: RotaryTables;
  /** bool [n, columns]: where the rows may look; everywhere when omitted. */
  seen?: Tensor2D;
  /** Earlier columns; those of this pass are added to it. */
  cache?: KeyValueCache;
  /** Only the first column of each sequence is wanted: y is [n, d]. Not with a cache or rotary positions. */
  firstColumn?: boolean;
  /** In a causal block, columns that each one sees, its own the last of them; all when omitted. */
  window?: number;
}

/**
 * Floats of a block's weights up to which one operation is faster: every core reads them all, and all of a sequence is
 * computed on one core.
 */
const MOST_WEIGHTS = 2 ** 20;
const FEWEST_SEQUENCES = 4;

/** Whether the operation serves blocks of this shape: on another backend, in another precision, and for a large block, it does not. */
export function servesBlock({ d, mlp, heads, kvHeads, headDim, gated }: BlockShape): boolean {
  if (precision() !== 'float32') return false;
  return hasKernel('SaxBlock') && 2 * d * (heads + kvHeads) * headDim + (gated ? 3 : 2) * d * mlp <= MOST_WEIGHTS;
}

/** The weights as `transformerBlock` reads them, or nothing where it does not serve. */
export function packBlock(shape: BlockShape, { attentionNorm, mlpNorm, layers }: BlockWeights): Tensor1D | undefined {
  if (!servesBlock(shape)) return undefined;
  return tf.tidy(() => {
    const norm = ({ weight, bias }: { weight: Tensor; bias?: Tensor }): Tensor[] =>
      shape.norm === 'layer' ? [weight, bias ?? tf.zerosLike(weight)] : [weight];
    const linear = ({ weight, bias }: LinearWeights): Tensor[] => [
      runKernel<Tensor1D>('SaxPackLinear', { w: weight }),
      ...(bias ? [bias] : []),
    ];
    const { q, k, v, out, gate, up, down } = layers;
    const parts = [
      ...norm(attentionNorm),
      ...[q, k, v, out].flatMap(linear),
      ...norm(mlpNorm),
      ...(gate ? [gate, up, down] : [up, down]).flatMap(linear),
    ];
    return tf.concat1d(parts.map((part) => tf.reshape(part, [-1]) as Tensor1D));
  });
}

/** Whether `transformerBlock` is worth it now: no gradient is wanted of it, and its sequences can be shared out. */
export function canFuse({ n, t }: { n: number; t: number }): boolean {
  return tf.engine().state.gradientDepth === 0 && (n >= FEWEST_SEQUENCES || t === 1);
}

/**
 * y = r + mlp(norm(r)) with r = x + attention(norm(x)) of x [n·t, d]; the same numbers as the operations one by one give.
 *
 * @param weights from `packBlock`
 */
export function transformerBlock(x: Tensor2D, weights: Tensor1D, shape: BlockShape, pass: BlockPass): Tensor2D {
  const { n, t, rotary, seen, cache, firstColumn = false, window = 0 } = pass;
  const room = cache?.extend(t);
  const inputs: Record<string, Tensor> = { x, weights };
  if (rotary) {
    inputs['cos'] = rotary.cos;
    inputs['sin'] = rotary.sin;
  }
  if (seen) inputs['seen'] = seen;
  if (room) {
    inputs['keys'] = room.k;
    inputs['values'] = room.v;
  }
  // A step of generation has one call for each block and few rows in it: what surrounds the kernel counts.
  return runKernel<Tensor2D>('SaxBlock', inputs, {
    n,
    t,
    columns: room?.columns ?? t,
    capacity: room ? room.k.shape[0] / Math.max(1, n) : t,
    firstColumn,
    window,
    shape: shape as unknown as NamedAttrMap,
  });
}
