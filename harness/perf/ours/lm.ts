/**
 * @file Forward passes with activation capture, and batched generation with the cache: tokens/s.
 * Usage: lm.ts forward|collect|generate PLACE LAYER BATCH LENGTH; `collect` computes what collecting activations needs: no
 * block after the captured one and no logits.
 */
import path from 'node:path';
import llama from '../../../models/subjects/llama.ts';
import type { LanguageModel } from '../../contract.ts';
import { createRng } from '../../num/rng.ts';
import { tf } from '../../num/tf.ts';
import { numbers, report, seconds, startBackend } from './measure.ts';

const [what, folder] = process.argv.slice(2) as [string, string];
const [layer, n, length] = numbers(2) as [number, number, number];
const backend = await startBackend();
const model = (await llama.load(path.resolve(folder), { id: 'measured' })) as LanguageModel;
const rng = createRng(0);
const ids = Int32Array.from({ length: n * Math.max(8, length) }, () => 3 + rng.int(model.tokenizer.vocabSize - 3));

function forward(): void {
  const batch = { n, length, ids, mask: new Uint8Array(n * length).fill(1) };
  const output = what !== 'collect';
  const { logits, captured } = model.forward(batch, { capture: [`blocks.${layer}.hook_resid_post`], output });
  tf.dispose([...(logits ? [logits] : []), ...Object.values(captured)]);
}

/** No id ends a row, as in the peer: all generate `length` tokens after a prompt of 8. */
async function generate(): Promise<void> {
  const prompts = Array.from({ length: n }, (_, i) => Array.from(ids.subarray(i * 8, (i + 1) * 8)));
  await model.generate(prompts, { maxNewTokens: length, temperature: 1, eosId: -1 });
}

const elapsed = what === 'generate' ? await seconds(generate, 3, 1) : await seconds(forward, 10);
report((n * length) / elapsed, 'tokens/s', backend);
