/** @file Encode, decode, folding and losses of every variant, by hand or against finite differences. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Codes, SaeDefinition, TrainState } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type NamedTensors, type Scalar, type Tensor2D, tf } from '../../harness/num/tf.ts';
import abstopk from './abstopk.ts';
import batchtopk from './batchtopk.ts';
import frozenDecoder from './frozen-decoder.ts';
import frozenEncoder from './frozen-encoder.ts';
import gated from './gated.ts';
import jumprelu from './jumprelu.ts';
import matryoshka from './matryoshka.ts';
import multiTopk from './multi-topk.ts';
import ortsae from './ortsae.ts';
import pAnneal from './p-anneal.ts';
import relu from './relu.ts';
import reluBricken from './relu-bricken.ts';
import { adjustSparsity, sparsityFactor } from './shared/sparsity-target.ts';
import { toDense } from './shared/threshold-codes.ts';
import softFrozenDecoder from './soft-frozen-decoder.ts';
import topk from './topk.ts';

const test = suite('sae forward');
test.before(async () => {
  await initBackend('wasm');
});

const plain = (definition: unknown) => definition as SaeDefinition;

/** Two inputs, three latents. */
const weights = (): NamedTensors => ({
  W_enc: tf.tensor2d([1, 0, -1, 0, 1, 1], [2, 3]),
  b_enc: tf.tensor1d([0.5, 0, 0]),
  W_dec: tf.tensor2d([1, 0, 0, 1, 0.6, 0.8], [3, 2]),
  b_dec: tf.tensor1d([1, -1]),
});

/** What a gated SAE has in place of b_enc. */
const gatedParts = (b_gate: number[], b_mag: number[], r_mag: number): NamedTensors => ({
  b_gate: tf.tensor1d(b_gate),
  b_mag: tf.tensor1d(b_mag),
  r_mag: tf.fill([b_gate.length], r_mag),
});

function state(changes: Partial<TrainState> = {}): TrainState {
  return {
    ...{ step: 50, steps: 100, tokens: 0, deadCount: 0, scalars: {}, rng: createRng(0) },
    dead: tf.zeros([3]),
    buffers: { variance: tf.scalar(2) },
    ...changes,
  } as TrainState;
}

test('codes and reconstructions of x = [3, 1], by hand', () => {
  const cases: [SaeDefinition, Record<string, unknown>, NamedTensors, number[], number[]][] = [
    // b_dec is subtracted: pre-activations [2.5, 2, 0].
    [plain(topk), { k: 1 }, {}, [2.5, 0, 0], [3.5, -1]],
    [plain(topk), { k: 3 }, {}, [2.5, 2, 0], [3.5, 1]],
    [plain(batchtopk), { k: 1 }, { threshold: tf.scalar(2.2) }, [2.5, 0, 0], [3.5, -1]],
    // Not subtracted: [3.5, 1, −2].
    [plain(relu), {}, {}, [3.5, 1, 0], [4.5, 0]],
    [plain(jumprelu), {}, { threshold: tf.tensor1d([2, 1, 1]) }, [3.5, 0, 0], [4.5, -1]],
    [plain(matryoshka), { k: 1 }, { threshold: tf.scalar(2.2) }, [2.5, 0, 0], [3.5, -1]],
    [plain(frozenEncoder), { k: 1 }, { threshold: tf.tensor1d([2, 1, 1]) }, [3.5, 0, 0], [4.5, -1]],
    [plain(reluBricken), {}, {}, [2.5, 2, 0], [3.5, 1]],
    // Gates [1.5, 1, −1] open two; magnitudes 2·[2, 2, 0] + [−1, −9, 0].
    [plain(gated), {}, gatedParts([-0.5, -1, -1], [-1, -9, 0], Math.log(2)), [3, 0, 0], [4, -1]],
    // Pre-activations [−3, 2, 0].
    [plain(abstopk), { k: 1 }, { b_enc: tf.tensor1d([-5, 0, 0]) }, [-3, 0, 0], [-2, -1]],
  ];
  for (const [definition, hp, more, codes, reconstruction] of cases) {
    tf.tidy(() => {
      const params = { ...weights(), ...more };
      const made = definition.encode(params, tf.tensor2d([3, 1], [1, 2]), hp);
      allclose(toDense(made).dataSync(), codes, {}, definition.id);
      allclose(definition.decode(params, made, hp).dataSync(), reconstruction, {}, definition.id);
      const other: Codes = made.kind === 'dense' ? made : { kind: 'dense', values: toDense(made) };
      allclose(definition.decode(params, other, hp).dataSync(), reconstruction, {}, `${definition.id}, dense codes`);
    });
  }
});

