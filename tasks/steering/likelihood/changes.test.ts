/** @file Steering by likelihood of methods that add no vector: changes of their own, and requests. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FittedMethod, tf } from '../../../harness/contract.ts';
import { initBackend } from '../../../harness/num/backend.ts';
import { oneHot, wordModel } from '../../../harness/testing/word-model.ts';
import {
  axis,
  items,
  loss,
  near,
  prefGain,
  steerPairs,
  textLoss,
  wordActivations,
} from '../../../harness/testing/word-pairs.ts';
import task from '../../steering-likelihood.ts';
import suppression from '../../steering-suppression.ts';
import { steeredLosses } from './losses.ts';
import { storedText } from './texts.ts';

const test = suite('tasks/steering/likelihood/changes');
test.before(async () => {
  await initBackend('wasm');
});

/** Adds its strength along axis `i`, where `acts` says so of a batch's prompts. */
const changing = (i: number, acts: (prompt: number) => boolean = () => true): FittedMethod => ({
  d_in: 5,
  sparse: false,
  detector: () => ({
    intervene: (strengths) => ({
      interventions: [
        {
          site: 'resid',
          apply(x, { promptLengths }) {
            const steps = strengths.flatMap((s, row) =>
              oneHot(i).map((value) => (acts(promptLengths![row]!) ? s * value : 0)),
            );
            return tf.add(x, tf.tensor3d(steps, [strengths.length, 1, 5]));
          },
        },
      ],
    }),
  }),
  dispose: () => {},
});

test("a method's own change is read by likelihood as a vector is: the same numbers for the same change", async () => {
  const factors = [1, 2, 4, 100];
  const [own, nowhere, prompts] = await steerPairs(
    [changing(3), changing(3, () => false), changing(3, (length) => length > 1)],
    { factors },
  );
  const [row] = own!.rows;
  assert.equal(row!.axes, { selection: 'detector', intervention: 'own' });
  const [vector] = await steerPairs([axis(3)], { factors: factors.map((factor) => factor / 2) });
  const strength = 2 * vector!.rows[0]!.metrics['factor']!.value!;
  assert.is(row!.metrics['factor']!.value, strength);
  for (const name of ['pref_gain', 'positive_gain', 'util_change', 'perplexity_ratio', 'kl']) {
    near(row!.metrics[name]!.value, vector!.rows[0]!.metrics[name]!.value!, name);
  }
  near(nowhere!.rows[0]!.metrics['pref_gain']!.value, 0);
  // What acts in prompts alone reaches no document, which has none: its cost is unknown, not 0.
  near(prompts!.rows[0]!.metrics['pref_gain']!.value, prefGain(strength));
  for (const name of ['perplexity_ratio', 'kl']) assert.is(prompts!.rows[0]!.metrics[name]!.value, null, name);
});

test('changes of several concepts are read apart, each with its own strengths', async () => {
  const subject = wordModel();
  const activations = wordActivations(subject, items);
  const method = changing(3);
  const [first, second] = [3, 4].map((i) => changing(i).detector!({ id: 'c', label: '' })!.intervene!);
  const texts = [0, 1, 4].flatMap((place) => {
    const stored = storedText(subject, activations, place, items[place]!)!;
    return [
      { text: stored, steering: { kind: 'own' as const, change: first!, strength: 2 } },
      { text: stored, steering: { kind: 'own' as const, change: second!, strength: 3 } },
      { text: stored, steering: { kind: 'own' as const, change: first!, strength: 0 } },
    ];
  });
  const steerable = { subject, site: subject.sites[0]!, method };
  const together = await steeredLosses(steerable, activations, texts);
  for (const [i, each] of texts.entries()) {
    const [alone] = await steeredLosses(steerable, activations, [each]);
    near(together[i], alone!, `text ${i}`);
  }
  near(together[0], textLoss('concept', 2));
  near(together[8], textLoss('other', 0));
});

test('a method that asks is read after its request; it is asked for a concept, not against it', async () => {
  const asked: string[] = [];
  const asking: FittedMethod = {
    d_in: 5,
    sparse: false,
    ask(concept, { text }) {
      asked.push(`${concept.id} ${text}`);
      return `${text} topic`;
    },
    dispose: () => {},
  };
  const [outcome] = await steerPairs([asking]);
  const [row] = outcome!.rows;
  assert.equal(row!.axes, { selection: 'asked', intervention: 'none' });
  // After `topic` in place of `go` comes the first of four words.
  const first = (word: 2 | 3 | 4) => Math.log(3 + Math.exp(3) + Math.exp(2) - 1) - [0, 0, 3, 2, 0][word]!;
  const gain = (first(4) - first(3) - (loss('go', 'other', 0) - loss('go', 'concept', 0))) / 4;
  near(row!.metrics['pref_gain']!.value, gain);
  assert.is(row!.metrics['kl']!.value, null, 'a document is not asked for');
  assert.ok(
    asked.every((each) => /^c (go )+$/.test(each)),
    asked.join(),
  );
  const [against] = await steerPairs([asking], {}, suppression);
  assert.match(against!.rows[0]!.metrics['pref_drop']!.reason!, /not against it/);
  const [bare] = await steerPairs(
    [asking],
    {},
    task,
    items.map(({ id, text }) => ({ id, text: text! })),
  );
  assert.ok(Number.isFinite(bare!.rows[0]!.metrics['pref_gain']!.value), 'texts without a prompt');
});

test.run();
