/** @file SSV, ReFT-r1 and RePS against PyTorch (testdata/trained.py): one step, and a whole training with what comes of it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type {
  BaselineDefinition,
  FitContext,
  FittedState,
  LabelledActivations,
  LanguageModel,
} from '../harness/contract.ts';
import { auroc } from '../harness/kit/index.ts';
import { allclose } from '../harness/num/allclose.ts';
import { initBackend } from '../harness/num/backend.ts';
import { tf } from '../harness/num/tf.ts';
import { refusal } from '../harness/testing/failing.ts';
import { lossesAfter, readBatch, responseLength, streamOf, type TextBatch } from './parts/trained/batches.ts';
import { type Source, type TrainingText, trainingTexts } from './parts/trained/texts.ts';
import { trainThroughSubject } from './parts/trained/train.ts';
import { addVector, languageLoss, reftLoss, repsLoss, withoutVector } from './parts/trained/vector-losses.ts';
import reftR1 from './reft-r1.ts';
import reps from './reps.ts';
import sft from './sft.ts';
import ssv from './ssv.ts';
import {
  CONCEPT,
  fitContext,
  type Golden,
  labelledTexts,
  openLlama,
  readTrainedGolden,
  SITE,
} from './testing/trained-golden.ts';

const test = suite('baselines/trained-vectors');
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
  texts = trainingTexts('test', source, 0, 64);
});
test.after(() => lm.dispose());

const NAMES = ['ssv', 'ssv-unit', 'reft-r1', 'reps'] as const;
const positives = () => texts.filter(({ positive }) => positive);
const negatives = () => texts.filter(({ positive }) => !positive);
const tokensOf = (all: readonly TrainingText[]) => all.reduce((sum, text) => sum + responseLength(text), 0);

/** ln p of each response as the subject is. */
function likelihoods(batch: TextBatch): Float32Array {
  const losses = tf.tidy(() => [...lossesAfter(source, batch, streamOf(batch).x).dataSync()]);
  const sums = new Float32Array(batch.texts.length);
  batch.rowOf.forEach((row, i) => {
    sums[row]! -= losses[i]!;
  });
  return sums;
}

/** The loss of all texts at once, in `parts` pieces, as a function of w. */
async function lossOf(name: (typeof NAMES)[number], piece: readonly TrainingText[], w: ReturnType<typeof vector>) {
  const amount = golden.amounts[name] ?? 1;
  if (name === 'reft-r1') {
    const batch = await readBatch(source, piece);
    return () => reftLoss(source, batch, w, { topk: 4, l1: 0, tokens: tokensOf(texts), texts: texts.length });
  }
  if (name === 'reps') {
    const batch = await readBatch(source, piece);
    const pair = { ...batch, reference: likelihoods(batch) };
    return () => repsLoss(source, pair, w, { amounts: piece.map(() => amount), pairs: texts.length / 2 });
  }
  const batch = await readBatch(source, piece);
  const tokens = tokensOf(positives());
  return () =>
    languageLoss(
      source,
      batch,
      addVector(
        batch,
        w,
        piece.map(() => amount),
      ),
      tokens,
    );
}

const vector = (start: readonly number[]) => tf.tidy(() => tf.variable(tf.tensor2d([...start], [1, start.length])));

/** Texts of a batch in two pieces: the loss and its gradient are sums over them. */
function piecesOf(name: string): TrainingText[][] {
  if (name === 'reft-r1') return [texts.slice(0, 5), texts.slice(5)];
  if (name !== 'reps') return [positives().slice(0, 2), positives().slice(2)];
  return [
    [...positives().slice(0, 2), ...negatives().slice(0, 2)],
    [...positives().slice(2), ...negatives().slice(2)],
  ];
}

test('one step: loss, gradient and the vector after it are PyTorch’s, whole or in pieces', async () => {
  const seen: string[] = [];
  for (const name of NAMES) {
    const expected = golden.vectors[name]!;
    const before = tf.memory().numTensors;
    const w = vector(expected.start);
    let gradient: number[] | undefined;
    const losses = await trainThroughSubject(
      {
        name,
        examples: [0],
        params: { w },
        ...(name === 'ssv' ? {} : { unitRows: ['w'] }),
        settings: {
          epochs: 1,
          batchTexts: 1,
          learningRate: golden.lr,
          ...(name.startsWith('ssv') ? {} : { clipNorm: 1 }),
        },
        rng: fitContext(lm, labelled, {}).rng,
        onStep: () => {},
      },
      {
        pieces: () => piecesOf(name).map((_, i) => [i]),
        async share([i]) {
          const compute = await lossOf(name, piecesOf(name)[i!]!, w);
          const { value, grads } = tf.variableGrads(compute, [w]);
          const own = [...grads[w.name]!.dataSync()];
          tf.dispose([value, grads[w.name]!]);
          gradient = gradient ? gradient.map((value, j) => value + own[j]!) : own;
          return compute;
        },
      },
    );
    const after = [...w.dataSync()];
    w.dispose();
    const worst = (a: readonly number[], b: readonly number[]) =>
      Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    const errors = [
      Math.abs(losses[0]! - expected.loss),
      worst(gradient!, expected.gradients['w']!),
      worst(after, expected.after['w']!),
    ];
    seen.push(`${name} ${errors.map((error) => error.toExponential(1)).join(' ')}`);
    assert.ok(errors[0]! <= 1e-4 * expected.loss, `${name}: loss ${losses[0]}, expected ${expected.loss}`);
    const size = Math.max(...expected.gradients['w']!.map(Math.abs));
    assert.ok(errors[1]! <= 1e-4 * Math.max(1, size), `${name}: gradient is off by ${errors[1]} of ${size}`);
    assert.ok(errors[2]! <= 1e-4, `${name}: the vector is off by ${errors[2]}`);
    assert.is(tf.memory().numTensors, before, `${name}: tensors are left`);
  }
  console.log(`off from PyTorch by (loss, gradient, vector): ${seen.join('; ')}`);
});

