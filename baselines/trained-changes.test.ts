/** @file LoReFT, LoRA and SFT against PyTorch (testdata/trained.py): one step; and what a restored method does to the subject. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { BaselineDefinition, LabelledActivations, LanguageModel, SubjectChange } from '../harness/contract.ts';
import { initBackend } from '../harness/num/backend.ts';
import { tf } from '../harness/num/tf.ts';
import { refusal } from '../harness/testing/failing.ts';
import lora, { lora as loraOf } from './lora.ts';
import loreft, { loreft as loreftOf } from './loreft.ts';
import { changedLoss, readBatch, responseLength } from './parts/trained/batches.ts';
import { blocksOf } from './parts/trained/layers.ts';
import { type Source, type TrainingText, trainingTexts } from './parts/trained/texts.ts';
import { trainThroughSubject } from './parts/trained/train.ts';
import type { Change } from './parts/trained/train-changes.ts';
import sft, { finetuned } from './sft.ts';
import {
  CONCEPT,
  fitContext,
  type Golden,
  labelledTexts,
  openLlama,
  readTrainedGolden,
  SITE,
} from './testing/trained-golden.ts';

const test = suite('baselines/trained-changes');
let golden: Golden;
let lm: LanguageModel;
let labelled: LabelledActivations;
let source: Source;
let texts: TrainingText[];
test.before(async () => {
  await initBackend('wasm');
  golden = await readTrainedGolden();
  lm = await openLlama();
  labelled = await labelledTexts(lm, golden);
  source = { lm, site: SITE, labelled };
  texts = trainingTexts('test', source, 0, 64).filter(({ positive }) => positive);
});
test.after(() => lm.dispose());

const worst = (a: ArrayLike<number>, b: readonly number[]) => Math.max(...b.map((value, i) => Math.abs(a[i]! - value)));

/** One step on all positives: loss, gradients, and the parameters after it. */
async function stepOf(
  start: Record<string, { shape: number[]; data: readonly number[] }>,
  change: Change,
  clipNorm?: number,
) {
  const params = Object.fromEntries(
    Object.entries(start).map(([name, { shape, data }]) => [
      name,
      tf.tidy(() => tf.variable(tf.tensor([...data], shape))),
    ]),
  );
  const names = Object.keys(params);
  const gradients: Record<string, Float32Array> = {};
  const tokens = texts.reduce((sum, text) => sum + responseLength(text), 0);
  const [loss] = await trainThroughSubject(
    {
      ...{ name: 'test', examples: [0], params, rng: fitContext(lm, labelled, {}).rng, onStep: () => {} },
      settings: { epochs: 1, batchTexts: 1, learningRate: golden.lr, ...(clipNorm === undefined ? {} : { clipNorm }) },
    },
    {
      pieces: () => [[0]],
      async share() {
        const batch = await readBatch(source, texts);
        const compute = () =>
          changedLoss(
            source,
            batch,
            change(
              params,
              texts.map(() => 1),
            ),
            tokens,
          );
        const { value, grads } = tf.variableGrads(compute, Object.values(params));
        for (const name of names) gradients[name] = grads[params[name]!.name]!.dataSync() as Float32Array;
        tf.dispose([value, grads]);
        return compute;
      },
    },
  );
  const after = Object.fromEntries(names.map((name) => [name, params[name]!.dataSync() as Float32Array]));
  tf.dispose(params);
  return { loss: loss!, gradients, after };
}

const shaped = (start: Record<string, number[]>, shapeOf: (name: string, size: number) => number[]) =>
  Object.fromEntries(Object.entries(start).map(([name, data]) => [name, { shape: shapeOf(name, data.length), data }]));

test('one step of LoReFT and LoRA: loss, gradients and parameters are PyTorch’s', async () => {
  const { loreft: ofLoreft, lora: ofLora } = golden;
  const reftStart = shaped(ofLoreft.start, (name, size) =>
    name.endsWith('b') ? [size] : [ofLoreft.rank, size / ofLoreft.rank],
  );
  const loraStart = shaped(ofLora.start, (name, size) =>
    name.endsWith('A') ? [ofLora.rank, size / ofLora.rank] : [size / ofLora.rank, ofLora.rank],
  );
  const scale = ofLora.alpha / Math.sqrt(ofLora.rank);
  const cases = [
    ['loreft', ofLoreft.all, await stepOf(reftStart, loreftOf(0))],
    ['loreft at the ends of prompts', ofLoreft.ends, await stepOf(reftStart, loreftOf(2))],
    ['lora', ofLora, await stepOf(loraStart, loraOf(scale))],
  ] as const;
  const seen: string[] = [];
  for (const [name, expected, found] of cases) {
    assert.ok(
      Math.abs(found.loss - expected.loss) <= 1e-4 * expected.loss,
      `${name}: ${found.loss}, expected ${expected.loss}`,
    );
    const off = [0, 0];
    for (const [key, gradient] of Object.entries(expected.gradients)) {
      off[0] = Math.max(off[0]!, worst(found.gradients[key]!, gradient));
      off[1] = Math.max(off[1]!, worst(found.after[key]!, expected.after[key]!));
    }
    assert.ok(off[0]! <= 1e-4, `${name}: a gradient is off by ${off[0]}`);
    assert.ok(off[1]! <= 1e-4, `${name}: a parameter is off by ${off[1]}`);
    seen.push(
      `${name} ${[Math.abs(found.loss - expected.loss), ...off].map((error) => error.toExponential(1)).join(' ')}`,
    );
  }
  console.log(`off from PyTorch by (loss, gradients, parameters): ${seen.join('; ')}`);
});

