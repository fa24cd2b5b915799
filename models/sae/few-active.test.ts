/** @file ReLU, gated and JumpReLU training on sparse codes against the same loss on dense ones, with gradients. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SaeDefinition, TrainState } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type NamedTensors, type Tensor, type Tensor2D, tf } from '../../harness/num/tf.ts';
import { testBackends } from '../../harness/testing/test-backends.ts';
import gated from './gated.ts';
import jumprelu from './jumprelu.ts';
import relu from './relu.ts';
import { toDense } from './shared/threshold-codes.ts';

const test = suite('few active latents');
const backends = await testBackends();
const [n, d, d_sae] = [20, 6, 400];

function stateOf(changes: Partial<TrainState>): TrainState {
  const counts = { step: 50, steps: 100, tokens: 0, deadCount: 0, scalars: {}, rng: createRng(0) };
  return { ...counts, dead: tf.zeros([d_sae]), buffers: {}, ...changes } as TrainState;
}

/** Loss, codes, reconstruction and gradients of every parameter. */
function run(definition: SaeDefinition, hp: Record<string, unknown>, params: NamedTensors, state: TrainState) {
  const x = tf.tensor2d(createRng(5).fillNormal(new Float32Array(n * d)), [n, d]) as Tensor2D;
  const names = Object.keys(params).sort();
  const lossOf = (named: NamedTensors) => definition.loss(named, { x, target: x }, state, hp);
  const loss = lossOf(params);
  const grads = tf.grads((...values: Tensor[]) => {
    return lossOf(Object.fromEntries(names.map((name, i) => [name, values[i]!]))).total;
  })(names.map((name) => params[name]!));
  const parts = Object.entries(loss.parts).map(([name, part]) => [name, part.dataSync()] as const);
  return {
    kind: loss.codes.kind,
    carry: loss.carry,
    numbers: [
      ['total', loss.total.dataSync()] as const,
      ...parts,
      ['codes', toDense(loss.codes).dataSync()] as const,
      ['reconstruction', loss.reconstruction.dataSync()] as const,
      ...names.map((name, i) => [`gradient of ${name}`, grads[i]!.dataSync()] as const),
    ],
  };
}

/** After a step like this one dense operations are kept to. */
const DENSE = { l0: d_sae, carry: { denseL0: d_sae } };

const jump = { lambda: 0.3, lambdaWarmup: 0, targetL0: null, bandwidth: 0.4, preActCoefficient: 0 };
const CASES: [string, unknown, Record<string, unknown>][] = [
  ['relu', relu, { lambda: 0.3, lambdaWarmup: 0, targetL0: null }],
  ['gated, free', gated, { lambda: 0.3, lambdaWarmup: 0, targetL0: null, norms: 'free' }],
  ['gated, unit', gated, { lambda: 0.3, lambdaWarmup: 0, targetL0: null, norms: 'unit' }],
  ['jumprelu, step', jumprelu, { ...jump, penalty: 'step' }],
  ['jumprelu, quadratic', jumprelu, { ...jump, penalty: 'quadratic', targetL0: 3 }],
  ['jumprelu, tanh', jumprelu, { ...jump, penalty: 'tanh' }],
];

function paramsFor(definition: SaeDefinition): NamedTensors {
  const rng = createRng(9);
  const normal = (...shape: number[]) =>
    tf.tensor(rng.fillNormal(new Float32Array(shape.reduce((a, b) => a * b))), shape);
  const params: NamedTensors = { W_dec: normal(d_sae, d), W_enc: normal(d, d_sae), b_dec: normal(d) };
  // A few of the 400 latents of the longest inputs, none of the shortest.
  params['b_enc'] = tf.sub(tf.mul(normal(d_sae), 0.1), 10);
  if (definition.id === 'jumprelu') return { ...params, threshold: tf.fill([d_sae], 0.3) };
  if (definition.id === 'relu') return params;
  const { b_enc, ...shared } = params;
  return { ...shared, b_gate: b_enc!, b_mag: tf.add(b_enc!, 0.2), r_mag: tf.mul(normal(d_sae), 0.1) };
}

for (const backend of backends) {
  for (const [name, given, hp] of CASES) {
    test(`${backend}: ${name}: sparse codes give the dense ones' loss and gradients`, async () => {
      await initBackend(backend);
      const before = tf.memory().numTensors;
      tf.tidy(() => {
        const definition = given as SaeDefinition;
        const params = paramsFor(definition);
        const dense = run(definition, hp, params, stateOf({ last: { ...DENSE, parts: {} } }));
        const state = stateOf({ last: { l0: 3, parts: {} } });
        const sparse = run(definition, hp, params, state);
        assert.equal([dense.kind, sparse.kind], ['dense', 'topk']);
        assert.ok((sparse.carry?.['activeWidth'] ?? 0) > 0);
        sparse.numbers.forEach(([label, values], i) => {
          allclose(values, dense.numbers[i]![1], { rtol: 1e-4, atol: 1e-5 }, `${backend} ${label}`);
        });
        assert.ok(dense.numbers.find(([label]) => label === 'codes')![1].some((value) => value > 0));
      });
      assert.is(tf.memory().numTensors, before);
    });
  }

  test(`${backend}: a start with few active latents is sparse from the first step, another one dense`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const definition = relu as unknown as SaeDefinition;
      const few = paramsFor(definition);
      const first = (params: NamedTensors) => run(definition, CASES[0]![2], params, stateOf({}));
      assert.is(first(few).kind, 'topk');
      const many = first({ ...few, b_enc: tf.zeros([d_sae]) });
      assert.equal([many.kind, many.carry], ['dense', {}]);
    });
  });

  test(`${backend}: too many active latents are left to dense operations until L0 has fallen`, async () => {
    await initBackend(backend);
    tf.tidy(() => {
      const params = { ...paramsFor(relu as unknown as SaeDefinition), b_enc: tf.zeros([d_sae]) };
      const state = stateOf({ last: { l0: 10, parts: {} } });
      const kindAt = (l0: number, named: NamedTensors) => {
        state.last = { l0, parts: {}, carry: state.last?.carry ?? {} };
        const { kind, carry } = run(relu as unknown as SaeDefinition, CASES[0]![2], named, state);
        state.last.carry = carry!;
        return kind;
      };
      assert.is(kindAt(10, params), 'dense');
      assert.is(state.last?.carry?.['denseL0'], 10);
      assert.is(kindAt(8, paramsFor(relu as unknown as SaeDefinition)), 'dense');
      assert.is(kindAt(5, paramsFor(relu as unknown as SaeDefinition)), 'topk');
    });
  });
}

test.run();
