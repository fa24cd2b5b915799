/** @file SAE neural operator: the same functions on other grids, costs, the vector case, what it refuses. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SaeShape } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type NamedTensors, type Tensor2D, tf } from '../../harness/num/tf.ts';
import { checkShape } from '../../harness/train/options.ts';
import fno from './fno.ts';

const test = suite('sae neural operator');
test.before(async () => {
  await initBackend('wasm');
});

const shapeOf = (input: number[] | undefined, d_in: number, d_sae: number): SaeShape => ({
  ...{ d_in, d_sae, d_out: d_in },
  ...(input && { input }),
});
const hp = { k: 4, modes: 3, lift: null as number | null, deadBias: 0 };

function startOf(shape: SaeShape, options = hp): NamedTensors {
  const sample = tf.tensor2d(createRng(1).fillNormal(new Float32Array(20 * shape.d_in)), [20, shape.d_in]);
  const { params, buffers } = fno.init(shape, options, { rng: createRng(0), sample, targetSample: sample });
  return { ...params, grid: buffers!['grid']! };
}

test('on a grid twice as fine, inference is what torch.fft makes of it', () => {
  const text = readFileSync(new URL('./testdata/fno.json', import.meta.url), 'utf8');
  for (const example of JSON.parse(text).cases) {
    tf.tidy(() => {
      const { params, shapes, buffers, finer, d_in } = example;
      const named = Object.fromEntries(
        Object.entries(params as Record<string, number[]>).map(([name, values]) => [
          name,
          tf.tensor(values, shapes[name]),
        ]),
      );
      const all = { ...named, grid: tf.scalar(buffers.grid[0]) };
      const x = tf.tensor2d(finer.x, [2, 2 * d_in]);
      const decoded = fno.decode(all, fno.encode(all, x, example.hp), example.hp);
      allclose(decoded.dataSync(), finer.decoded, { rtol: 2e-5, atol: 5e-6 }, example.name);
    });
  }
});

test('a latent means the same function on every grid', () => {
  tf.tidy(() => {
    const params = startOf(shapeOf([1, 8], 8, 24));
    const at = (points: number) => {
      // The first concept at half of the period, as high in proportion to the points.
      const codes = new Float32Array(3 * points);
      codes[points / 2] = points;
      return fno.decode(params, { kind: 'dense', values: tf.tensor2d(codes, [1, 3 * points]) }, hp).dataSync();
    };
    const [coarse, fine] = [at(8), at(16)];
    allclose(
      Array.from(coarse, (_, i) => fine[2 * i]!),
      coarse,
      { rtol: 1e-4, atol: 1e-4 },
    );
  });
});

test('a shifted input has a shifted code', () => {
  tf.tidy(() => {
    const params = startOf(shapeOf([1, 8], 8, 24));
    const x = Array.from(createRng(4).fillNormal(new Float32Array(8)));
    const codes = (row: number[]) => {
      const { indices, values } = fno.encode(params, tf.tensor2d(row, [1, 8]), hp) as {
        indices: Tensor2D;
        values: Tensor2D;
      };
      const where = indices.dataSync();
      return [...values.dataSync()].map((value, i) => [where[i]!, value] as const);
    };
    // The bias is a function too: a constant one moves with nothing.
    params['b_dec_re'] = tf.zeros([1, 1, 3]);
    params['b_dec_im'] = tf.zeros([1, 1, 3]);
    const [own, shifted] = [codes(x), codes([...x.slice(-3), ...x.slice(0, -3)])];
    const moved = own.map(([at, value]) => [Math.floor(at / 8) * 8 + ((at + 3) % 8), value] as const);
    const sorted = (all: (readonly [number, number])[]) => [...all].sort((a, b) => a[0] - b[0]);
    allclose(sorted(shifted).flat(), sorted(moved).flat(), { rtol: 1e-4, atol: 1e-5 });
  });
});

test('decoder directions are the kernels at each point, of unit length at the start', () => {
  tf.tidy(() => {
    const params = startOf(shapeOf([1, 8], 8, 24));
    const rows = fno.directions(params, hp).arraySync() as number[][];
    assert.is(rows.length, 24);
    for (const row of rows) assert.ok(Math.abs(Math.hypot(...row) - 1) < 1e-4);
    allclose(rows[3]!, [...rows[0]!.slice(-3), ...rows[0]!.slice(0, -3)], { rtol: 1e-4, atol: 1e-5 });
  });
});

test('parameters: the decoder has 2 · P · C · S numbers; macs by the transforms and the kernels', () => {
  tf.tidy(() => {
    const [C, N, P, S] = [2, 8, 5, 3];
    const shape = shapeOf([C, N], C * N, P * N);
    const { grid: _, ...params } = startOf(shape);
    const decoder = params['D_re']!.size + params['D_im']!.size;
    assert.is(decoder, 2 * P * C * S);
    const total = Object.values(params).reduce((sum, param) => sum + param.size, 0);
    assert.is(total, 2 * decoder + P + 2 * C * S);
    const cost = (C + P) * 2 * S * N + 4 * P * C * S;
    assert.equal(fno.macs!(shape, hp), { encode: cost, decode: cost });
    const lifted = Object.values(startOf(shape, { ...hp, lift: 4 })).reduce((sum, param) => sum + param.size, -1);
    assert.is(lifted, 4 * P * 4 * S + P + 2 * C * S + 2 * C * 4);
  });
});

test('rows that are no functions, and options out of range: one line', () => {
  const refused = (shape: SaeShape, options: object = {}) => {
    try {
      checkShape(fno, shape, { ...hp, ...options });
    } catch (error) {
      return (error as Error).message;
    }
    return 'it passed';
  };
  const good = shapeOf([1, 8], 8, 24);
  assert.is(refused(good), 'it passed');
  assert.match(
    refused(shapeOf([2, 2, 2], 8, 24)),
    /^sae fno: shape.input: expected functions \[C, N\], found \[2, 2, 2\];/,
  );
  assert.is(
    refused(shapeOf([1, 8], 8, 20)),
    'sae fno: d_sae: expected a multiple of the 8 points of a row, one concept for each time, found 20.',
  );
  assert.is(refused(good, { modes: 5 }), 'sae fno: modes: expected 1 to 4, what 8 points can carry, found 5.');
  assert.is(
    refused(shapeOf(undefined, 8, 24)),
    'sae fno: modes: expected 1 at vectors of 8 numbers, which are functions at one point; or choose a site of functions, found 3.',
  );
  assert.is(refused(shapeOf(undefined, 8, 24), { modes: 1 }), 'it passed');
  assert.is(refused(good, { k: 25 }), 'sae fno: k: expected 1 to d_sae = 24, found 25.');
  assert.is(
    refused(shapeOf([3, 4], 12, 24), { modes: 2, lift: 2 }),
    'sae fno: lift: expected at least the 3 channels of a row, found 2.',
  );
});

test.run();