test('one step of SFT: loss, gradients and changes of weights are PyTorch’s', async () => {
  const start = Object.fromEntries(
    lm.linearLayers!.map(({ block, layer, in: width, out }) => [
      `${block}.${layer}`,
      { shape: [width, out], data: new Array<number>(width * out).fill(0) },
    ]),
  );
  const { loss, gradients, after } = await stepOf(start, finetuned, 1);
  assert.ok(Math.abs(loss - golden.sft.loss) <= 1e-4 * loss, `${loss}, expected ${golden.sft.loss}`);
  const squares = Object.values(gradients).flatMap((gradient) => [...gradient].map((value) => value * value));
  const norm = Math.sqrt(squares.reduce((sum, value) => sum + value, 0));
  assert.ok(Math.abs(norm - golden.sft.norm) <= 1e-3, `norm ${norm}, expected ${golden.sft.norm}`);
  /** PyTorch's weights are [out, in]. */
  const transposed = (values: readonly number[], width: number) =>
    values.map((_, i) => values[(i % (values.length / width)) * width + Math.floor(i / (values.length / width))]!);
  for (const [name, gradient] of Object.entries(golden.sft.gradients)) {
    const width = start[name]!.shape[0]!;
    assert.ok(worst(gradients[name]!, transposed(gradient, width)) <= 1e-4, `${name}: gradient`);
    assert.ok(worst(after[name]!, transposed(golden.sft.changes[name]!, width)) <= 1e-4, `${name}: change`);
  }
});

const SMALL = { preset: 'small', epochs: 3, batchTexts: 6 };
const ALL = [loreft, lora, sft] as BaselineDefinition<typeof SMALL>[];

test('a fitted change lowers the loss of the concept’s texts as strongly as it is asked to, row by row, and is disposed of', async () => {
  const batch = await readBatch(source, texts);
  const lossesOf = (change: SubjectChange) =>
    tf.tidy(() => lm.forward(batch.tokens, { ...change, places: batch.places }).logits!.dataSync() as Float32Array);
  const plain = lossesOf({});
  const tokens = texts.reduce((sum, text) => sum + responseLength(text), 0);
  for (const baseline of ALL) {
    const before = tf.memory().numTensors;
    const state = await baseline.fit(fitContext(lm, labelled, SMALL));
    assert.equal(
      state.tensors,
      (await baseline.fit(fitContext(lm, labelled, SMALL))).tensors,
      `${baseline.id}: same bits`,
    );
    const method = baseline.restore(state, { d_in: 24, options: SMALL });
    const { intervene } = method.detector!(CONCEPT)!;
    assert.is(method.detector!({ id: 'other', label: '' }), undefined);
    const lossAt = (strength: number) =>
      tf.tidy(() => changedLoss(source, batch, intervene!(texts.map(() => strength)), tokens).dataSync()[0]!);
    const [none, half, full] = [lossAt(0), lossAt(0.5), lossAt(1)];
    assert.ok(full < half && half < none, `${baseline.id}: ${none}, ${half}, ${full}`);
    // Strength 0 in all rows but the second.
    const rows = lossesOf(intervene!(texts.map((_, i) => (i === 1 ? 1 : 0))));
    const vocab = rows.length / batch.places.length;
    batch.rowOf.forEach((row, i) => {
      const off = worst(rows.subarray(i * vocab, (i + 1) * vocab), [...plain.subarray(i * vocab, (i + 1) * vocab)]);
      assert.ok(row === 1 ? off > 1e-3 : off < 1e-4, `${baseline.id}: row ${row} differs by ${off}`);
    });
    const free = await lm.generate(
      [
        [1, 5, 6],
        [1, 7],
      ],
      { maxNewTokens: 4, eosId: -1 },
    );
    const unchanged = await lm.generate(
      [
        [1, 5, 6],
        [1, 7],
      ],
      { maxNewTokens: 4, eosId: -1, ...intervene!([0, 0]) },
    );
    assert.equal(unchanged, free, `${baseline.id}: strength 0 writes what the subject writes`);
    method.dispose();
    assert.is(tf.memory().numTensors, before, `${baseline.id}: tensors are left`);
  }
});

