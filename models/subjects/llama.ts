/** @file Llama (Touvron et al. 2023) in Hugging Face layout: RMSNorm, rotary positions, grouped queries, SwiGLU. */
import { defineSubject, type LanguageModel, type Tensor2D, tf } from '../../harness/contract.ts';
import { folderFingerprint } from '../../harness/kit/index.ts';
import { generate } from './generate.ts';
import { llamaShapes, parseLlamaConfig } from './llama-config.ts';
import { llamaForward, llamaSites } from './llama-forward.ts';
import { batchOf, checkVocabulary, openTokenizer, readConfig } from './load.ts';
import { linearNames, packBlocks } from './transformer.ts';
import { countParameters, loadParams, transposeLinears } from './weights.ts';

async function load(folder: string, { id }: { id: string }): Promise<LanguageModel> {
  const json = await readConfig(folder);
  const config = parseLlamaConfig(json, `subject ${folder}: config.json`);
  const { tokenizer, idsOf } = await openTokenizer(folder);
  checkVocabulary(folder, tokenizer, config.vocab);
  const shapes = llamaShapes(config);
  const head = config.tied ? 'model.embed_tokens' : 'lm_head';
  const loaded = await loadParams(folder, shapes);
  const params = packBlocks(transposeLinears(loaded, [...linearNames(config.stack), head], [head]), config.stack);
  const padId = tokenizer.padId ?? tokenizer.eosId ?? 0;

  return {
    type: 'lm',
    id,
    family: 'llama',
    fingerprint: await folderFingerprint(folder),
    config: json,
    parameters: countParameters(shapes),
    sites: llamaSites(config),
    tokenizer,
    maxLength: config.maxLength,
    tokenize(texts, { maxLength = config.maxLength, addSpecialTokens = true } = {}) {
      const limit = Math.min(maxLength, config.maxLength);
      const rows = texts.map((text) => idsOf(text, { maxLength: limit, addSpecialTokens }));
      return batchOf(rows, padId);
    },
    forward: (batch, options) => llamaForward(params, config, batch, options),
    forwardFrom: (site, x, batch, options) => llamaForward(params, config, batch, { ...options, from: { site, x } }),
    generate: (prompts, options) =>
      generate(params, config, prompts, { eosId: tokenizer.eosId ?? config.eosId, ...options }),
    unembedding: () => tf.clone(params[`${head}.weightT`] as Tensor2D),
    dispose: () => tf.dispose(params),
  };
}

export default defineSubject({
  id: 'llama',
  title: 'Llama-architecture language models (RMSNorm, RoPE, GQA, SwiGLU)',
  paper: 'Touvron et al. 2023, arXiv:2302.13971',
  version: 1,
  modelTypes: ['llama'],
  sites: async (folder) => llamaSites(parseLlamaConfig(await readConfig(folder), `subject ${folder}: config.json`)),
  load,
});
