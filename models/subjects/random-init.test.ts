/** @file Weights drawn anew: the spread stays, what was learned goes, and the same control comes each time. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LanguageModel, tf } from '../../harness/contract.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { packageRoot } from '../../harness/paths.ts';
import llama from './llama.ts';
import { drawAnew } from './random-init.ts';

const test = suite('random weights');
test.before(async () => {
  await initBackend('cpu');
});

test('every tensor keeps its mean and spread; those to keep are the same; a draw is the same again', () => {
  const trained = () => {
    const ramp = Float32Array.from({ length: 10_000 }, (_, i) => 3 + (i % 7));
    return {
      'a.weight': tf.tensor(ramp, [100, 100]),
      'b.weight': tf.tensor([1, 2, 4]),
      c: tf.tensor(ramp),
      one: tf.scalar(5),
    };
  };
  const [first, again] = [drawAnew(trained(), ['b']), drawAnew(trained(), ['b'])];
  const values = Array.from(first['a.weight']!.dataSync());
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const std = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  // 0..6 evenly: mean 3, standard deviation 2, of 10,000 draws.
  assert.ok(Math.abs(mean - 6) < 0.08 && Math.abs(std - 2) < 0.06, `${mean} ${std}`);
  assert.ok(Math.min(...values) < 2, 'no value of the trained tensor lies there');
  assert.equal(first['a.weight']!.shape, [100, 100]);
  assert.equal([...first['b.weight']!.dataSync()], [1, 2, 4]);
  assert.is(first['one']!.dataSync()[0], 5);
  assert.equal(Array.from(again['a.weight']!.dataSync()), values);
  assert.not.equal(Array.from(first['c']!.dataSync()), values, 'each tensor has its own stream');
  tf.dispose([first, again]);
});

test('a language model: all weights anew, or all but its table of tokens, which is its head too', async () => {
  const folder = join(packageRoot, 'models/pretrained/tiny-lm-planted');
  const open = (randomInit?: 'all' | 'blocks') => llama.load(folder, { id: 'x', randomInit }) as Promise<LanguageModel>;
  const [trained, blocks, all] = [await open(), await open('blocks'), await open('all')];
  // What the trained model itself says is likely to it, and to no other.
  const start = trained.tokenize(['the']).ids[0]!;
  const [said] = await trained.generate([[start]], { maxNewTokens: 16, temperature: 0 });
  const ids = Int32Array.from([start, ...said!]);
  const batch = { n: 1, length: ids.length, ids, mask: new Uint8Array(ids.length).fill(1) };
  const nll = (model: LanguageModel) =>
    tf.tidy(() => {
      const { logits } = model.forward(batch);
      const logProbs = tf.logSoftmax(tf.squeeze(logits!, [0])).arraySync() as number[][];
      let sum = 0;
      for (let i = 0; i + 1 < batch.length; i++) sum -= logProbs[i]![batch.ids[i + 1]!]!;
      return sum / (batch.length - 1);
    });
  const head = (model: LanguageModel) => model.unembedding().dataSync();
  assert.equal(head(blocks), head(trained));
  assert.not.equal(head(all), head(trained));
  assert.ok(
    nll(blocks) > nll(trained) + 1 && nll(all) > nll(trained) + 1,
    `${nll(trained)} ${nll(blocks)} ${nll(all)}`,
  );
  assert.is(all.parameters, trained.parameters);
  for (const model of [trained, blocks, all]) model.dispose();
});

test.run();
