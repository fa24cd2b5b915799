/** @file Every variant's training step against the original or PyTorch: loss, codes, gradients, parameters after Adam. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { SaeBatch, SaeDefinition, TrainState } from '../../harness/contract.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createAdam } from '../../harness/num/optimiser.ts';
import { createRng, type Rng } from '../../harness/num/rng.ts';
import { type NamedTensors, type Tensor2D, tf } from '../../harness/num/tf.ts';
import { tangentRows } from '../../harness/num/unit-rows.ts';
import { ONLY } from '../../harness/testing/test-backends.ts';
import { trainStep } from '../../harness/train/step.ts';
import abstopk from './abstopk.ts';
import archetypal from './archetypal.ts';
import batchtopk from './batchtopk.ts';
import crosscoder from './crosscoder.ts';
import fno from './fno.ts';
import frozenDecoder from './frozen-decoder.ts';
import frozenEncoder from './frozen-encoder.ts';
import gated from './gated.ts';
import jumprelu from './jumprelu.ts';
import kron from './kron.ts';
import matchingPursuit from './matching-pursuit.ts';
import matryoshka from './matryoshka.ts';
import multiTopk from './multi-topk.ts';
import ortsae from './ortsae.ts';
import pAnneal from './p-anneal.ts';
import relu from './relu.ts';
import reluBricken from './relu-bricken.ts';
import { toDense } from './shared/threshold-codes.ts';
import skipTranscoder from './skip-transcoder.ts';
import softFrozenDecoder from './soft-frozen-decoder.ts';
import switchSae from './switch.ts';
import temporal from './temporal.ts';
import tensor from './tensor.ts';
import topk from './topk.ts';
import transcoder from './transcoder.ts';
import vaease from './vaease.ts';

interface Sizes {
  d_in: number;
  d_sae: number;
  n: number;
}

interface GoldenCase {
  name: string;
  variant: string;
  hp: Record<string, unknown>;
  variance: number;
  lr: number;
  beta1: number;
  epsilon: number;
  /** null: none. */
  clip: number | null;
  params: Record<string, number[]>;
  x: number[];
  /** Width of `target`, where it is another site's. */
  d_out?: number;
  target?: number[];
  previous?: number[];
  dead: number[];
  scalars?: Record<string, number>;
  /** Of the shape of W_dec where `shapes` does not say another. */
  buffers?: Record<string, number[]>;
  /** Of p-anneal: what each step used, and what its loss carried on. */
  history?: { p: number; lambda: number; carry: Record<string, number> }[];
  total: number;
  parts: Record<string, number>;
  codes: number[];
  reconstruction: number[];
  /** Of the parameters that are trained. */
  grads: Record<string, number[]>;
  after: Record<string, number[]>;
  /** Of parameters beside W_enc, W_dec, b_dec and those of one number a latent, and of buffers. */
  shapes?: Record<string, number[]>;
  /** What the variant draws in the step. */
  noise?: number[];
  /** What decoding makes of what encoding gives, where inference differs from training. */
  decoded?: number[];
}

/** One for each script in testdata/. */
const FILES = [
  ...['golden', 'originals', 'switch', 'archetypal', 'matching-pursuit', 'temporal', 'transcoder', 'vaease', 'kron'],
  ...['tensor', 'fno', 'crosscoder'],
];
const examples = FILES.flatMap((file) => {
  const text = readFileSync(new URL(`./testdata/${file}.json`, import.meta.url), 'utf8');
  const { cases, ...sizes } = JSON.parse(text) as Sizes & { cases: GoldenCase[] };
  return cases.map((example) => ({ ...sizes, ...example }));
});
const VARIANTS = Object.fromEntries(
  [
    ...[topk, batchtopk, relu, jumprelu, matryoshka, ortsae, frozenDecoder, softFrozenDecoder, frozenEncoder],
    ...[gated, reluBricken, pAnneal, multiTopk, abstopk, switchSae],
    ...[archetypal, matchingPursuit, temporal, transcoder, skipTranscoder, vaease, kron],
    ...[tensor, fno, crosscoder],
  ].map((definition) => [definition.id, definition as unknown as SaeDefinition]),
);
const tolerance = { rtol: 2e-5, atol: 2e-6 };

const test = suite('sae golden');
test.before(async () => {
  await initBackend(ONLY ?? 'wasm');
});

function tensors({ d_in, d_sae, params, shapes: own }: Sizes & GoldenCase): NamedTensors {
  const shapes: Record<string, number[]> = { W_enc: [d_in, d_sae], W_dec: [d_sae, d_in], b_dec: [d_in], ...own };
  return Object.fromEntries(Object.entries(params).map(([name, v]) => [name, tf.tensor(v, shapes[name] ?? [d_sae])]));
}

/** A stream that gives these normal values. */
function streamOf(noise: readonly number[]): Rng {
  const rng: Rng = {
    ...createRng(0),
    fork: () => rng,
    fillNormal(out) {
      out.set(noise);
      return out;
    },
  };
  return rng;
}

