/** @file The world of pixels: atoms of rank 1 and unit length, images that are their sums, rows by their ids alone. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createPixelWorld, PIXEL_WORLD } from './world.ts';

const test = suite('pixel world');
const world = createPixelWorld(PIXEL_WORLD, 0);
const ids = (n: number) => Array.from({ length: n }, (_, i) => `train-${i}`);
const [C, H, W] = PIXEL_WORLD.input;

test('every atom is one colour times a height times a width', async () => {
  const directions = await world.directions();
  for (let k = 0; k < world.features; k++) {
    const atom = directions.subarray(k * world.d, (k + 1) * world.d);
    assert.ok(Math.abs(Math.hypot(...atom) - 1) < 1e-5);
    // Rank 1: each entry is the product of its three fibres through the largest entry, over its square.
    const peak = atom.reduce((best, value, i) => (Math.abs(value) > Math.abs(atom[best]!) ? i : best), 0);
    const [c0, h0, w0] = [Math.floor(peak / (H * W)), Math.floor(peak / W) % H, peak % W];
    const at = (c: number, h: number, w: number) => atom[(c * H + h) * W + w]!;
    for (let c = 0; c < C; c++) {
      for (let h = 0; h < H; h++) {
        for (let w = 0; w < W; w++) {
          const product = (at(c, h0, w0) * at(c0, h, w0) * at(c0, h0, w)) / at(c0, h0, w0) ** 2;
          assert.ok(Math.abs(product - at(c, h, w)) < 1e-5);
        }
      }
    }
  }
});

test('an image is the background and its atoms times their magnitudes', async () => {
  const chosen = ids(20);
  const [x, codes, directions] = [await world.rows(chosen), world.of(chosen), await world.directions()];
  chosen.forEach((_, i) => {
    const row = new Float64Array(world.d).fill(PIXEL_WORLD.background);
    for (let at = codes.indptr[i]!; at < codes.indptr[i + 1]!; at++) {
      for (let c = 0; c < world.d; c++) row[c]! += codes.values[at]! * directions[codes.indices[at]! * world.d + c]!;
    }
    for (const [c, value] of row.entries()) assert.ok(Math.abs(value - x[i * world.d + c]!) < 1e-5);
  });
});

test('as many atoms as asked for are active in the mean; rows depend on the seed and the id alone', async () => {
  const codes = world.of(ids(2000));
  assert.ok(Math.abs(codes.indices.length / 2000 - PIXEL_WORLD.active) < 0.3);
  const x = await world.rows(['b', 'a']);
  assert.equal([...(await world.rows(['a']))], [...x.slice(world.d)]);
  assert.not.equal([...(await createPixelWorld(PIXEL_WORLD, 1).rows(['a']))], [...x.slice(world.d)]);
});

test.run();
