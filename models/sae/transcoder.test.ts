/** @file Transcoders: gradients, training on two sites, both layouts, and targets that cannot be. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { memorySet } from '../../harness/activations/activation-set.ts';
import { readSaeLens } from '../../harness/checkpoints/layouts/saelens.ts';
import { checkpointMethod } from '../../harness/checkpoints/method.ts';
import type { SaeDefinition } from '../../harness/contract.ts';
import { reconstruct } from '../../harness/kit/reconstruct.ts';
import { allclose } from '../../harness/num/allclose.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { createRng } from '../../harness/num/rng.ts';
import { type Tensor2D, tf } from '../../harness/num/tf.ts';
import { openRegistry } from '../../harness/registry.ts';
import { checkMethod } from '../../harness/suite/check-method.ts';
import { resolveMethods } from '../../harness/suite/resolve.ts';
import { refusal } from '../../harness/testing/failing.ts';
import { checkLossGradients, randomValues } from '../../harness/testing/loss-gradients.ts';
import { assertComesBack } from '../../harness/testing/sae-inference.ts';
import { restoreSae } from '../../harness/train/fitted-sae.ts';
import { withDefaults } from '../../harness/train/options.ts';
import { trainSae } from '../../harness/train.ts';
import skipTranscoder from './skip-transcoder.ts';
import transcoder from './transcoder.ts';

const test = suite('sae transcoders');
test.before(async () => {
  await initBackend('wasm');
});

const plain = (definition: unknown) => definition as SaeDefinition;
const VARIANTS: [SaeDefinition, Record<string, unknown>][] = [
  [plain(transcoder), { lambda: 0.3, lambdaWarmup: 0, targetL0: null }],
  [plain(skipTranscoder), { k: 2, auxAlpha: 0, auxK: 1, deadBias: 0 }],
];

test('gradients of the losses are those of finite differences', () => {
  for (const [definition, hp] of VARIANTS) {
    const shapes = {
      W_enc: [3, 5],
      b_enc: [5],
      W_dec: [5, 2],
      b_dec: [2],
      W_skip: [2, 3],
      size: [],
      x: [4, 3],
      target: [4, 2],
    };
    const { x, target, W_skip, size, ...params } = randomValues(shapes, 'transcoders');
    const own = definition.skip ? { ...params, W_skip: W_skip! } : params;
    checkLossGradients(definition, hp, own, { x: x!, target: target! }, { size: size! });
  }
});

/** y = a linear part of x and one that ReLU makes of it, of another width and a tenth of the size. */
function sites(n: number, seed: string) {
  const [d_in, hidden, d_out] = [10, 14, 6];
  const weights = createRng('weights of the two sites');
  const matrix = (rows: number, columns: number) => weights.fillNormal(new Float32Array(rows * columns), 0, 0.3);
  const [A, B, C] = [matrix(d_in, hidden), matrix(hidden, d_out), matrix(d_in, d_out)];
  const x = createRng(seed).fillNormal(new Float32Array(n * d_in), 0.5);
  const y = new Float32Array(n * d_out);
  for (let row = 0; row < n; row++) {
    const at = (j: number) => x[row * d_in + j]!;
    for (let h = 0; h < hidden; h++) {
      let sum = -0.6;
      for (let j = 0; j < d_in; j++) sum += at(j) * A[j * hidden + h]!;
      for (let o = 0; o < d_out; o++) y[row * d_out + o]! += 0.1 * Math.max(0, sum) * B[h * d_out + o]!;
    }
    for (let o = 0; o < d_out; o++) {
      for (let j = 0; j < d_in; j++) y[row * d_out + o]! += 0.1 * at(j) * C[j * d_out + o]!;
    }
  }
  return { x: memorySet(x, d_in), y: memorySet(y, d_out) };
}

test('trained on one site, another is explained, and what is kept gives the same', async () => {
  const [train, held] = [sites(4000, 'train'), sites(500, 'held out')];
  const explained: number[] = [];
  for (const [definition, hp, steps] of [
    [plain(transcoder), { targetL0: 4 }, 3000],
    [plain(skipTranscoder), { k: 4 }, 1000],
  ] as const) {
    const before = tf.memory().numTensors;
    const trained = await trainSae(definition, {
      ...{ activations: train.x, target: train.y, heldOut: held.x, heldOutTarget: held.y },
      d_sae: 40,
      hp,
      training: { tokens: steps * 64, batchSize: 64 },
    });
    assert.equal([trained.shape.d_in, trained.shape.d_out], [10, 6]);
    explained.push(trained.heldOut.at(-1)!.explained_variance);
    const rows = tf.tensor2d(await held.x.read(0, 50), [50, 10]) as Tensor2D;
    const wanted = reconstruct(trained.method, rows);
    await assertComesBack(definition, trained, rows);
    const copies = [restoreSae(definition, trained.state())];
    const folder = await mkdtemp(join(tmpdir(), 'saxbench-transcoder-'));
    if (definition.toSaeLens) {
      await trained.writeSaeLens(folder, { hook_name: 'a', hook_name_out: 'b' });
      const read = await readSaeLens(folder);
      assert.is(read.config.hook_name_out, 'b');
      copies.push(checkpointMethod(read));
    }
    for (const copy of copies) {
      assert.is(copy.d_out, 6);
      const again = reconstruct(copy, rows);
      allclose(again.dataSync(), wanted.dataSync(), { rtol: 1e-4, atol: 1e-5 }, definition.id);
      again.dispose();
      copy.dispose();
    }
    await rm(folder, { recursive: true });
    tf.dispose([rows, wanted]);
    trained.dispose();
    assert.is(tf.memory().numTensors, before, 'tensors left');
  }
  const [without, skips] = explained as [number, number];
  // Without a way past .60 to .61 by the seed (four of them); after 1,000 steps, on which much is still chance, .55 to .60.
  assert.ok(without > 0.6 && skips > 0.9, `${without}, ${skips} with the way past the latents`);
});

