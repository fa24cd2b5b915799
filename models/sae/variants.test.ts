/** @file Options, bookkeeping and resuming of variants that keep more than their parameters. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import type { SaeDefinition, TrainState } from '../../harness/contract.ts';
import { UserError } from '../../harness/errors.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type NamedTensors, type Tensor2D, tf } from '../../harness/num/tf.ts';
import { inFolder, rejection } from '../../harness/testing/failing.ts';
import { asTensors, randomValues } from '../../harness/testing/loss-gradients.ts';
import { sparseData } from '../../harness/testing/sparse-data.ts';
import { type TrainSaeOptions, trainSae } from '../../harness/train.ts';
import abstopk from './abstopk.ts';
import archetypal from './archetypal.ts';
import batchtopk from './batchtopk.ts';
import crosscoder from './crosscoder.ts';
import fno from './fno.ts';
import frozenDecoder from './frozen-decoder.ts';
import frozenEncoder from './frozen-encoder.ts';
import gated from './gated.ts';
import kron from './kron.ts';
import matchingPursuit from './matching-pursuit.ts';
import matryoshka, { groupEnds } from './matryoshka.ts';
import multiTopk from './multi-topk.ts';
import ortsae from './ortsae.ts';
import pAnneal from './p-anneal.ts';
import reluBricken from './relu-bricken.ts';
import skipTranscoder from './skip-transcoder.ts';
import softFrozenDecoder from './soft-frozen-decoder.ts';
import switchSae from './switch.ts';
import temporal from './temporal.ts';
import tensor from './tensor.ts';
import transcoder from './transcoder.ts';
import vaease from './vaease.ts';

const test = suite('sae variants');
test.before(async () => {
  await initBackend('wasm');
});

const plain = (definition: unknown) => definition as SaeDefinition;
const { set, d } = sparseData({ n: 500 });

const short = (hp: Record<string, unknown>, changes: Partial<TrainSaeOptions> = {}): TrainSaeOptions => ({
  activations: set,
  d_sae: 24,
  hp,
  ...changes,
  training: { tokens: 1920, batchSize: 64, ...changes.training },
});

test('options out of range are refused in one line with option, expected and found', async () => {
  const cases: [RegExp, unknown, Record<string, unknown>][] = [
    [/^sae matryoshka: k: expected a number from 1 to d_sae = 24, found 25; lower k/, matryoshka, { k: 25 }],
    [
      /^sae matryoshka: groups: expected fractions of d_sae that add up to 1, found \[0.5,0.25\]/,
      ...([matryoshka, { k: 2, groups: [0.5, 0.25] }] as const),
    ],
    [
      /^sae matryoshka: groups: expected at least one of d_sae = 24 latents in each group, found \[0.01,0.99\]/,
      ...([matryoshka, { k: 2, groups: [0.01, 0.99] }] as const),
    ],
    [
      /^sae matryoshka: groupWeights: expected 2, one for each group, found \[1\]/,
      ...([matryoshka, { k: 2, groups: [0.5, 0.5], groupWeights: [1] }] as const),
    ],
    [
      /^sae matryoshka: groupWeights: expected one above 0, found \[0,0\]/,
      ...([matryoshka, { k: 2, groups: [0.5, 0.5], groupWeights: [0, 0] }] as const),
    ],
    [
      /^sae multi-topk: wideK: expected a whole number from k = 4 to d_sae = 24, or null, found 3/,
      ...([multiTopk, { k: 4, wideK: 3 }] as const),
    ],
    [/wideK: .* found 25/, multiTopk, { k: 4, wideK: 25 }],
    [/^sae abstopk: k: expected a whole number from 1 to d_sae = 24, found 2.5/, abstopk, { k: 2.5 }],
    [/^sae frozen-encoder: k: expected a number .* found 30/, frozenEncoder, { k: 30 }],
    [/^sae gated: targetL0: expected a number above 0 and at most d_sae = 24, found 30/, gated, { targetL0: 30 }],
    [/^sae p-anneal: targetL0: .* found 0/, pAnneal, { targetL0: 0 }],
    [/^sae relu-bricken: targetL0: .* found 30/, reluBricken, { targetL0: 30 }],
  ];
  for (const [pattern, definition, hp] of cases) {
    const error = await rejection(trainSae(plain(definition), short(hp)));
    assert.instance(error, UserError);
    assert.match(error.message, pattern);
  }
});

/** Every tensor of a state, in the order of names. */
async function bits(definition: SaeDefinition, options: TrainSaeOptions): Promise<number[][]> {
  const trained = await trainSae(definition, options);
  const { tensors } = trained.state();
  const all = Object.keys(tensors).sort();
  const values = all.map((name) => Array.from(tensors[name]!.data));
  trained.dispose();
  return values;
}

