/** @file A family of causal language models as a plug-in: a folder in Hugging Face layout becomes a language model. */
import { defineSubject, type LanguageModel, type Plugin, type Tensor2D, tf } from '../../harness/contract.ts';
import { type CausalLm, causalLmFiles, causalLmForward, causalLmShapes, causalLmSites } from './causal-lm.ts';
import { type ConfigReader, configReader } from './config.ts';
import { generate } from './generate.ts';
import { batchOf, checkVocabulary, openTokenizer, readConfig } from './load.ts';
import { linearNames, packBlocks } from './transformer.ts';
import { checkWeights, countParameters, loadParams, transposeLinears } from './weights.ts';

/** What a family's file says. */
export interface CausalLmFamily extends Plugin {
  /** Values of `model_type` in `config.json`. */
  modelTypes: string[];
  /** The architecture that a config describes. @throws UserError for a field that is impossible or not computed here. */
  read(config: ConfigReader): CausalLm;
}

/** Declares a family of causal language models; the default export of `models/subjects/<id>.ts`. */
export function defineCausalLm({ read, ...plugin }: CausalLmFamily) {
  async function open(folder: string) {
    const json = await readConfig(folder);
    return { json, lm: read(configReader(json, `subject ${folder}: config.json`)) };
  }

  async function load(folder: string, { id }: { id: string }): Promise<LanguageModel> {
    const { json, lm } = await open(folder);
    const { tokenizer, idsOf } = await openTokenizer(folder);
    checkVocabulary(folder, tokenizer, lm.vocab);
    const shapes = causalLmShapes(lm);
    const loaded = await loadParams(folder, shapes, causalLmFiles(lm));
    const params = packBlocks(transposeLinears(loaded, [...linearNames(lm.stack), lm.head], [lm.head]), lm.stack);
    const padId = tokenizer.padId ?? tokenizer.eosId ?? 0;
    return {
      type: 'lm',
      id,
      family: plugin.id,
      config: json,
      parameters: countParameters(shapes),
      sites: causalLmSites(lm),
      tokenizer,
      maxLength: lm.maxLength,
      tokenize(texts, { maxLength = lm.maxLength, addSpecialTokens = true } = {}) {
        const limit = Math.min(maxLength, lm.maxLength);
        const rows = texts.map((text) => idsOf(text, { maxLength: limit, addSpecialTokens }));
        return batchOf(rows, padId);
      },
      forward: (batch, options) => causalLmForward(params, lm, batch, options),
      forwardFrom: (site, x, batch, options) => causalLmForward(params, lm, batch, { ...options, from: { site, x } }),
      generate: (prompts, options) => generate(params, lm, prompts, { eosId: tokenizer.eosId ?? lm.eosId, ...options }),
      unembedding: () => tf.clone(params[`${lm.head}.weightT`] as Tensor2D),
      dispose: () => tf.dispose(params),
    };
  }

  return defineSubject({
    ...plugin,
    async outline(folder) {
      const { lm } = await open(folder);
      const shapes = causalLmShapes(lm);
      await checkWeights(folder, shapes, causalLmFiles(lm));
      return { sites: causalLmSites(lm), parameters: countParameters(shapes) };
    },
    load,
  });
}
