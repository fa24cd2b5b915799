/** @file Rotary tables and attention masks, computed in float64 on the host. */
import { type Tensor4D, tf } from '../../harness/contract.ts';
import type { Rotary } from './attention.ts';

const MASKED = -1e9;

/** Llama 3's stretching of low frequencies; fields as in `rope_scaling`. */
export interface Llama3Scaling {
  factor: number;
  lowFreqFactor: number;
  highFreqFactor: number;
  originalLength: number;
}

export interface RotarySpec {
  theta: number;
  /** Positions are divided by this (`rope_type: linear`). */
  linearFactor?: number;
  llama3?: Llama3Scaling;
}

/** Angular frequencies of the headDim/2 pairs: theta^(−2i/headDim), rescaled where the spec says so. */
export function rotaryFrequencies(headDim: number, spec: RotarySpec): Float64Array {
  const frequencies = Float64Array.from({ length: headDim / 2 }, (_, i) => spec.theta ** ((-2 * i) / headDim));
  if (spec.linearFactor) return frequencies.map((frequency) => frequency / spec.linearFactor!);
  return spec.llama3 ? frequencies.map((frequency) => stretch(frequency, spec.llama3!)) : frequencies;
}

/** Llama 3.1's rule: long waves are slowed by `factor`, short ones kept, and those between blended linearly. */
function stretch(frequency: number, scaling: Llama3Scaling): number {
  const turns = (scaling.originalLength * frequency) / (2 * Math.PI);
  const kept = (turns - scaling.lowFreqFactor) / (scaling.highFreqFactor - scaling.lowFreqFactor);
  const share = Math.min(1, Math.max(0, kept));
  return share * frequency + ((1 - share) * frequency) / scaling.factor;
}

/** Tables for `positions` (row-major [rows, t], rows = 1 to share them over the batch). */
export function rotaryTables(positions: ArrayLike<number>, rows: number, headDim: number, spec: RotarySpec): Rotary {
  const half = headDim / 2;
  const frequencies = rotaryFrequencies(headDim, spec);
  const cos = new Float32Array(positions.length * headDim);
  const sin = new Float32Array(positions.length * headDim);
  for (let p = 0; p < positions.length; p++) {
    for (let i = 0; i < half; i++) {
      const angle = positions[p]! * frequencies[i]!;
      cos[p * headDim + i] = cos[p * headDim + half + i] = Math.cos(angle);
      sin[p * headDim + i] = sin[p * headDim + half + i] = Math.sin(angle);
    }
  }
  // rotate_half(x) = [−x₂, x₁] as a matrix product: one operation with a gradient, and exact.
  const rotate = new Float32Array(headDim * headDim);
  for (let i = 0; i < half; i++) {
    rotate[(half + i) * headDim + i] = -1;
    rotate[i * headDim + half + i] = 1;
  }
  const shape: [number, number, number, number] = [rows, positions.length / rows, 1, headDim];
  return {
    cos: tf.tensor4d(cos, shape),
    sin: tf.tensor4d(sin, shape),
    rotate: tf.tensor2d(rotate, [headDim, headDim]),
  };
}

/** Bias [1, 1, t, t] that lets a column see itself and earlier ones. Right padding needs no other mask. */
export function causalBias(t: number): Tensor4D {
  const bias = new Float32Array(t * t);
  for (let row = 0; row < t; row++) bias.fill(MASKED, row * t + row + 1, (row + 1) * t);
  return tf.tensor4d(bias, [1, 1, t, t]);
}

/** Bias [n, 1, 1, columns] for one new column a row that sees the columns where `seen` (row-major) is 1. */
export function columnBias(seen: ArrayLike<number>, n: number): Tensor4D {
  const bias = Float32Array.from(seen, (visible) => (visible ? 0 : MASKED));
  return tf.tensor4d(bias, [n, 1, 1, bias.length / n]);
}