test('BatchTopK shares its budget over the batch and follows the smallest kept value', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([3, 1, 1, -1], [2, 2]);
    const { codes, carry } = batchtopk.loss(weights(), { x, target: x }, state(), {
      k: 1,
      auxAlpha: 0,
      auxK: 1,
      deadBias: 0,
    });
    // Pre-activations [2.5, 2, 0] and [0.5, 0, 0]: the two largest are both in the first row.
    assert.equal([...toDense(codes).dataSync()], [2.5, 2, 0, 0, 0, 0]);
    assert.equal(carry, { smallest: 2 });
    const following = state({ last: { l0: 1, parts: {}, carry: { smallest: 2 } } });
    batchtopk.afterStep!(weights(), following, { k: 1, auxAlpha: 0, auxK: 1, deadBias: 0 });
    assert.is(following.scalars['threshold'], 2);
    following.last!.carry!['smallest'] = 4;
    batchtopk.afterStep!(weights(), following, { k: 1, auxAlpha: 0, auxK: 1, deadBias: 0 });
    assert.ok(Math.abs(following.scalars['threshold']! - 2.2) < 1e-12);
    const long = state({ step: 2000, steps: 1e6, scalars: { threshold: 2 }, last: following.last });
    batchtopk.afterStep!(weights(), long, { k: 1, auxAlpha: 0, auxK: 1, deadBias: 0 });
    assert.ok(Math.abs(long.scalars['threshold']! - 2.002) < 1e-12, 'the published 0.999 on a long run');
    const early = state({ step: 10, last: following.last });
    batchtopk.afterStep!(weights(), early, { k: 1, auxAlpha: 0, auxK: 1, deadBias: 0 });
    assert.is(early.scalars['threshold'], undefined);
  });
});

test('AuxK: dead latents only, 0 without any, and nothing flows to the live ones', () => {
  tf.tidy(() => {
    const x = tf.tensor2d([3, 1, 1, -2], [2, 2]);
    const hp = { k: 1, auxAlpha: 1, auxK: 1, deadBias: 0 };
    const aux = (s: TrainState) => topk.loss(weights(), { x, target: x }, s, hp).parts['aux']!.dataSync()[0]!;
    assert.is(aux(state()), 0);
    // Latent 1 is dead: codes [2.5] and [0.5] of latent 0 leave e = [−0.5, 2], [−0.5, −1]; ê = [0, 2], [0, 0].
    const dead = state({ dead: tf.tensor1d([0, 1, 0]), deadCount: 1 });
    // ‖e − ê‖² = 0.25 + 0.25 + 1; mean of e is [−0.5, 0.5]: ‖e − mean‖² = 2.25 + 2.25.
    assert.ok(Math.abs(aux(dead) - 1.5 / 4.5) < 1e-6, String(aux(dead)));
    const grads = tf.grads((W_dec, b_dec) => {
      const params = { ...weights(), W_dec: W_dec!, b_dec: b_dec! };
      return topk.loss(params, { x, target: x }, dead, { ...hp, auxAlpha: 1 }).parts['aux']! as Scalar;
    })([weights()['W_dec']!, weights()['b_dec']!]);
    const [row0, row1, row2] = (grads[0] as Tensor2D).arraySync() as number[][];
    assert.equal([...row0!, ...row2!], [0, 0, 0, 0]);
    assert.ok(row1!.some((value) => value !== 0));
  });
});

