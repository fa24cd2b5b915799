/** @file The fused transformer block against its definition in float64, with odd sizes, caches, masks and hostile input. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { allclose } from '../allclose.ts';
import { initBackend, probeBackends } from '../backend.ts';
import { hasKernel, runKernel } from '../kernels/own.ts';
import { createRng } from '../rng.ts';
import { type Tensor2D, tf } from '../tf.ts';
import { type BlockPass, type BlockShape, type BlockWeights, canFuse, packBlock, transformerBlock } from './block.ts';
import { createKeyValueCache, type KeyValueCache } from './key-value-cache.ts';

const test = suite('num/ops/block');
const native = (await probeBackends()).some(({ name, available }) => name === 'native' && available);
const rng = createRng('block');
const draw = (n: number) => Array.from(rng.fillNormal(new Float32Array(n))).map((x) => x / 2);

type Layer = { weight: number[]; bias?: number[]; in: number; out: number };
interface Model {
  shape: BlockShape;
  norms: { weight: number[]; bias?: number[] }[];
  layers: Record<string, Layer>;
}

const shape = (heads: number, kvHeads: number, headDim: number, d: number, mlp: number): BlockShape => ({
  ...{ heads, kvHeads, headDim, d, mlp, norm: 'rms', epsilon: 1e-5, activation: 'silu', gated: true, causal: true },
  bias: { attention: false, mlp: false },
});
const llama = shape(4, 2, 8, 20, 50);
const vision: BlockShape = {
  ...{ ...shape(3, 3, 5, 33, 70), norm: 'layer', activation: 'quick_gelu', gated: false, causal: false },
  bias: { attention: true, mlp: true },
};

function modelOf(s: BlockShape): Model {
  const layer = (width: number, out: number, bias: boolean): Layer => {
    return { weight: draw(width * out).map((w) => w / 2), in: width, out, ...(bias ? { bias: draw(out) } : {}) };
  };
  const norm = () => ({ weight: draw(s.d), ...(s.norm === 'layer' ? { bias: draw(s.d) } : {}) });
  const [queries, keys] = [s.heads * s.headDim, s.kvHeads * s.headDim];
  const { attention, mlp } = s.bias;
  const layers = {
    q: layer(s.d, queries, attention),
    k: layer(s.d, keys, attention),
    v: layer(s.d, keys, attention),
    out: layer(queries, s.d, attention),
    ...(s.gated ? { gate: layer(s.d, s.mlp, mlp) } : {}),
    up: layer(s.d, s.mlp, mlp),
    down: layer(s.mlp, s.d, mlp),
  };
  return { shape: s, norms: [norm(), norm()], layers };
}

function pack({ shape: s, norms, layers }: Model) {
  const vector = (values: number[] | undefined) => values && tf.tensor1d(values);
  const [attentionNorm, mlpNorm] = norms.map(({ weight, bias }) => ({ weight: vector(weight)!, bias: vector(bias) }));
  const linears = Object.entries(layers).map(([name, { weight, bias, in: width, out }]) => [
    name,
    { weight: tf.tensor2d(weight, [width, out]), bias: vector(bias) },
  ]);
  return packBlock(s, { attentionNorm, mlpNorm, layers: Object.fromEntries(linears) } as BlockWeights)!;
}

const ACTIVATIONS: Record<string, (x: number) => number> = {
  silu: (x) => x / (1 + Math.exp(-x)),
  quick_gelu: (x) => x / (1 + Math.exp(-1.702 * x)),
};

/** The definition for one sequence: its rows, after `past` rows of the same sequence whose keys count too. */
function reference(
  m: Model,
  rows: number[][],
  angles: number[] | undefined,
  seen: number[] | undefined,
  window = Infinity,
): number[][] {
  const s = m.shape;
  const norm = (x: number[], { weight, bias }: Model['norms'][number]) => {
    const mean = s.norm === 'layer' ? x.reduce((a, b) => a + b, 0) / x.length : 0;
    const deviation = Math.sqrt(x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length + s.epsilon);
    return x.map((value, j) => ((value - mean) / deviation) * weight[j]! + (bias?.[j] ?? 0));
  };
  const linear = (x: number[], name: string) => {
    const { weight, bias, out } = m.layers[name]!;
    return Array.from({ length: out }, (_, j) =>
      x.reduce((sum, value, i) => sum + value * weight[i * out + j]!, bias?.[j] ?? 0),
    );
  };
  const turn = (x: number[], i: number) => {
    if (!angles) return x;
    const half = s.headDim / 2;
    return x.map((value, at) => {
      const place = at % s.headDim;
      const angle = angles[i * half + (place % half)]!;
      return value * Math.cos(angle) + (place < half ? -x[at + half]! : x[at - half]!) * Math.sin(angle);
    });
  };
  const normed = rows.map((row) => norm(row, m.norms[0]!));
  const [q, k] = ['q', 'k'].map((name) => normed.map((row, i) => turn(linear(row, name), i)));
  const v = normed.map((row) => linear(row, 'v'));
  return rows.map((row, i) => {
    const mixed: number[] = [];
    for (let h = 0; h < s.heads; h++) {
      const group = Math.floor((h * s.kvHeads) / s.heads) * s.headDim;
      const own = Array.from({ length: s.headDim }, (_, c) => c);
      const weights = rows.map((_, j) => {
        if ((s.causal && (j > i || j <= i - window)) || (seen && !seen[j])) return 0;
        const dot = own.reduce((sum, c) => sum + q![i]![h * s.headDim + c]! * k![j]![group + c]!, 0);
        return Math.exp(dot / Math.sqrt(s.headDim));
      });
      const total = weights.reduce((a, b) => a + b, 0);
      for (const c of own) mixed.push(weights.reduce((sum, w, j) => sum + (w / total) * v[j]![group + c]!, 0));
    }
    const middle = linear(mixed, 'out').map((value, j) => value + row[j]!);
    const inner = norm(middle, m.norms[1]!);
    const gate = linear(inner, s.gated ? 'gate' : 'up').map(ACTIVATIONS[s.activation]!);
    const hidden = s.gated ? linear(inner, 'up').map((value, j) => value * gate[j]!) : gate;
    return linear(hidden, 'down').map((value, j) => value + middle[j]!);
  });
}

