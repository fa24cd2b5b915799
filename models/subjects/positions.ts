/** @file Rotary tables, computed in float64 on the host. */
import { tf } from '../../harness/contract.ts';
import type { RotaryTables } from '../../harness/kit/index.ts';

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

/** Cosines and sines by position, as far as they were asked for. */
interface KnownAngles {
  headDim: number;
  cos: Float32Array;
  sin: Float32Array;
}

/** Tables grow by so many positions. */
const GROWTH = 128;

const known = new WeakMap<RotarySpec, KnownAngles>();

/** The angles of positions 0 to `wanted` − 1, and perhaps more: every pass asks for the same ones again. */
function anglesOf(spec: RotarySpec, headDim: number, wanted: number): KnownAngles {
  const half = headDim / 2;
  const found = known.get(spec);
  if (found?.headDim === headDim && found.cos.length >= wanted * half) return found;
  const count = Math.ceil(wanted / GROWTH) * GROWTH;
  const frequencies = rotaryFrequencies(headDim, spec);
  const made = { headDim, cos: new Float32Array(count * half), sin: new Float32Array(count * half) };
  for (let p = 0; p < count; p++) {
    for (let i = 0; i < half; i++) {
      const angle = p * frequencies[i]!;
      made.cos[p * half + i] = Math.cos(angle);
      made.sin[p * half + i] = Math.sin(angle);
    }
  }
  known.set(spec, made);
  return made;
}

/** Cosines and sines of the angles of `positions` (whole numbers), one row each. */
export function rotaryTables(positions: ArrayLike<number>, headDim: number, spec: RotarySpec): RotaryTables {
  const half = headDim / 2;
  let count = 0;
  for (let p = 0; p < positions.length; p++) count = Math.max(count, positions[p]! + 1);
  const table = anglesOf(spec, headDim, count);
  const [cos, sin] = [table.cos, table.sin].map((all) => {
    const rows = new Float32Array(positions.length * half);
    for (let p = 0; p < positions.length; p++) {
      rows.set(all.subarray(positions[p]! * half, (positions[p]! + 1) * half), p * half);
    }
    return tf.tensor2d(rows, [positions.length, half]);
  });
  return { cos: cos!, sin: sin! };
}