const OPTIONS = { preset: 'axbench', batchTexts: 64, maxLength: 64 };
const FITS: Record<string, () => Promise<FittedState>> = {
  ssv: () => ssv.fit(fitContext(lm, labelled, { ...OPTIONS, epochs: golden.steps, learningRate: golden.lr })),
  'ssv-unit': () =>
    ssv.fit(
      fitContext(lm, labelled, {
        ...OPTIONS,
        epochs: golden.steps,
        learningRate: golden.lr,
        unitNorm: true,
        factors: [0.4],
      }),
    ),
  'reft-r1': () =>
    reftR1.fit(
      fitContext(lm, labelled, { ...OPTIONS, epochs: golden.steps, learningRate: golden.lr, topk: 4, l1: 0.5 }),
    ),
  reps: () =>
    reps.fit(
      fitContext(lm, labelled, {
        ...{ ...OPTIONS, preset: 'small', epochs: golden.steps, learningRate: golden.lr, factors: [0.4] },
        start: 'constant' as const,
      }),
    ),
};

test('a trained vector is PyTorch’s: direction, AUROC on held-out texts, and what adding it does to their loss', async () => {
  const seen: string[] = [];
  for (const [name, fit] of Object.entries(FITS)) {
    const expected = golden.vectors[name]!.trained;
    const state = await fit();
    const direction = state.tensors['directions']!.data;
    allclose(direction, expected.direction, { atol: 2e-4, rtol: 2e-3 }, `${name}: direction`);
    const { auroc: found, effect } = await measured(state, expected.amount);
    assert.ok(Math.abs(found - expected.auroc) < 1e-9, `${name}: AUROC ${found}, expected ${expected.auroc}`);
    assert.ok(Math.abs(effect - expected.effect) < 1e-3, `${name}: effect ${effect}, expected ${expected.effect}`);
    seen.push(`${name} AUROC ${found.toFixed(4)} effect ${effect.toFixed(5)} (${expected.effect.toFixed(5)})`);
  }
  console.log(seen.join('; '));
});

/** AUROC of a fitted vector on held-out texts; the change of the loss of the positive ones when `amount` of it is added. */
async function measured(state: FittedState, amount: number): Promise<{ auroc: number; effect: number }> {
  const method = ssv.restore(state, { d_in: 24, options: { preset: 'small' } });
  const { score } = method.detector!(CONCEPT)!;
  const { activations } = labelled;
  const { items, labels } = labelled.examples(0, 'eval');
  const best: number[] = [];
  for (const item of items) {
    const [start, end] = [activations.bounds[item]! + 1, activations.bounds[item + 1]!];
    const x = tf.tensor2d(await activations.read(start, end), [end - start, 24]);
    const scores = score!(x);
    best.push(Math.max(...scores.dataSync()));
    tf.dispose([x, scores]);
  }
  // Held-out texts as if they were for training: only their places are wanted.
  const evaluation = { ...labelled, examples: () => labelled.examples(0, 'eval') };
  const shown = trainingTexts('test', { ...source, labelled: evaluation }, 0, 64).filter(({ positive }) => positive);
  const batch = await readBatch(source, shown);
  const effect = tf.tidy(() => {
    const w = tf.tensor2d(state.tensors['directions']!.data, [1, 24]);
    const changed = languageLoss(
      source,
      batch,
      addVector(
        batch,
        w,
        shown.map(() => amount),
      ),
      tokensOf(shown),
    );
    return changed.dataSync()[0]! - languageLoss(source, batch, streamOf(batch).x, tokensOf(shown)).dataSync()[0]!;
  });
  return { auroc: auroc(best, labels)!, effect };
}