test('gradients of the losses are those of finite differences', () => {
  const rng = createRng('finite differences');
  const [d, f, n] = [3, 5, 4];
  const random = (size: number) => Array.from(rng.fillNormal(new Float32Array(size)));
  const shapes: Record<string, number[]> = { W_enc: [d, f], b_enc: [f], W_dec: [f, d], b_dec: [d] };
  for (const name of ['threshold', 'b_gate', 'b_mag', 'r_mag']) shapes[name] = [f];
  // For p-anneal: a penalty that is no longer linear.
  const halfway = { scalars: { p: 0.6 } };
  const all = ['W_enc', 'b_enc', 'W_dec', 'b_dec'];
  const batch = { k: 2, auxAlpha: 0, auxK: 1 };
  const penalty = { lambda: 0.3, lambdaWarmup: 0, targetL0: null };
  const cases: [SaeDefinition, Record<string, unknown>, string[]][] = [
    [plain(topk), batch, all],
    [plain(batchtopk), batch, all],
    [plain(relu), penalty, all],
    // The pseudo-derivatives of thresholds are no derivatives; the golden test holds them.
    [plain(jumprelu), { ...penalty, penalty: 'tanh', bandwidth: 0.1, preActCoefficient: 0 }, all],
    [plain(matryoshka), { ...batch, groups: [0.4, 0.6], groupWeights: [2, 1] }, all],
    [plain(ortsae), { ...batch, gamma: 0.3, chunk: 5, every: 1 }, all],
    [plain(ortsae), { ...batch, gamma: 0.3, chunk: 3, every: 1 }, all],
    [plain(frozenDecoder), batch, ['W_enc', 'b_enc', 'b_dec']],
    [plain(softFrozenDecoder), { ...batch, minCosine: 0.8 }, all],
    [plain(frozenEncoder), { k: 2 }, ['W_dec', 'b_dec']],
    // Of unit length, the decoder does not learn from the gates' own reconstruction: its gradient is that of a part of the loss.
    [plain(gated), { ...penalty, norms: 'unit' }, ['W_enc', 'b_gate', 'b_mag', 'r_mag']],
    [plain(gated), { ...penalty, norms: 'free' }, ['W_enc', 'b_gate', 'b_mag', 'r_mag', 'W_dec', 'b_dec']],
    [plain(reluBricken), penalty, all],
    [plain(pAnneal), { ...penalty, norm: 'Lp^p' }, all],
    [plain(pAnneal), { ...penalty, norm: 'Lp' }, all],
    [plain(multiTopk), { ...batch, k: 1, wideK: null, wideWeight: 0.5 }, all],
    [plain(abstopk), batch, all],
  ];
  for (const [definition, hp, names] of cases) {
    const values = Object.fromEntries(Object.entries(shapes).map(([name, [a, b = 1]]) => [name, random(a! * b)]));
    values['threshold'] = new Array(f).fill(0.2);
    const data = random(n * d);
    const lossAt = (at: Record<string, number[]>) =>
      tf.tidy(() => {
        const params = Object.fromEntries(Object.entries(at).map(([name, v]) => [name, tf.tensor(v, shapes[name]!)]));
        const x = tf.tensor2d(data, [n, d]);
        return definition.loss(params, { x, target: x }, state(halfway), hp).total.dataSync()[0]!;
      });
    for (const name of names) {
      const gradient = tf.tidy(() => {
        const fixed = Object.fromEntries(Object.entries(values).map(([key, v]) => [key, tf.tensor(v, shapes[key]!)]));
        const x = tf.tensor2d(data, [n, d]);
        const g = tf.grad(
          (param) => definition.loss({ ...fixed, [name]: param }, { x, target: x }, state(halfway), hp).total,
        );
        return g(fixed[name]!).dataSync();
      });
      const step = 2e-3;
      const difference = values[name]!.map((value, i) => {
        const moved = (by: number) => lossAt({ ...values, [name]: values[name]!.with(i, value + by) });
        return (moved(step) - moved(-step)) / (2 * step);
      });
      allclose(gradient, difference, { rtol: 2e-2, atol: 4e-3 }, `${definition.id} ${name}`);
    }
  }
});