function stateOf({
  d_in,
  d_sae,
  dead,
  variance,
  scalars = {},
  buffers = {},
  shapes = {},
  noise,
}: Sizes & GoldenCase): TrainState {
  const given = Object.fromEntries(
    Object.entries(buffers).map(([name, values]) => [name, tf.tensor(values, shapes[name] ?? [d_sae, d_in])]),
  );
  return {
    step: 5,
    steps: 10,
    tokens: 0,
    dead: tf.tensor1d(dead),
    deadCount: dead.filter((flag) => flag === 1).length,
    scalars: { ...scalars },
    buffers: { variance: tf.scalar(variance), recent: tf.zeros([10, 2]), ...given },
    rng: noise ? streamOf(noise) : createRng(0),
  };
}

function batchOf({ d_in, d_out = d_in, n, x: rows, target, previous }: Sizes & GoldenCase): SaeBatch {
  const x = tf.tensor2d(rows, [n, d_in]);
  const batch: SaeBatch = { x, target: target ? tf.tensor2d(target, [n, d_out]) : x };
  return previous ? { ...batch, previous: tf.tensor2d(previous, [n, d_in]) } : batch;
}

const unitRowsOf = ({ variant, hp }: GoldenCase) => VARIANTS[variant]!.unitRows?.(hp) ?? [];

for (const example of examples) {
  const definition = VARIANTS[example.variant]!;
  const { n } = example;

  test(`${example.name}: loss, codes and gradients are PyTorch's`, () => {
    tf.tidy(() => {
      const params = tensors(example);
      const batch = batchOf(example);
      const state = stateOf(example);
      const loss = definition.loss(params, batch, state, example.hp);
      allclose(loss.total.dataSync(), [example.total], tolerance, 'total');
      for (const [name, value] of Object.entries(example.parts)) {
        // The smallest kept value is no part of BatchTopK's loss: it is carried to the threshold.
        allclose(loss.parts[name]?.dataSync() ?? [loss.carry![name]!], [value], tolerance, name);
      }
      allclose(toDense(loss.codes).dataSync(), example.codes, tolerance, 'codes');
      allclose(loss.reconstruction.dataSync(), example.reconstruction, tolerance, 'reconstruction');
      if (example.decoded) {
        const inferred = definition.encode(params, batch.x, example.hp);
        allclose(toDense(inferred).dataSync(), example.codes, tolerance, 'codes of inference');
        allclose(definition.decode(params, inferred, example.hp).dataSync(), example.decoded, tolerance, 'decoded');
      }
      // What is not trained is no variable of the gradient.
      const names = Object.keys(example.grads);
      const gradients = tf.grads((...values) => {
        const trained = Object.fromEntries(names.map((name, i) => [name, values[i]!]));
        return definition.loss({ ...params, ...trained }, batch, state, example.hp).total;
      })(names.map((name) => params[name]!));
      const raw = Object.fromEntries(names.map((name, i) => [name, gradients[i]!]));
      const onSphere = unitRowsOf(example);
      const final = Object.fromEntries(
        names.map((name) => {
          const [grad, rows] = [raw[name]! as Tensor2D, params[name]! as Tensor2D];
          return [name, onSphere.includes(name) ? tangentRows(grad, rows) : grad];
        }),
      );
      for (const name of names) allclose(final[name]!.dataSync(), example.grads[name]!, tolerance, `gradient ${name}`);
    });
  });

  test(`${example.name}: parameters after one step are PyTorch's`, () => {
    const made = tensors(example);
    const params = Object.fromEntries(Object.entries(made).map(([name, tensor]) => [name, tf.variable(tensor)]));
    const { beta1, epsilon, clip, lr, hp } = example;
    const adam = createAdam(params, {
      beta1,
      beta2: 0.999,
      epsilon,
      unitRows: unitRowsOf(example),
      ...(clip !== null && { clipNorm: clip }),
    });
    const batch = batchOf(example);
    const state = stateOf(example);
    const output = trainStep({ definition, hp, params, adam, batch, state, lr });
    for (const [name, expected] of Object.entries(example.after)) {
      // A first Adam step is lr · sign(g): a gradient of 1e-9 in float64 may have any sign in float32.
      const gradient = example.grads[name] ?? expected.map(() => 0);
      const got = params[name]!.dataSync();
      const clear = expected.map((_, i) => i).filter((i) => gradient[i] === 0 || Math.abs(gradient[i]!) > 1e-5);
      assert.ok(clear.length > 0.8 * expected.length, name);
      allclose(
        clear.map((i) => got[i]!),
        clear.map((i) => expected[i]!),
        { rtol: 1e-5, atol: 1e-5 },
        name,
      );
    }
    const active = example.codes.filter((code) => code !== 0).length;
    assert.is(output.l0, active / n);
    tf.dispose([batch, made, params, state.dead, state.buffers] as never);
    adam.dispose();
  });
}

test("p-anneal: p and λ over a run are dictionary_learning's", () => {
  for (const { name, hp, history } of examples.filter((example) => example.history)) {
    const state: TrainState = { ...stateOf(examples[0]!), steps: history!.length, step: 0, scalars: {} };
    for (const [step, { p, lambda, carry }] of history!.entries()) {
      allclose([state.scalars['p'] ?? 1], [p], tolerance, `${name}: p at step ${step}`);
      const factor = state.scalars['lambdaScale'] ?? 1;
      allclose([Number(hp['lambda']) * factor], [lambda], tolerance, `${name}: λ at step ${step}`);
      state.step = step;
      state.last = { l0: 1, parts: {}, carry };
      VARIANTS['p-anneal']!.afterStep!({}, state, hp);
    }
    tf.dispose([state.dead, state.buffers]);
  }
});

test.run();
