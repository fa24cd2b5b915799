/** @file Steering by likelihood of a model whose every loss can be worked out, and of an embedded subject. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FittedMethod, tf } from '../harness/contract.ts';
import { packageRoot } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations } from '../harness/testing/activations.ts';
import {
  axis,
  items,
  loss,
  near,
  prefGain,
  steerPairs,
  text,
  textLoss,
  utility,
} from '../harness/testing/word-pairs.ts';
import llama from '../models/subjects/llama.ts';
import { steeredLosses } from './steering/likelihood/losses.ts';
import type { LikelihoodOptions } from './steering/likelihood/options.ts';
import { storedText } from './steering/likelihood/texts.ts';
import task from './steering-likelihood.ts';
import suppression from './steering-suppression.ts';

const test = suite('tasks/steering-likelihood');
test.before(async () => {
  await initBackend('wasm');
});

test('gain, utility and cost are those worked out, at the greatest factor that keeps the bound', async () => {
  const [outcome] = await steerPairs([axis(3)]);
  const [row] = outcome!.rows;
  assert.equal(row!.axes, { selection: 'detector', intervention: 'add' });
  const value = (name: string) => row!.metrics[name]!.value;
  // Of the strengths 1, 2, 4 and 100 the greatest that costs at most .25 nats of UtilOdds; at 100 it is undefined.
  const fall = (s: number) => utility(0) - utility(s);
  const strength = [1, 2, 4, 100].filter((s) => fall(s) <= 0.25).at(-1)!;
  assert.ok(strength < 100 && prefGain(100) > prefGain(strength), 'more would be gained by more');
  assert.is(value('factor'), strength / 2);
  near(value('pref_gain'), prefGain(strength), 'gain');
  near(value('pref_odds'), textLoss('other', strength) - textLoss('concept', strength), 'odds');
  near(value('pref_odds_clean'), textLoss('other', 0) - textLoss('concept', 0), 'clean odds');
  near(value('positive_gain'), textLoss('concept', 0) - textLoss('concept', strength), 'positives');
  near(value('util_change'), utility(strength) - utility(0), 'utility');
  assert.equal([value('util_undefined'), value('at_end'), value('no_factor')], [0, 0, 0]);
  // A document is read from its first token, `<s>`, on.
  const document = (s: number) => loss('go', 'other', s) + 3 * loss('other', 'other', s);
  const start = (s: number) => {
    const logits = [0, 1, 0, s, 0];
    return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0)) - 1;
  };
  const rise = (document(strength) + start(strength) - document(0) - start(0)) / 5;
  near(value('perplexity_ratio'), Math.exp(rise), 'perplexity');
  assert.ok(value('kl')! > 0);
  assert.equal(row!.samples!.ids, ['c']);
  const [detail] = outcome!.details!['detector/add'] as {
    gate: string;
    tried: { factor: number; allowed: boolean }[];
  }[];
  assert.is(detail!.gate, 'utility-odds');
  assert.equal(
    detail!.tried.map(({ allowed }) => allowed),
    [1, 2, 4, 100].map((s) => fall(s) <= 0.25),
  );
});

test('a wider bound lets more be gained; under none that holds the concept is not steered and counted', async () => {
  const gains = [];
  for (const bound of [0, 0.25, 1, 1000]) {
    const [outcome] = await steerPairs([axis(3)], { bound });
    gains.push(outcome!.rows[0]!.metrics['pref_gain']!.value!);
  }
  assert.equal(
    gains,
    [...gains].sort((a, b) => a - b),
  );
  // The first word: both texts lose alike.
  const [outcome] = await steerPairs([axis(0)], { factors: [50, 60] });
  const { metrics } = outcome!.rows[0]!;
  const names = ['no_factor', 'factor', 'pref_gain', 'kl', 'perplexity_ratio'];
  assert.equal(
    names.map((name) => metrics[name]!.value),
    [1, 0, 0, 0, 1],
  );
});

test('without steering everything is as it was, exactly, and nothing is read again', async () => {
  const idle: FittedMethod = {
    d_in: 5,
    sparse: false,
    detector: () => ({ direction: new Float32Array(5) }),
    dispose: () => {},
  };
  const [outcome] = await steerPairs([idle]);
  const { axes, metrics } = outcome!.rows[0]!;
  assert.is(axes['intervention'], 'none');
  const names = ['pref_gain', 'positive_gain', 'util_change', 'kl', 'factor', 'no_factor', 'perplexity_ratio'];
  assert.equal(
    names.map((name) => metrics[name]!.value! + 0),
    [0, 0, 0, 0, 0, 0, 1],
  );
});

test('suppression goes the other way, and its headline is the drop', async () => {
  const [outcome] = await steerPairs([axis(3)], { factors: [1], bound: 100 }, suppression);
  const { metrics } = outcome!.rows[0]!;
  near(metrics['pref_drop']!.value, -prefGain(-2));
  assert.ok(metrics['pref_drop']!.value! > 0);
  assert.is(metrics['pref_gain'], undefined);
  // The axis of `go` makes `other` likelier: against it the concept gains.
  const [against] = await steerPairs([axis(1)], { factors: [1], bound: 100 }, suppression);
  assert.ok(against!.rows[0]!.metrics['pref_drop']!.value! < 0);
});

test('losses too low for UtilOdds: perplexity of held-out text bounds the factor, and undefined pairs are counted', async () => {
  // `concept` after `concept` and `topic` after `go` are what the model expects least and most: here only the second is read.
  const sure = items.map((item, i) => (item.id.startsWith('train') ? item : { ...item, ...text('topic', i) }));
  const [outcome] = await steerPairs([axis(3)], { factors: [0.5, 50] }, task, sure);
  const [row] = outcome!.rows;
  const [detail] = outcome!.details!['detector/add'] as {
    gate: string;
    util_change: number | null;
    tried: { ln_perplexity: number; allowed: boolean }[];
  }[];
  assert.is(detail!.gate, 'perplexity');
  assert.equal(
    detail!.tried.map(({ ln_perplexity, allowed }) => allowed === ln_perplexity <= 0.25),
    [true, true],
  );
  assert.is(row!.metrics['util_undefined']!.value, 1);
  assert.is(row!.metrics['util_change']!.value, null);
  assert.match(row!.metrics['util_change']!.reason!, /undefined for 1 of 1 concepts/);
  near(row!.metrics['pref_gain']!.value, 0, 'the same text on both sides');
});

test('a concept of which no factor has a known utility is missing and counted, not zero', async () => {
  const [outcome] = await steerPairs([axis(3)], { factors: [50, 60] });
  const { metrics, unavailable, samples } = outcome!.rows[0]! as {
    metrics: object;
    unavailable?: object;
    samples?: object;
  };
  assert.match(JSON.stringify([metrics, unavailable]), /"pref_gain":\{"value":null/);
  assert.is(samples, undefined);
  assert.is((outcome!.details!['pairs'] as { missing: number }).missing, 1);
});

test('the response alone: the first of its tokens is predicted by the prompt, which is as it was', async () => {
  const [outcome] = await steerPairs([axis(3)], { factors: [1], bound: 100, positions: 'response' });
  const part = (word: 'concept' | 'other', s: number) => (loss('go', word, 0) + 3 * loss(word, word, s)) / 4;
  near(outcome!.rows[0]!.metrics['positive_gain']!.value, part('concept', 0) - part('concept', 2));
  const [prompt] = await steerPairs([axis(3)], { factors: [1], bound: 100, positions: 'last', positionCount: 1 });
  near(prompt!.rows[0]!.metrics['positive_gain']!.value, (loss('go', 'concept', 0) - loss('go', 'concept', 2)) / 4);
  assert.is(prompt!.rows[0]!.metrics['kl']!.value, null, 'a document has no prompt to be steered at');
});

test('a sparse dictionary is added, clamped, patched and replaced; one without directions says so', async () => {
  const dictionary: FittedMethod = {
    d_in: 5,
    d_sae: 5,
    sparse: true,
    encode: (x) => ({ kind: 'dense', values: tf.relu(x) }),
    decode: (codes) => tf.clone(codes.values),
    dispose: () => {},
  };
  const interventions: LikelihoodOptions['interventions'] = ['add', 'clamp', 'patch', 'replace'];
  const [outcome, none] = await steerPairs([dictionary, { d_in: 5, sparse: false, dispose: () => {} }], {
    interventions,
  });
  assert.equal(
    outcome!.rows.map(({ axes }) => axes['intervention']),
    interventions,
  );
  const [, clamp, patch, replace] = outcome!.rows.map(({ metrics }) => metrics['pref_gain']!.value);
  assert.equal([patch, replace], [clamp, clamp], 'this dictionary leaves no error');
  assert.match(none!.rows[0]!.metrics['pref_gain']!.reason!, /no directions/);
});

test('where nothing can be steered or bounded, the reason stands in place of numbers', async () => {
  const bare = items.map(({ id, text }) => ({ id, text: text! }));
  const [unprompted] = await steerPairs([axis(3)], { positions: 'last' }, task, bare);
  assert.match(unprompted!.rows[0]!.metrics['pref_gain']!.reason!, /'last', steers prompts alone/);
  // Documents are not steered at the end of a prompt: no perplexity bounds the factor.
  const [unbounded] = await steerPairs([axis(3)], { positions: 'last', gate: 'perplexity' });
  assert.match(unbounded!.rows[0]!.metrics['pref_gain']!.reason!, /no factor has a known gain/);
});

test('says why it cannot run', () => {
  const site = { name: 'resid', d: 2, modality: 'text', kind: 'tokens' } as const;
  const why = (context: object) => task.unavailable!(context as Parameters<NonNullable<typeof task.unavailable>>[0]);
  assert.match(why({ site })!, /imported/);
  assert.match(why({ site, subject: { type: 'lm' } })!, /no labelled concepts/);
  assert.match(why({ site, labelled: {}, subject: { type: 'clip' } })!, /needs a language model/);
});

const folder = join(packageRoot, 'models/pretrained/tiny-lm-planted');
const trained = existsSync(join(folder, 'model.safetensors')) ? test : test.skip;
trained('from the stored activations on, losses are those of whole passes, steered or not', async () => {
  const lm = await llama.load(folder, { id: 'tiny-lm-planted' });
  if (lm.type !== 'lm') throw new Error('unexpected');
  const name = 'blocks.1.hook_resid_post';
  const site = lm.sites.find((each) => each.name === name)!;
  const texts = [
    'Tell me about the sea.\nThe waves rolled in and the boats came home.',
    'A short text about the harbour.',
  ];
  const ids = texts.map((each) => lm.tokenizer.encode(each).ids);
  const rows: number[][][] = [];
  for (const own of ids) {
    const batch = { n: 1, length: own.length, ids: Int32Array.from(own), mask: new Uint8Array(own.length).fill(1) };
    const x = tf.tidy(() => lm.forward(batch, { capture: [name], output: false }).captured[name]!);
    rows.push(((await x.array()) as number[][][])[0]!);
    x.dispose();
  }
  const activations = memoryActivations(rows, { tokenIds: ids });
  const vector = Float32Array.from({ length: site.d }, (_, i) => Math.sin(i));
  const wanted = texts.flatMap((each, i) => {
    const stored = storedText(lm, activations, i, { id: `${i}`, text: each })!;
    return [0, 1.5].map((strength) => ({ text: stored, steering: { kind: 'add' as const, vector, strength } }));
  });
  const steerable = { subject: lm, site, method: axis(0) };
  const rest = await steeredLosses(steerable, activations, wanted);
  const whole = await steeredLosses({ ...steerable, subject: { ...lm, forwardFrom: undefined } }, activations, wanted);
  for (const [i, value] of rest.entries()) near(value, whole[i]!, `text ${i}`);
  assert.ok(Math.abs(rest[0]! - rest[1]!) > 0.01);
  const clean = await steeredLosses(
    { subject: lm, site },
    activations,
    wanted.map(({ text }) => ({ text })),
  );
  near(clean[0], rest[0]!, 'by nothing');
  lm.dispose();
});

test.run();
