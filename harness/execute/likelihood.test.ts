/** @file A toy task of the other measure: the steered model itself is rated, by what it makes of a pair of texts. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defineTask, type LanguageModel, type Tensor3D, tf } from '../contract.ts';
import { initBackend } from '../num/backend.ts';
import { bigramModel } from '../testing/language-model.ts';
import { toyRegistry } from '../testing/toy.ts';
import { runToy } from '../testing/toy-run.ts';

const test = suite('execute/likelihood');
test.before(async () => {
  await initBackend('cpu');
});

/** Words 0 to 2: after 0 comes 2, unless steering along the axis of word 1 makes it 1. */
const model = bigramModel(
  [
    [1, 0],
    [0, 1],
    [0, 0],
  ],
  [
    [0, 0, 2],
    [0, 1, 0],
  ],
);
const pair = { with: [0, 1], without: [0, 2] };

/** −ln p of the second word of a text under the model with `strength` added along the second axis. */
function loss(subject: LanguageModel, ids: number[], strength: number): number {
  return tf.tidy(() => {
    const batch = { n: 1, length: 1, ids: Int32Array.of(ids[0]!), mask: Uint8Array.of(1) };
    const apply = (x: Tensor3D) => tf.add(x, tf.tensor3d([0, strength], [1, 1, 2])) as Tensor3D;
    const { logits } = subject.forward(batch, { interventions: [{ site: 'resid', apply }] });
    return -tf.logSoftmax(logits!).dataSync()[ids[1]!]!;
  });
}

test('measure likelihood: no judge is opened, the margin of the pair is the rating', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-likelihood-'));
  const registry = toyRegistry();
  const task = defineTask({
    ...(await registry.get('task', 'toy-task')),
    id: 'toy-likelihood',
    measure: 'likelihood',
    options: { strength: { type: 'number', default: 3, description: 'Added along the direction.' } },
    async run({ judge, options }) {
      assert.is(judge, undefined);
      const strength = options['strength'] as number;
      const value = loss(model, pair.without, strength) - loss(model, pair.with, strength);
      return { rows: [{ axes: {}, metrics: { value: { value, ci95: null, n: 1 } } }] };
    },
  });
  registry.add(task, 'toy-likelihood.ts');
  const tasks = [0, 3].map((strength) => ({ id: 'toy-likelihood', options: { strength } }));
  for (const [i, margin] of [-2, 1].entries()) {
    const { summary } = await runToy(join(folder, String(i)), { tasks: [tasks[i]!] }, undefined, { registry });
    assert.ok(Math.abs(summary.results[0]!.rows[0]!.metrics['value']!.value! - margin) < 1e-5);
  }
  await rm(folder, { recursive: true });
});

test.run();