test('generation with a change is what a pass over prompt and answer says, token by token', async () => {
  const state = await sft.fit(fitContext(lm, labelled, SMALL));
  const method = sft.restore(state, { d_in: 24, options: SMALL });
  const change = method.detector!(CONCEPT)!.intervene!([1]);
  const [ids] = await lm.generate([[1, 5, 6, 9]], { maxNewTokens: 5, eosId: -1, ...change });
  const all = [1, 5, 6, 9, ...ids!];
  const batch = { n: 1, length: all.length, ids: Int32Array.from(all), mask: new Uint8Array(all.length).fill(1) };
  const best = tf.tidy(() => [...tf.argMax(lm.forward(batch, change).logits!, 2).dataSync()]);
  assert.equal(best.slice(3, -1), ids);
  method.dispose();
});

test('a change that no text has a position for is refused: it would stand as trained, and do nothing', async () => {
  const items = labelled.set.items.map(({ id, text }) => ({ id, ...(text === undefined ? {} : { text }) }));
  const unmarked = { ...labelled, set: { ...labelled.set, items } };
  const before = tf.memory().numTensors;
  const options = { ...SMALL, positions: 5 };
  assert.match(
    await refusal(loreft.fit(fitContext(lm, unmarked, options))),
    /loreft: concept 'late words': the loss has no gradient.*positions which are changed/,
  );
  assert.is(tf.memory().numTensors, before);
  assert.ok((await loreft.fit(fitContext(lm, unmarked, { ...options, positions: 0 }))).tensors['0.R']);
});

test('the stream at the site, which a changed subject computes itself, is not read', async () => {
  const read = () => Promise.reject(new Error('read'));
  const unread = { ...labelled, activations: { ...labelled.activations, read } };
  for (const baseline of ALL) await baseline.fit(fitContext(lm, unread, { ...SMALL, epochs: 1 }));
});

test('what is fitted at a site of another width changes the stream all the same', async () => {
  const context = fitContext(lm, labelled, { ...SMALL, layers: 'spread' });
  const heads = { ...context.activations, d_in: 12 };
  for (const baseline of [loreft, lora] as BaselineDefinition<typeof SMALL>[]) {
    const found = await baseline.fit({ ...context, activations: heads });
    assert.equal(found.tensors, (await baseline.fit(context)).tensors, baseline.id);
  }
});

test('what cannot be changed or is not there is one line', async () => {
  const context = fitContext(lm, labelled, { preset: 'small' });
  assert.match(
    await refusal(loreft.fit({ ...context, options: { preset: 'small', rank: 25 } })),
    /rank: expected at most the 24/,
  );
  const { linearLayers: _, ...bare } = lm;
  const closed = { ...bare, linearLayers: [] } as LanguageModel;
  assert.match(
    await refusal(lora.fit({ ...context, subject: closed })),
    /lora: expected a subject whose linear layers/,
  );
  assert.match(await refusal(sft.fit({ ...context, subject: closed })), /sft: expected a subject whose linear layers/);
  const large = { ...lm, linearLayers: [{ block: 0, layer: 'q' as const, in: 8192, out: 8192 }] };
  assert.match(
    await refusal(sft.fit({ ...context, subject: large })),
    /at most 16777216 weights.*has 67108864: take lora/,
  );
  assert.match(
    await refusal(() => blocksOf('lora', { ...source, site: 'ln_final.hook_normalized' }, 'site')),
    /take layers 'spread'/,
  );
  const batch = await readBatch(source, texts.slice(0, 1));
  const add = (block: number, layer: 'q' | 'gate') => () =>
    lm.forward(batch.tokens, { additions: [{ block, layer, apply: (x) => x }] });
  assert.match(await refusal(add(2, 'q')), /block 2: expected a linear layer of a block from 0 to 1/);
  const rest = () =>
    lm.forwardFrom!(SITE, tf.zeros([1, batch.tokens.length, 24]), batch.tokens, {
      additions: [{ block: 0, layer: 'q', apply: (x) => x }],
    });
  assert.match(await refusal(rest), /block 0: expected a linear layer of a block from 1/);
  const { promptLengths: _unknown, ...tokens } = batch.tokens;
  const R = tf.zeros([2, 24]);
  const ends = () => lm.forward(tokens, loreftOf(2)({ '0.R': R }, [1]));
  assert.throws(ends, /expected a batch that says where prompts end/);
  R.dispose();
});

test.run();