const sequences = (n: number, t: number, d: number) =>
  Array.from({ length: n }, () => Array.from({ length: t }, () => draw(d)));
const tensorOf = (rows: number[][][], d: number) => tf.tensor2d(rows.flat(2), [rows.flat().length, d]);
const tables = (angles: number[], half: number) => ({
  cos: tf.tensor2d(angles.map(Math.cos), [angles.length / half, half]),
  sin: tf.tensor2d(angles.map(Math.sin), [angles.length / half, half]),
});
const near = { rtol: 1e-4, atol: 1e-4 };

if (native) {
  test.before(async () => {
    await initBackend('native');
  });

  const cases: [string, BlockShape, number, number, number?][] = [
    ['one row', llama, 1, 1],
    ['sequences of a Llama', llama, 5, 7],
    ['a sequence longer than a task', llama, 2, 131],
    ['many short ones', llama, 50, 3],
    ['a vision tower', vision, 6, 17],
    ['weights deeper than a packed block', shape(2, 1, 4, 270, 600), 4, 3],
    ['a window', llama, 5, 21, 4],
    ['a window of one column', llama, 4, 6, 1],
  ];
  for (const [name, s, n, t, window] of cases) {
    test(name, () => {
      const model = modelOf(s);
      const rows = sequences(n, t, s.d);
      const angles = s.gated ? draw((t * s.headDim) / 2) : undefined;
      const expected = rows.map((each) => reference(model, each, angles, undefined, window));
      tf.tidy(() => {
        const pass: BlockPass = {
          n,
          t,
          ...(window && { window }),
          ...(angles ? { rotary: tables(angles, s.headDim / 2) } : {}),
        };
        const [x, weights] = [tensorOf(rows, s.d), pack(model)];
        const y = transformerBlock(x, weights, s, pass);
        assert.equal(y.shape, [n * t, s.d]);
        allclose(y.dataSync(), expected.flat(2), near);
        if (angles) return;
        const first = transformerBlock(x, weights, s, { ...pass, firstColumn: true });
        assert.equal(first.shape, [n, s.d]);
        allclose(
          first.dataSync(),
          expected.flatMap((each) => each[0]!),
          near,
        );
      });
    });
  }

  test('columns one after another through a cache, some hidden, are as all at once', () => {
    const [n, prompt, more] = [14, 3, 4];
    const length = prompt + more;
    const model = modelOf(llama);
    const half = llama.headDim / 2;
    const rows = sequences(n, length, llama.d);
    // The last column of every other prompt is padding, which has no position of its own.
    const padded = (i: number) => i % 2 === 1;
    const angles = rows.map(() => draw(length * half));
    const seen = rows.map((_, i) => Array.from({ length }, (_unused, j) => (padded(i) && j === prompt - 1 ? 0 : 1)));
    const expected = rows.map((each, i) => reference(model, each, angles[i], seen[i]));
    const cache: KeyValueCache = createKeyValueCache(n, length + 2, llama.kvHeads * llama.headDim);
    tf.tidy(() => {
      const weights = pack(model);
      const run = (from: number, t: number) => {
        const own = rows.map((each) => each.slice(from, from + t));
        const turning = angles.flatMap((each) => each.slice(from * half, (from + t) * half));
        const mask = seen.flatMap((each) => each.slice(0, from + t));
        const y = transformerBlock(tensorOf(own, llama.d), weights, llama, {
          ...{ n, t, rotary: tables(turning, half), cache },
          seen: tf.tensor2d(mask, [n, from + t], 'bool'),
        });
        const values = y.dataSync();
        own.forEach((_, i) => {
          for (let j = 0; j < t; j++) {
            if (!seen[i]![from + j]) continue;
            const at = (i * t + j) * llama.d;
            allclose(values.subarray(at, at + llama.d), expected[i]![from + j]!, near);
          }
        });
      };
      run(0, prompt);
      for (let column = prompt; column < length; column++) run(column, 1);
    });
    cache.dispose();
  });

  test('a sequence is the same bits beside whatever others', () => {
    const model = modelOf(llama);
    const rows = sequences(40, 6, llama.d);
    tf.tidy(() => {
      const weights = pack(model);
      const rotary = tables(draw(3 * llama.headDim), llama.headDim / 2);
      const run = (some: number[][][]) =>
        transformerBlock(tensorOf(some, llama.d), weights, llama, { n: some.length, t: 6, rotary }).dataSync();
      const all = run(rows);
      const size = 6 * llama.d;
      for (const i of [0, 17, 39]) assert.equal(run([rows[i]!]), all.slice(i * size, (i + 1) * size));
    });
  });

  test('NaN and infinity stay in their sequence', () => {
    const model = modelOf(vision);
    const rows = sequences(6, 3, vision.d);
    const clean = tf.tidy(() =>
      transformerBlock(tensorOf(rows, vision.d), pack(model), vision, { n: 6, t: 3 }).dataSync(),
    );
    rows[1]![2]![0] = Number.NaN;
    rows[4]![0]![5] = Number.POSITIVE_INFINITY;
    const spoilt = tf.tidy(() =>
      transformerBlock(tensorOf(rows, vision.d), pack(model), vision, { n: 6, t: 3 }).dataSync(),
    );
    const size = 3 * vision.d;
    for (const i of [0, 2, 3, 5])
      assert.equal(spoilt.slice(i * size, (i + 1) * size), clean.slice(i * size, (i + 1) * size));
    for (const i of [1, 4]) assert.ok(spoilt.slice(i * size, (i + 1) * size).every(Number.isNaN));
  });

  test('nothing in, nothing out; sizes that contradict one another and short arrays are refused', () => {
    const model = modelOf(vision);
    tf.tidy(() => {
      const weights = pack(model);
      const x = (n: number) => tf.zeros([n, vision.d]) as Tensor2D;
      assert.equal(transformerBlock(x(0), weights, vision, { n: 0, t: 3 }).shape, [0, vision.d]);
      assert.equal(transformerBlock(x(0), weights, vision, { n: 2, t: 0 }).shape, [0, vision.d]);
      const short = tf.slice(weights, 0, weights.size - 1);
      assert.throws(() => transformerBlock(x(6), short, vision, { n: 2, t: 3 }), /too short/);
      assert.throws(() => transformerBlock(x(5), weights, vision, { n: 2, t: 3 }), /too short/);
      assert.throws(() => transformerBlock(x(6), weights, { ...vision, kvHeads: 2 }, { n: 2, t: 3 }), /contradict/);
      assert.throws(() => transformerBlock(x(6), weights, vision, { n: 2, t: 3, window: 2 }), /contradict/);
      const seen = tf.tensor2d([1, 1, 1], [1, 3], 'bool');
      assert.throws(() => transformerBlock(x(6), weights, vision, { n: 2, t: 3, seen }), /too short/);
      assert.equal(runKernel('SaxPackLinear', { w: tf.zeros([0, 4]) as Tensor2D }).shape, [0]);
    });
  });

  test('not for large blocks, nor where a gradient is wanted', () => {
    assert.ok(hasKernel('SaxBlock'));
    const wide = modelOf({ ...vision, mlp: 20000 });
    tf.tidy(() => assert.is(pack(wide), undefined));
    assert.is(canFuse({ n: 8, t: 5 }), true);
    assert.is(canFuse({ n: 1, t: 900 }), false);
    let inside: boolean | undefined;
    tf.tidy(() => {
      tf.grad((x) => {
        inside = canFuse({ n: 8, t: 5 });
        return tf.sum(x);
      })(tf.zeros([2]));
    });
    assert.is(inside, false);
  });
}

test.run();
