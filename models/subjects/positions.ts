/** @file Rotary tables, computed in float64 on the host. */
import { type RotaryTables, tf } from '../../harness/contract.ts';

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

/** Cosines and sines of the angles of `positions`, one row each. */
export function rotaryTables(positions: ArrayLike<number>, headDim: number, spec: RotarySpec): RotaryTables {
  const half = headDim / 2;
  const frequencies = rotaryFrequencies(headDim, spec);
  const cos = new Float32Array(positions.length * half);
  const sin = new Float32Array(positions.length * half);
  for (let p = 0; p < positions.length; p++) {
    for (let i = 0; i < half; i++) {
      const angle = positions[p]! * frequencies[i]!;
      cos[p * half + i] = Math.cos(angle);
      sin[p * half + i] = Math.sin(angle);
    }
  }
  const shape: [number, number] = [positions.length, half];
  return { cos: tf.tensor2d(cos, shape), sin: tf.tensor2d(sin, shape) };
}
