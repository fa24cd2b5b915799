/** @file Seeded directions, uniform on the unit sphere. */
import type { Rng } from '../../harness/contract.ts';

/** `count` independent directions, row-major [count, d]: normal vectors scaled to length 1. */
export function randomUnitVectors(rng: Rng, count: number, d: number): Float32Array {
  const out = rng.fillNormal(new Float32Array(count * d));
  for (let row = 0; row < count; row++) {
    const vector = out.subarray(row * d, (row + 1) * d);
    scaleToUnit(vector);
  }
  return out;
}

/** Scales `vector` in place to length 1 and returns its former length; a zero vector stays zero. */
export function scaleToUnit(vector: Float32Array | Float64Array): number {
  let square = 0;
  for (let i = 0; i < vector.length; i++) square += vector[i]! ** 2;
  const length = Math.sqrt(square);
  if (length > 0) for (let i = 0; i < vector.length; i++) vector[i] = vector[i]! / length;
  return length;
}
