import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FittedState, tf } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import ica from './ica.ts';
import { fastIca } from './parts/fast-ica.ts';

const test = suite('baselines/ica');
test.before(async () => {
  await initBackend('wasm');
});

const golden = JSON.parse(readFileSync(new URL('testdata/components.json', import.meta.url), 'utf8')).ica as Record<
  'x' | 'whitened' | 'start' | 'three_steps' | 'unmixing' | 'components' | 'mixing' | 'codes',
  number[][]
> & { iterations: number; mean: number[] };

const DEFAULTS = { components: 256, rows: 16384, tolerance: 1e-4, iterations: 200 };
const fit = (rows: number[][], options: Partial<typeof DEFAULTS> = {}): Promise<FittedState> =>
  ica.fit({
    options: { ...DEFAULTS, ...options },
    rng: createRng(0),
    activations: memoryActivations(rows.map((row) => [row])),
    site: 's',
    progress: () => {},
  });

const largestGap = (found: ArrayLike<number>, wanted: readonly number[]) =>
  wanted.reduce((most, value, i) => Math.max(most, Math.abs(value - found[i]!)), 0);

test('takes the steps that scikit-learn takes from the same start, and as many', async () => {
  const whitened = tf.tensor2d(golden.whitened);
  const start = Float64Array.from(golden.start.flat());
  const three = await fastIca(whitened, start, { tolerance: 0, most: 3 });
  const full = await fastIca(whitened, start, { tolerance: 1e-4, most: 200 });
  whitened.dispose();
  // Early steps turn components by much, and the rounding of float32 with them.
  const [early, late] = [
    largestGap(three.unmixing, golden.three_steps.flat()),
    largestGap(full.unmixing, golden.unmixing.flat()),
  ];
  assert.ok(early < 3e-4 && late < 1e-4, `${early} ${late}`);
  assert.not.ok(three.converged);
  assert.is(full.iterations, golden.iterations);
  assert.ok(full.converged);
});

test('finds the components that scikit-learn finds, up to their order and signs', async () => {
  const state = await fit(golden.x, { components: 4 });
  const found = (name: string) =>
    Array.from({ length: 4 }, (_, k) => state.tensors[name]!.data.subarray(6 * k, 6 * k + 6));
  const order = golden.mixing.map((row) => {
    const cosines = found('mixing').map(
      (mine) => mine.reduce((sum, value, i) => sum + value * row[i]!, 0) / (Math.hypot(...mine) * Math.hypot(...row)),
    );
    return cosines.findIndex((cosine) => Math.abs(cosine) > 0.9999);
  });
  assert.equal([...order].sort(), [0, 1, 2, 3]);
  for (const [name, rows] of [
    ['mixing', golden.mixing],
    ['unmixing', golden.components],
  ] as const) {
    rows.forEach((row, k) => {
      const mine = found(name)[order[k]!]!;
      const sign = Math.sign(mine.reduce((sum, value, i) => sum + value * row[i]!, 0));
      const gap = largestGap(
        mine,
        row.map((value) => sign * value),
      );
      assert.ok(gap < 0.02 * Math.hypot(...row), `${name} ${k}: ${gap}`);
    });
  }
  assert.is(state.marks, undefined);
});

test('codes of variance 1 decode to the rows that they come from; a rerun gives the same bits', async () => {
  const state = await fit(golden.x, { components: 0 });
  assert.equal(state, await fit(golden.x, { components: 0 }));
  const method = ica.restore(state, { d_in: 6, options: DEFAULTS });
  const before = tf.memory().numTensors;
  const x = tf.tensor2d(golden.x);
  const [codes, back] = tf.tidy(() => {
    const encoded = method.encode!(x);
    if (encoded.kind !== 'dense') throw new Error('dense expected');
    return [encoded.values, method.decode!(encoded)];
  });
  assert.ok(largestGap(await back!.data(), golden.x.flat()) < 1e-4);
  const values = (await codes!.data()) as Float32Array;
  const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
  assert.ok(Math.abs(square - 1) < 1e-3, `${square}`);
  const directions = method.directions!();
  assert.ok(Math.abs(Math.hypot(...directions.subarray(0, 6)) - 1) < 1e-6);
  tf.dispose([x, codes!, back!]);
  assert.is(tf.memory().numTensors, before);
  method.dispose();
});

test('what the rows do not determine is dropped, and what did not converge is said', async () => {
  const few = await fit(golden.x.slice(0, 4));
  assert.equal(few.tensors['mixing']!.shape, [3, 6]);
  assert.ok(
    few.marks!.some(({ code, message }) => code === 'components-dropped' && /4 rows determine 3/.test(message)),
  );
  const early = await fit(golden.x, { iterations: 1 });
  assert.match(early.marks!.find(({ code }) => code === 'not-converged')!.message, /after 1 steps/);
  assert.is((early.json as { converged: boolean }).converged, false);
});

test('constant rows, a single row and NaN are refused', async () => {
  assert.match(
    await refusal(
      fit([
        [1, 2],
        [1, 2],
        [1, 2],
      ]),
    ),
    /ica: expected activations that differ/,
  );
  assert.match(await refusal(fit([[1, 2]])), /ica: expected at least 2 kept positions, found 1/);
  assert.match(
    await refusal(
      fit([
        [1, 2],
        [Number.NaN, 2],
      ]),
    ),
    /ica: expected finite activations/,
  );
});

test.run();
