/** @file Start values of the vision tower's position table: where a patch lies is told from the first step on. */
import { type Tensor2D, tf } from '../../../../harness/contract.ts';

/** Half the width of a patch's content at the start: positions drawn with σ = 0.02 would be drowned out by it. */
const AMPLITUDE = 0.7;
/** Longest wave, in patches, over 2π. */
const BASE = 100;

/**
 * Sines and cosines of row and column (Vaswani et al. 2017 §3.5, in two dimensions as in He et al. 2022, MAE), after a
 * row of zeros for the class token: [1 + grid², d], d a multiple of 4.
 */
export function sineCosinePositions(grid: number, d: number): Tensor2D {
  const quarter = d / 4;
  const table = new Float32Array((1 + grid * grid) * d);
  for (let patch = 0; patch < grid * grid; patch++) {
    const places = [patch % grid, Math.floor(patch / grid)];
    places.forEach((place, axis) => {
      for (let i = 0; i < quarter; i++) {
        const at = (patch + 1) * d + 2 * axis * quarter + i;
        const angle = place / BASE ** (i / quarter);
        table[at] = AMPLITUDE * Math.sin(angle);
        table[at + quarter] = AMPLITUDE * Math.cos(angle);
      }
    });
  }
  return tf.tensor2d(table, [1 + grid * grid, d]);
}