test('the gradients of both interventions are those of finite differences', async () => {
  const batch = await readBatch(source, positives().slice(0, 3));
  const start = golden.vectors['ssv']!.after['w']!.map((value, i) => value + 0.1 * Math.sin(i));
  const changes = {
    add: (w: ReturnType<typeof vector>) => addVector(batch, w, [0.5, 1, 2]),
    null: (w: ReturnType<typeof vector>) => withoutVector(batch, w),
  };
  for (const [name, change] of Object.entries(changes)) {
    const loss = (values: readonly number[]) => {
      const w = vector(values);
      const found = tf.tidy(() => {
        const { value, grads } = tf.variableGrads(() => languageLoss(source, batch, change(w), 10), [w]);
        return { value: value.dataSync()[0]!, gradient: [...grads[w.name]!.dataSync()] };
      });
      w.dispose();
      return found;
    };
    const { gradient } = loss(start);
    const step = 2e-3;
    for (const i of [0, 7, 19]) {
      const moved = (by: number) => loss(start.with(i, start[i]! + by)).value;
      const difference = (moved(step) - moved(-step)) / (2 * step);
      assert.ok(
        Math.abs(difference - gradient[i]!) < 2e-3,
        `${name} ${i}: ${gradient[i]}, by differences ${difference}`,
      );
    }
  }
});

test('the same seed gives the same bits, another one another vector, and nothing stays behind', async () => {
  const options = { preset: 'small', epochs: 6, batchTexts: 4, learningRate: 0.05 };
  for (const baseline of [ssv, reftR1, reps] as BaselineDefinition<typeof options>[]) {
    const before = tf.memory().numTensors;
    const context = fitContext(lm, labelled, options);
    const [first, again, other] = [
      await baseline.fit(context),
      await baseline.fit({ ...context, rng: fitContext(lm, labelled, options).rng }),
      await baseline.fit({ ...context, rng: context.rng.fork('other') }),
    ];
    assert.equal(first!.tensors, again!.tensors, baseline.id);
    assert.not.equal(first!.tensors, other!.tensors, baseline.id);
    assert.is(tf.memory().numTensors, before, baseline.id);
    const [{ first: start, last }] = (first!.json as { losses: { first: number; last: number }[] }).losses as [
      { first: number; last: number },
    ];
    assert.ok(last < start, `${baseline.id}: the loss falls (${start} to ${last})`);
  }
});

test('texts whose responses are cut away are counted: training on a few of many is not silent', async () => {
  const options = { preset: 'small', epochs: 1, maxLength: 5 };
  const marksOf = async (baseline: BaselineDefinition<typeof options>) =>
    (await baseline.fit(fitContext(lm, labelled, options))).marks;
  const message = (counts: string) =>
    `${counts} training texts left out: no token of their responses is among their first 5 (maxLength).`;
  const plain = ssv as BaselineDefinition<typeof options>;
  assert.equal(await marksOf(plain), [{ code: 'texts-left-out', message: message('10 of 12') }]);
  // Of those with the concept alone.
  const [mark] = (await marksOf(sft as BaselineDefinition<typeof options>))!;
  assert.is(mark!.message, message('5 of 6'));
  assert.is((await ssv.fit(fitContext(lm, labelled, { preset: 'small', epochs: 1 }))).marks, undefined);
});

test('training stops when asked to', async () => {
  const stop = new AbortController();
  const context = fitContext(lm, labelled, { preset: 'small', epochs: 50 });
  const before = tf.memory().numTensors;
  const run = ssv.fit({ ...context, signal: stop.signal, progress: () => stop.abort(new Error('enough')) });
  assert.match(await run.then(String, (error: Error) => error.message), /enough/);
  assert.is(tf.memory().numTensors, before);
});

test('what cannot be trained on is one line that names the concept', async () => {
  const fit = (change: Partial<FitContext<{ preset: string }>>, options: object = {}) =>
    refusal(ssv.fit({ ...fitContext(lm, labelled, { preset: 'small', ...options }), ...change }));
  assert.match(await fit({ subject: undefined }), /ssv: expected a language model.*no subject/);
  assert.match(await fit({ site: 'blocks.9.hook_resid_post' }), /expected one site of tiny.*blocks\.9/);
  assert.match(await fit({ labelled: undefined }), /labelled concepts/);
  assert.match(await fit({}, { maxLength: 2 }), /late words.*response within 2 tokens.*raise maxLength/);
  assert.match(
    await fit({}, { preset: 'axbench', learningRate: 1e39 }),
    /ssv: concept 'late words': the loss of step .* lower learningRate/,
  );
  const other = {
    ...labelled,
    set: { ...labelled.set, items: labelled.set.items.map((item) => ({ ...item, text: 'w3 w4' })) },
  };
  assert.match(await fit({ labelled: other }), /item '0': its activations are of other tokens/);
  const zero = { ...labelled, activations: { ...labelled.activations, keep: labelled.activations.keep.map(() => 0) } };
  assert.match(await fit({ labelled: zero }), /late words.*no gradient/);
});

test.run();
