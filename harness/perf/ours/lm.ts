/**
 * @file A language model: loaded, forward passes with activation capture, and batched generation with the cache.
 * Usage: lm.ts forward|collect|write|generate|steer|load FOLDER LAYER BATCH LENGTH [bf16] [webgpu]
 *
 * `forward` gives all logits beside the site, `collect` the site alone, `write` collects texts into a folder as a run does;
 * `steer` generates with a vector added at the site.
 * `load` is from the folder to the logits of one batch, in seconds.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import llama from '../../../models/subjects/llama.ts';
import { collectActivations } from '../../activations/collect.ts';
import type { Intervention, LanguageModel } from '../../contract.ts';
import { createRng } from '../../num/rng.ts';
import { tf } from '../../num/tf.ts';
import { numbers, report, seconds, startBackend } from './measure.ts';

const [what, folder] = process.argv.slice(2) as [string, string];
const [layer, n, length] = numbers(2) as [number, number, number];
/** Batches of one collection: enough that what is done once for all of them does not count. */
const COLLECTED_BATCHES = 10;
const site = `blocks.${layer}.hook_resid_post`;
const backend = await startBackend(process.argv.includes('bf16') ? 'bf16' : 'float32');
const rng = createRng(0);
const open = async () => (await llama.load(path.resolve(folder), { id: 'measured' })) as LanguageModel;

const idsFor = (model: LanguageModel) =>
  Int32Array.from({ length: n * Math.max(8, length) }, () => 3 + rng.int(model.tokenizer.vocabSize - 3));

function forward(model: LanguageModel, ids: Int32Array, output: boolean): void {
  const batch = { n, length, ids: ids.subarray(0, n * length), mask: new Uint8Array(n * length).fill(1) };
  const { logits, captured } = model.forward(batch, { capture: [site], output });
  const made = [...(logits ? [logits] : []), ...Object.values(captured)];
  // A device works on after the call: one number of what comes last waits for all.
  tf.tidy(() => tf.slice(tf.reshape(made[0]!, [made[0]!.size]), 0, 1).dataSync());
  tf.dispose(made);
}

/** No id ends a row, as in the peer: all generate `length` tokens after a prompt of 8. */
async function generate(model: LanguageModel, ids: Int32Array, interventions: Intervention[]): Promise<void> {
  const prompts = Array.from({ length: n }, (_, i) => Array.from(ids.subarray(i * 8, (i + 1) * 8)));
  await model.generate(prompts, { maxNewTokens: length, temperature: 1, eosId: -1, interventions });
}

/** Adds a small vector at the site: what is measured is that it is there. */
function steering(model: LanguageModel): Intervention[] {
  const d = model.sites.find(({ name }) => name === site)!.d;
  const vector = tf.tensor1d(rng.fillNormal(new Float32Array(d), 0, 0.01));
  return [{ site, apply: (x) => tf.add(x, vector) }];
}

/** Texts that are cut to `length` tokens: tokenised, run, checked and written to a folder that is removed. */
function collecting(model: LanguageModel, ids: Int32Array): () => Promise<void> {
  const text = model.tokenizer.decode(Array.from(ids.subarray(0, length)));
  const items = Array.from({ length: n * COLLECTED_BATCHES }, (_, i) => ({ id: `${i}`, text: `${i} ${text}` }));
  return async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'saxbench-perf-'));
    const targets = [{ site, folder, key: 'measured' }];
    try {
      await collectActivations({ subject: model, targets, items, maxLength: length, batchRows: n * length });
    } finally {
      await rm(folder, { recursive: true });
    }
  };
}

async function main(): Promise<void> {
  if (what === 'load') {
    const elapsed = await seconds(
      async () => {
        const model = await open();
        forward(model, idsFor(model), true);
      },
      1,
      0,
    );
    return report(elapsed, 's', backend);
  }
  const model = await open();
  const ids = idsFor(model);
  if (what === 'write') {
    const elapsed = await seconds(collecting(model, ids), 1, 1, COLLECTED_BATCHES);
    return report((n * length) / elapsed, 'tokens/s', backend);
  }
  const interventions = what === 'steer' ? steering(model) : [];
  const elapsed =
    what === 'generate' || what === 'steer'
      ? await seconds(() => generate(model, ids, interventions), 3, 1)
      : await seconds(() => forward(model, ids, what === 'forward'), 10);
  report((n * length) / elapsed, 'tokens/s', backend);
}

await main();