/** Rows in items of ten, so that most have a predecessor. */
const items = memorySet(await set.read(0, 500), d, {
  bounds: Uint32Array.from({ length: 51 }, (_, i) => 10 * i),
  positions: Uint32Array.from({ length: 500 }, (_, row) => row % 10),
});
const target = sparseData({ n: 500, d: 6 }).set;
const K = { k: 2 };
const RESUMED: [unknown, Record<string, unknown>, Partial<TrainSaeOptions>?][] = [
  [pAnneal, { targetL0: 2, annealFrom: 0.2, changes: 4 }],
  [reluBricken, { targetL0: 2 }],
  [gated, { targetL0: 2 }],
  [transcoder, { targetL0: 2 }, { target }],
  [skipTranscoder, K, { target }],
  [softFrozenDecoder, K],
  [frozenDecoder, K],
  [frozenEncoder, K],
  [ortsae, { k: 2, chunk: 10, every: 2 }],
  [batchtopk, { k: 2, norms: 'uneven' }],
  [matryoshka, K],
  [temporal, K, { activations: items }],
  [abstopk, K],
  [archetypal, K],
  [multiTopk, K],
  [matchingPursuit, K],
  [kron, K],
  [switchSae, { k: 2, experts: 3 }],
  [vaease, { encoder: 'diagonal' }],
  [crosscoder, K, { input: [2, d / 2] }],
  [tensor, K, { input: [2, 2, d / 4] }],
  [fno, { k: 2, modes: 2 }, { input: [2, d / 2] }],
];

for (const [given, hp, own] of RESUMED) {
  const definition = plain(given);
  test(`${definition.id}: stopped in the middle and started again, it ends with the same bits`, async () => {
    const before = tf.memory().numTensors;
    const options = (changes: Partial<TrainSaeOptions> = {}) => short(hp, { ...own, ...changes });
    await inFolder(async (folder) => {
      const whole = await bits(definition, options());
      const controller = new AbortController();
      const onProgress: TrainSaeOptions['onProgress'] = ({ step }) => {
        if (step === 17) controller.abort(new Error('stop'));
      };
      await rejection(bits(definition, options({ checkpointDir: folder, signal: controller.signal, onProgress })));
      assert.equal(await bits(definition, options({ checkpointDir: folder })), whole);
    });
    assert.is(tf.memory().numTensors, before);
  });
}

test('matryoshka: groups are cut where the fractions say, the last takes the rest', () => {
  assert.equal(groupEnds([1 / 16, 1 / 16, 1 / 8, 1 / 4, 1 / 2], 512), [32, 64, 128, 256, 512]);
  assert.equal(groupEnds([0.3, 0.3, 0.4], 10), [3, 6, 10]);
  assert.equal(groupEnds([1 / 3, 1 / 3, 1 / 3], 10), [3, 6, 10]);
});

/** Parameters of 8 latents on 5 numbers, and 6 rows. */
function randomTensors(): NamedTensors & { x: Tensor2D } {
  const shapes = { W_enc: [5, 8], b_enc: [8], W_dec: [8, 5], b_dec: [5], x: [6, 5] };
  return asTensors(randomValues(shapes, 'variants')) as NamedTensors & { x: Tensor2D };
}

test('matryoshka of one group has the loss of its reconstruction alone; weights make a mean', () => {
  tf.tidy(() => {
    const { x, ...params } = randomTensors();
    const loss = (groups: number[], groupWeights: number[] | null) => {
      const hp = { k: 2, auxAlpha: 0, groups, groupWeights };
      return plain(matryoshka).loss(params, { x, target: x }, stateOf(8), hp);
    };
    const whole = loss([1], null);
    allclose(loss([0.25, 0.75], [0, 5]).total.dataSync(), whole.total.dataSync(), { rtol: 1e-6 });
    const first = loss([0.25, 0.75], [1, 0]).total.dataSync()[0]!;
    const both = loss([0.25, 0.75], [1, 3]).total.dataSync()[0]!;
    allclose([both], [0.25 * first + 0.75 * whole.total.dataSync()[0]!], { rtol: 1e-5 });
    assert.ok(Math.abs(first - whole.total.dataSync()[0]!) > 1e-3);
  });
});

function stateOf(d_sae: number, changes: Partial<TrainState> = {}): TrainState {
  return {
    ...{ step: 0, steps: 10, tokens: 0, deadCount: 0, scalars: {}, rng: createRng(0) },
    ...{ dead: tf.zeros([d_sae]), buffers: { variance: tf.scalar(1) } },
    ...changes,
  } as TrainState;
}

