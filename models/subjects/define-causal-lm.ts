/** @file A family of causal language models as a plug-in: a folder in Hugging Face layout becomes a language model. */
import { defineSubject, type LanguageModel, type SubjectLoading, tf } from '../../harness/contract.ts';
import { addableLayers } from './additions.ts';
import {
  type CausalLm,
  causalLmFiles,
  causalLmForward,
  causalLmShapes,
  causalLmSites,
  causalLmTables,
} from './causal-lm.ts';
import { type Family, folderReader } from './family.ts';
import { generate } from './generate.ts';
import { loadForInference } from './inference.ts';
import { transposedWeight } from './layers.ts';
import { batchOf, openTokenizer } from './load.ts';
import { linearNames } from './transformer.ts';

/** What a family's file says. */
export type CausalLmFamily = Family<CausalLm>;

/** Declares a family of causal language models; the default export of `models/subjects/<id>.ts`. */
export function defineCausalLm({ read, ...plugin }: CausalLmFamily) {
  const parts = { sites: causalLmSites, shapes: causalLmShapes, files: causalLmFiles };
  const { describe, outline } = folderReader(read, parts);

  async function load(folder: string, { id, randomInit }: SubjectLoading): Promise<LanguageModel> {
    const { json, model: lm, sites, parameters, shapes, files } = await describe(folder);
    const tokenizer = await openTokenizer(folder, lm.vocab);
    const kept = causalLmTables(lm);
    const layers = {
      linears: [...linearNames(lm.stack), lm.head],
      // Of a head of its own no row is looked up.
      tables: kept.filter((name) => name === lm.embed || name !== lm.head),
      kept,
      stacks: [lm.stack],
    };
    const params = await loadForInference({ folder, shapes, files }, layers, randomInit);
    const padId = tokenizer.padId ?? tokenizer.eosId ?? 0;
    const ends = endsOf(tokenizer.eosId, [lm.eosId ?? []].flat());
    return {
      type: 'lm',
      id,
      family: plugin.id,
      config: json,
      parameters,
      sites,
      tokenizer,
      maxLength: lm.maxLength,
      linearLayers: addableLayers(lm.stack),
      tokenize(texts, { maxLength = lm.maxLength, addSpecialTokens = true } = {}) {
        const limit = Math.min(maxLength, lm.maxLength);
        const rows = texts.map((text) => tokenizer.encode(text, { maxLength: limit, addSpecialTokens }).ids);
        return batchOf(rows, padId);
      },
      forward: (batch, options) => causalLmForward(params, lm, batch, options),
      forwardFrom: (site, x, batch, options) => causalLmForward(params, lm, batch, { ...options, from: { site, x } }),
      generate: (prompts, options) => generate(params, lm, prompts, options, ends),
      unembedding: () => transposedWeight(params, lm.head),
      dispose: () => tf.dispose(params),
    };
  }

  return defineSubject({ ...plugin, outline, load, randomInit: true });
}

/** At what ids rows stop: the tokenizer's EOS, else the config's one; and all of the config's where it lists several. */
const endsOf = (eosId: number | undefined, listed: readonly number[]): number[] => [
  ...(eosId === undefined ? [] : [eosId]),
  ...(eosId === undefined || listed.length > 1 ? listed : []),
];
