/** @file SmolLM2-135M-Instruct from its GGUF file against transformers; where the model is at hand. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { LanguageModel } from '../../harness/contract.ts';
import { packageRoot } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import { tf } from '../../harness/num/tf.ts';
import { smollm2Place } from '../../harness/testing/smollm2.ts';
import llama from './llama.ts';
import { batchOf } from './load.ts';
import { sharedData } from './testing/golden.ts';

const test = suite('models/subjects/smollm2');

interface Golden {
  columns: number;
  length: number;
  texts: number;
  prompts: { text: string; ids: number[]; logits: number[]; first: number[]; greedy: number[] }[];
  losses: Record<string, { nats: number; tokens: number }>;
}
const golden = JSON.parse(
  readFileSync(join(packageRoot, 'models/subjects/testdata/smollm2.golden.json'), 'utf8'),
) as Golden;

const place = await smollm2Place();
let model: LanguageModel;
test.before(async () => {
  await initBackend('auto');
  model = (await llama.load(place!, { id: 'smollm2' })) as LanguageModel;
});
test.after(() => model.dispose());

test('ids, logits and greedy continuations are transformers’', async () => {
  for (const { text, ids, logits, first, greedy } of golden.prompts) {
    assert.equal(model.tokenizer.encode(text).ids, ids);
    const result = model.forward(batchOf([ids], 0), { places: Int32Array.of(0, ids.length - 1) });
    const values = result.logits!.dataSync();
    const vocab = model.tokenizer.vocabSize;
    let worst = 0;
    for (const [row, expected] of [first, logits].entries()) {
      expected.forEach((value, i) => {
        worst = Math.max(worst, Math.abs(value - values[row * vocab + i * golden.columns]!));
      });
    }
    assert.ok(worst < 1e-3, `largest difference ${worst}`);
    tf.dispose(result.logits!);
    assert.equal(await model.generate([ids], { maxNewTokens: greedy.length, eosId: -1 }), [greedy]);
  }
});

/** The texts of a set, of its file's content. */
const texts: Record<string, { file: string; of: (content: string) => string[] }> = {
  tinystories: { file: 'tinystories-1000/tinystories_1000.json', of: (content) => JSON.parse(content) },
  wikitext2: { file: 'wikitext2/test.txt', of: (content) => content.split('\n').filter((line) => line.length > 200) },
  pubmedqa: {
    file: 'pubmedqa/ori_pqal.json',
    of: (content) =>
      Object.values(JSON.parse(content) as Record<string, { CONTEXTS: string[] }>).map((entry) =>
        entry.CONTEXTS.join(' '),
      ),
  },
};

test('nats per token of stories, Wikipedia and abstracts are transformers’', () => {
  for (const [name, { nats, tokens }] of Object.entries(golden.losses)) {
    const path = sharedData(texts[name]!.file);
    if (path === undefined) return;
    let [total, count] = [0, 0];
    for (const text of texts[name]!.of(readFileSync(path, 'utf8')).slice(0, golden.texts)) {
      const batch = model.tokenize([text], { maxLength: golden.length });
      const predicted = batch.length - 1;
      const loss = tf.tidy(() => {
        const logits = model.forward(batch).logits!;
        const rows = tf.slice(tf.reshape(logits, [batch.length, -1]), [0, 0], [predicted, -1]);
        const wanted = tf.stack([tf.range(0, predicted, 1, 'int32'), tf.tensor1d(batch.ids.subarray(1), 'int32')], 1);
        return tf.sum(tf.sub(tf.logSumExp(rows, 1), tf.gatherND(rows, wanted))).dataSync()[0]!;
      });
      total += loss;
      count += predicted;
    }
    assert.is(count, tokens);
    assert.ok(Math.abs(total / count - nats) < 1e-3, `${name}: ${total / count}, transformers ${nats}`);
  }
});

if (place === undefined)
  console.log('  skipped: SmolLM2 is not at hand; saxbench fetch smollm2-135m, or SAXBENCH_SMOLLM2');
else test.run();
