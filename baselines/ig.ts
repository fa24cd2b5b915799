/** @file Integrated gradients: how much each token's activation adds to a classifier of the text, from a baseline on. */
import { defineBaseline, type LanguageModel, type Rng, tf, UserError } from '../harness/contract.ts';
import { integratedGradients } from './parts/attribution/attribute.ts';
import type { HeadSettings } from './parts/attribution/head.ts';
import { requirePlace } from './parts/attribution/last-states.ts';
import { fitHeads, HEAD_OPTIONS, restoreHeads } from './parts/attribution/method.ts';

interface Options extends HeadSettings {
  steps: number;
}

/** Random tokens whose mean embedding is the baseline. */
const TOKENS = 1000;
const EMBEDDED = 'blocks.0.hook_resid_pre';

/**
 * AxBench's IntegratedGradients: the classifier of `ixg`, its probability p integrated over the way from a baseline to the
 * activations at the site; a token's score is Σ |(h − baseline) · mean ∂p/∂h| over coordinates. The baseline is the mean of
 * 1000 random tokens' embeddings (AxBench's code; its text has the space's), as they enter the first block. Each step is a pass
 * through the rest of the subject and back. No sign, no direction, as of `ixg`.
 */
export default defineBaseline<Options>({
  id: 'ig',
  title: 'Integrated gradients (of a classifier on the subject)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148; Sundararajan et al. 2017, arXiv:1703.01365',
  version: 1,
  options: {
    ...HEAD_OPTIONS,
    steps: { type: 'integer', minimum: 1, default: 50, description: 'Points on the way (AxBench, 9B: 5).' },
  },
  needs: 'gradients',
  modalities: ['text'],
  seeded: true,
  async fit(context) {
    const { lm } = requirePlace('ig', context);
    const data = await meanEmbedding(lm, context.rng.fork('baseline'));
    if (data.length !== context.activations.d_in) {
      throw new UserError(
        `ig: expected a site as wide as the embeddings, ${data.length}, to put their mean there; found ${context.activations.d_in} at ${context.site}`,
      );
    }
    const state = await fitHeads('ig', context);
    return { ...state, tensors: { ...state.tensors, baseline: { shape: [data.length], data } } };
  },
  restore(state, context) {
    const baseline = tf.tensor1d(state.tensors['baseline']!.data);
    return restoreHeads('ig', state, context, integratedGradients(baseline, context.options.steps), [baseline]);
  },
});

async function meanEmbedding(lm: LanguageModel, rng: Rng): Promise<Float32Array> {
  const n = Math.min(lm.tokenizer.vocabSize, TOKENS);
  const ids = Int32Array.from(rng.fillInt(new Uint32Array(n), lm.tokenizer.vocabSize));
  const mean = tf.tidy(() => {
    const batch = { n, length: 1, ids, mask: new Uint8Array(n).fill(1) };
    const { captured } = lm.forward(batch, { capture: [EMBEDDED], output: false });
    return tf.mean(captured[EMBEDDED]!, [0, 1]);
  });
  const values = (await mean.data()) as Float32Array;
  mean.dispose();
  return values.slice();
}