test('folding a scale and decoder norms changes weights and no result', () => {
  const scale = 2.5;
  const cases: [SaeDefinition, Record<string, unknown>, NamedTensors][] = [
    [plain(topk), { k: 2 }, {}],
    [plain(batchtopk), { k: 2 }, { threshold: tf.scalar(0.3) }],
    [plain(relu), {}, {}],
    [plain(jumprelu), { penalty: 'tanh' }, { threshold: tf.tensor1d([0.5, 1, 0.2]) }],
    [plain(frozenEncoder), { k: 2 }, { threshold: tf.scalar(0.3) }],
    [plain(gated), { norms: 'free' }, gatedParts([0.4, -0.2, 0.1], [0.3, 0.1, 0], 0.2)],
    [plain(abstopk), { k: 2 }, {}],
  ];
  for (const [definition, hp, more] of cases) {
    tf.tidy(() => {
      const params = { ...weights(), ...more };
      if (!definition.unitRows?.(hp).includes('W_dec')) params['W_dec'] = tf.mul(params['W_dec']!, 3);
      const x = tf.tensor2d([3, 1, -1, 0.5, 0.2, 2], [3, 2]);
      const run = (p: NamedTensors, input: Tensor2D) => definition.decode(p, definition.encode(p, input, hp), hp);
      const raw = tf.div(run(params, tf.mul(x, scale)), scale);
      const finished = state({ scalars: { threshold: 0.3 } });
      const inference = definition.toInference?.(params, finished, hp) ?? params;
      const folded = definition.foldScale!(inference, scale, hp);
      allclose(run(folded, x).dataSync(), raw.dataSync(), { rtol: 1e-5, atol: 1e-5 }, definition.id);
      const norms = tf.norm(definition.directions(folded, hp), 'euclidean', 1).dataSync();
      allclose(norms, [1, 1, 1], { rtol: 1e-5 }, `${definition.id} norms`);
    });
  }
});

test('the sparsity controller brings L0 to its target, and stays out without one', () => {
  // A world in which L0 falls with the coefficient, a few steps late.
  for (const target of [4, 16, 60]) {
    const scalars: Record<string, number> = {};
    let l0 = 100;
    for (let step = 0; step < 1000; step++) {
      const s = { ...state({ step, steps: 1000, scalars }), last: { l0, parts: {} } } as TrainState;
      adjustSparsity(s, target);
      tf.dispose([s.dead, s.buffers]);
      const settled = 100 / (1 + 3 * sparsityFactor(s, target));
      l0 += 0.1 * (settled - l0);
    }
    assert.ok(Math.abs(l0 - target) < 0.1 * target, `${l0} for ${target}`);
  }
  // One in which L0 moves slowly however large the coefficient is, seen with noise: as on wide dictionaries.
  for (const [steps, reach] of [800, 1600, 6400].flatMap((each) => [3, 4].map((folds) => [each, folds] as const))) {
    const [target, fastest] = [16, reach / steps];
    const rng = createRng(3);
    const scalars: Record<string, number> = {};
    let [l0, least] = [6 * target, Infinity];
    for (let step = 0; step < steps; step++) {
      const seen = l0 * (1 + 0.05 * rng.normal());
      const s = { ...state({ step, steps, scalars }), last: { l0: seen, parts: {} } } as TrainState;
      adjustSparsity(s, target);
      tf.dispose([s.dead, s.buffers]);
      const factor = sparsityFactor(s, target);
      const change = 0.1 * Math.log(100 / (1 + 3 * factor) / l0);
      l0 *= Math.exp(Math.min(fastest, Math.max(-fastest, change)));
      least = Math.min(least, l0);
    }
    assert.ok(Math.abs(l0 - target) < 0.1 * target, `${l0} after ${steps} steps`);
    assert.ok(least > 0.85 * target, `fell to ${least} in ${steps} steps`);
  }
  const untouched = { ...state(), last: { l0: 50, parts: {} } } as TrainState;
  adjustSparsity(untouched, null);
  assert.equal(untouched.scalars, {});
  assert.is(sparsityFactor(untouched, null), 1);
});

test.run();
