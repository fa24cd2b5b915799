/** @file Gates at one fixed factor: what passes, what is unknown, and texts in another context. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { initBackend } from '../../../harness/num/backend.ts';
import { wordModel } from '../../../harness/testing/word-model.ts';
import {
  axis,
  items,
  near,
  prefGain,
  steerPairs,
  utility,
  wordActivations,
} from '../../../harness/testing/word-pairs.ts';
import suppression from '../../steering-suppression.ts';
import { gatesOf } from './operating-point.ts';
import { perturbed } from './perturbed.ts';
import { storedText } from './texts.ts';
import { wholeLosses } from './whole-passes.ts';

const test = suite('tasks/steering/likelihood/operating-point');
test.before(async () => {
  await initBackend('wasm');
});

const asked = { goal: 'promote', least: 0.1, bound: 0.25, byPerplexity: false } as const;
const point = { gain: 0.2, utility: -0.2, undefinedPairs: 0, perturbedGain: 0.1 };

test('each gate by its own number; all where none fails, unknown where one is unknown and none fails', () => {
  assert.equal(gatesOf(point, asked), { concept: true, utility: true, robustness: true, all: true });
  assert.equal(gatesOf({ ...point, gain: 0.09 }, asked), {
    concept: false,
    utility: true,
    robustness: true,
    all: false,
  });
  assert.equal(gatesOf({ ...point, utility: -0.26 }, asked).utility, false);
  assert.equal(gatesOf({ ...point, perturbedGain: -1 }, asked), {
    concept: true,
    utility: true,
    robustness: false,
    all: false,
  });
  const unknown = gatesOf({ ...point, utility: undefined }, asked);
  assert.equal([unknown.utility, unknown.all], [undefined, undefined]);
  assert.is(gatesOf({ ...point, utility: undefined, gain: 0 }, asked).all, false, 'one that fails decides');
  assert.is(gatesOf({ ...point, gain: Number.NaN }, asked).concept, undefined);
  const { perturbedGain: _, ...unread } = point;
  assert.equal(gatesOf(unread, asked).robustness, undefined);
  // By perplexity UtilOdds does not count, and suppression wants a drop.
  const other = { ...asked, byPerplexity: true };
  assert.equal(
    [gatesOf({ ...point, perplexity: 0.3 }, other).utility, gatesOf(point, other).utility],
    [false, undefined],
  );
  assert.equal(gatesOf({ ...point, gain: -0.2, perturbedGain: -0.2 }, { ...asked, goal: 'suppress' }).all, true);
});

test('a row tells the gain at the fixed factor, whatever factor was chosen, and the shares that pass', async () => {
  // Factor 1 is strength 2.
  const [outcome] = await steerPairs([axis(3)], { factors: [0.25], fixedFactor: 1 });
  const { metrics } = outcome!.rows[0]!;
  const value = (name: string) => metrics[name]!.value;
  assert.is(value('factor'), 0.25);
  near(value('fixed_gain'), prefGain(2));
  const expected = [prefGain(2) >= 0.1, utility(0) - utility(2) <= 0.25].map(Number);
  // The sentence ends before the prompt: the words that are scored follow the same ones.
  assert.equal(['gate_concept', 'gate_utility', 'gate_robustness'].map(value), [...expected, expected[0]]);
  assert.is(value('gates'), Math.min(...expected));
  const [strong] = await steerPairs([axis(3)], { fixedFactor: 1, leastGain: 100 });
  assert.equal(
    ['gate_concept', 'gate_robustness', 'gates'].map((name) => strong!.rows[0]!.metrics[name]!.value),
    [0, 0, 0],
  );
  assert.is(
    strong!.rows[0]!.metrics['pref_gain']!.value,
    (await steerPairs([axis(3)]))[0]!.rows[0]!.metrics['pref_gain']!.value,
  );
});

test('against the concept the same; nothing steered gains nothing and costs nothing', async () => {
  const [outcome] = await steerPairs([axis(3)], { bound: 100 }, suppression);
  const { metrics } = outcome!.rows[0]!;
  near(metrics['fixed_gain']!.value, -prefGain(-2));
  assert.equal([metrics['gate_concept']!.value, metrics['gate_utility']!.value], [1, 1]);
  const idle = { d_in: 5, sparse: false, detector: () => ({ direction: new Float32Array(5) }), dispose: () => {} };
  const [none] = await steerPairs([idle]);
  const names = ['fixed_gain', 'gate_concept', 'gate_utility', 'gate_robustness', 'gates'];
  assert.equal(
    names.map((name) => none!.rows[0]!.metrics[name]!.value),
    [0, 0, 1, 0, 0],
  );
});

test('another context: the sentence behind what begins a text, the same tokens scored, the prompt longer', async () => {
  const subject = wordModel();
  const activations = wordActivations(subject, items);
  const stored = storedText(subject, activations, 1, items[1]!)!;
  const lengths: number[] = [];
  const steering = (_: object, prompt: number) => {
    lengths.push(prompt);
    return { kind: 'add' as const, vector: Float32Array.of(0, 0, 0, 1, 0), strength: 2 };
  };
  const [moved] = perturbed(subject, activations, [{ text: stored }], steering);
  const sentence = moved!.text.prompt.length - stored.prompt;
  assert.ok(sentence > 3);
  assert.equal(moved!.text.prompt.slice(0, 2), [0, 1]);
  assert.equal(moved!.text.ids, [3, 3, 3, 3]);
  assert.equal(lengths, [stored.prompt + sentence]);
  perturbed(subject, activations, [{ text: { ...stored, prompt: 0 } }], steering);
  assert.is(lengths[1], 0, 'a text without a prompt has none now');
  const site = { subject, site: 'resid', method: axis(3) };
  const [own, plain] = [
    await wholeLosses(site, [moved!]),
    await wholeLosses({ subject, site: 'resid' }, [{ text: moved!.text }]),
  ];
  assert.ok(own[0]! < plain[0]!, 'the concept is likelier');
});

test.run();