test('a target that is absent, the same site or of other rows is refused in one line', async () => {
  const registry = openRegistry();
  const resolve = (options: Record<string, unknown>) =>
    resolveMethods({ subjects: [], methods: [{ id: 'transcoder', options }] } as never, registry, 'suite s');
  const failure = (promise: Promise<unknown>) =>
    promise.then(
      () => 'accepted',
      (error: Error) => error.message,
    );
  assert.match(
    await failure(resolve({})),
    /^suite s: method transcoder: target: expected the site that 'transcoder' reconstructs, as .* found none\.$/,
  );
  assert.match(
    await failure(
      resolveMethods(
        { subjects: [], methods: [{ id: 'topk', options: { target: 'b' } }] } as never,
        registry,
        'suite s',
      ),
    ),
    /method topk: .*'target'/,
  );
  const [method] = await resolve({ target: 'b' });
  assert.is(method!.target, 'b');
  const site = (name: string, kind: 'tokens' | 'pooled' = 'tokens') => ({
    name,
    d: 8,
    modality: 'text' as const,
    kind,
  });
  const check = (other: ReturnType<typeof site>) => failure(checkMethod(method!, {}, site('a'), registry, () => other));
  assert.is(await check(site('b')), 'accepted');
  assert.is(
    await check(site('a')),
    'method transcoder: target: expected another site than a, which it reads; found a.',
  );
  assert.is(
    await check(site('b', 'pooled')),
    'method transcoder: target: expected a site with the rows of a (text, one row a position); found b.',
  );
});

test('rows of another site that are those of other tokens are refused, of training and held out', async () => {
  const [n, d] = [8, 4];
  const rows = (tokenIds: number[], positions: number[], keep = [1, 1, 1, 1, 1, 1, 1, 1]) =>
    memorySet(createRng('rows').fillNormal(new Float32Array(n * d)), d, {
      tokenIds: Int32Array.from(tokenIds),
      positions: Uint32Array.from(positions),
      keep: Uint8Array.from(keep),
    });
  const ids = [1, 2, 3, 4, 5, 6, 7, 8];
  const places = [0, 1, 2, 3, 0, 1, 2, 3];
  const given = rows(ids, places);
  const fit = (more: { target: typeof given; heldOut?: typeof given; heldOutTarget?: typeof given }) =>
    trainSae(plain(skipTranscoder), {
      ...{ activations: given, d_sae: 8, hp: { k: 2 }, training: { tokens: 16, batchSize: 4 } },
      ...more,
    });
  const message =
    /^sae skip-transcoder: target: expected the rows of the input site, in row 4 token 5 at position 0; found token /;
  const turned = rows([1, 2, 3, 4, 8, 7, 6, 5], places);
  const moved = rows(ids, [0, 1, 2, 3, 4, 5, 6, 7]);
  for (const other of [turned, moved]) {
    assert.match(await refusal(fit({ target: other })), message);
    assert.match(await refusal(fit({ target: given, heldOut: given, heldOutTarget: other })), message);
  }
  const short = memorySet(new Float32Array((n - 1) * d), d);
  assert.match(await refusal(fit({ target: given, heldOut: given, heldOutTarget: short })), /the 8 rows .* found 7/);
  const fewer = rows(ids, places, [0, 1, 1, 1, 1, 1, 1, 1]);
  assert.match(await refusal(fit({ target: fewer })), /its kept rows differ from those of the input site/);
  (await fit({ target: given, heldOut: given, heldOutTarget: given })).dispose();
});

test('options out of range are refused in one line', () => {
  const shape = { d_in: 4, d_sae: 8, d_out: 3 };
  const options = (definition: SaeDefinition, hp: Record<string, unknown>) =>
    withDefaults<Record<string, unknown>>(definition.hyperparameters, hp, 'option');
  for (const [definition, hp, pattern] of [
    [
      plain(transcoder),
      { targetL0: 9 },
      /^sae transcoder: targetL0: expected a number above 0 and at most d_sae = 8, found 9/,
    ],
    [plain(skipTranscoder), { k: 9 }, /^sae skip-transcoder: k: expected a whole number from 1 to d_sae = 8, found 9/],
  ] as const) {
    assert.throws(() => definition.validate!(shape, options(definition, hp)), pattern);
  }
});

test.run();