test('ortsae: the penalty is the mean over chunks, drawn anew by step, and comes every so many steps', () => {
  tf.tidy(() => {
    const angle = (degrees: number) => [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
    const W_dec = tf.tensor2d([angle(0), angle(10), angle(90), angle(110)]);
    const params = { W_enc: tf.transpose(W_dec), b_enc: tf.zeros([4]), W_dec, b_dec: tf.zeros([2]) } as NamedTensors;
    const x = tf.ones([3, 2]) as Tensor2D;
    const parts = (hp: Record<string, unknown>, state: TrainState) => {
      const full = { k: 1, auxAlpha: 0, gamma: 0.25, chunk: 8192, every: 1, ...hp };
      const { total, parts: found } = plain(ortsae).loss(params, { x, target: x }, state, full);
      return [found['orthogonal']!.dataSync()[0]!, total.dataSync()[0]! - found['nmse']!.dataSync()[0]!] as const;
    };
    const squared = (degrees: number) => Math.cos((degrees * Math.PI) / 180) ** 2;
    const whole = (2 * squared(10) + 2 * squared(20)) / 4;
    allclose(parts({}, stateOf(4)), [whole, 0.25 * whole], { rtol: 1e-4, atol: 1e-6 });
    const pairings = [
      (squared(10) + squared(20)) / 2,
      (squared(90) + squared(100)) / 2,
      (squared(110) + squared(80)) / 2,
    ];
    const seen = new Set<number>();
    for (let seed = 0; seed < 12; seed++) {
      const [found] = parts({ chunk: 2 }, stateOf(4, { rng: createRng(seed) }));
      const which = pairings.findIndex((value) => Math.abs(value - found) < 1e-4);
      assert.ok(which >= 0, String(found));
      seen.add(which);
    }
    assert.is(seen.size, 3);
    allclose(parts({ every: 5 }, stateOf(4, { step: 10 })), [whole, 1.25 * whole], { rtol: 1e-4, atol: 1e-6 });
    allclose(parts({ every: 5 }, stateOf(4, { step: 11 })), [0, 0], { atol: 1e-6 });
  });
});

test('relu-bricken: dead latents restart at badly reconstructed inputs, and Adam forgets them', () => {
  tf.tidy(() => {
    const W_dec = tf.tensor2d([1, 0, 0, 1, 0.6, 0.8], [3, 2]);
    const params: NamedTensors = {
      ...{ W_dec, W_enc: tf.mul(tf.transpose(W_dec), 2), b_enc: tf.tensor1d([0, -50, -50]) },
      b_dec: tf.tensor1d([1, 1]),
    };
    // Less b_dec: [0, 3] and [0.5, 0]; latent 0 has the second, and twice too large.
    const x = tf.tensor2d([1, 4, 1.5, 1], [2, 2]);
    const state = stateOf(3, { step: 9, steps: 100, dead: tf.tensor1d([0, 1, 1]), deadCount: 2 });
    const hp = { resamplings: 5, resampleUntil: 0.5, targetL0: null, lambda: 1, lambdaWarmup: 0 };
    const at = (step: number, changes: Partial<TrainState> = {}) =>
      plain(reluBricken).restart!(params, { x, target: x }, { ...state, step, ...changes }, hp);
    assert.equal(
      [8, 10, 59].map((step) => at(step)),
      [undefined, undefined, undefined],
    );
    assert.is(at(9, { deadCount: 0 }), undefined);
    const { params: made, forget } = at(9)!;
    const rows = (made['W_dec'] as Tensor2D).arraySync() as number[][];
    allclose(rows[0]!, [1, 0], {}, 'the living stay');
    const anew = rows.slice(1).map(([a, b]) => `${a!.toFixed(3)} ${b!.toFixed(3)}`);
    assert.equal(anew.sort(), ['0.000 1.000', '1.000 0.000'], 'two inputs, each once');
    const encoder = (made['W_enc'] as Tensor2D).arraySync() as number[][];
    // The living column has length 2.
    allclose([Math.hypot(encoder[0]![1]!, encoder[1]![1]!)], [0.4], { rtol: 1e-5 });
    allclose(made['b_enc']!.dataSync(), [0, 0, 0]);
    assert.equal([...forget['b_enc']!.dataSync()], [0, 1, 1]);
    assert.equal([forget['W_dec']!.shape, forget['W_enc']!.shape], [[3, 1], [3]]);
    // One dead latent takes the input of loss 9 rather than that of 0.25: odds of 81 to 0.06.
    const one = at(9, { dead: tf.tensor1d([0, 0, 1]), deadCount: 1 })!;
    allclose(((one.params['W_dec'] as Tensor2D).arraySync() as number[][])[2]!, [0, 1], { atol: 1e-6 });
  });
});

test('multi-topk: the codes are those of TopK, whatever else is reconstructed', () => {
  tf.tidy(() => {
    const { x, ...params } = randomTensors();
    const hp = { k: 2, auxAlpha: 0, wideK: null, wideWeight: 1 };
    const { codes, parts } = plain(multiTopk).loss(params, { x, target: x }, stateOf(8), hp);
    const inference = plain(multiTopk).encode(params, x, hp);
    assert.equal([...codes.values.dataSync()], [...inference.values.dataSync()]);
    // 4 · 2 is all of 8 latents; 4 · 4 would be more than there are.
    const all = plain(multiTopk).loss(params, { x, target: x }, stateOf(8), { ...hp, k: 4 }).parts['wideNmse']!;
    allclose(all.dataSync(), parts['wideNmse']!.dataSync(), { rtol: 1e-5 });
  });
});

test.run();
