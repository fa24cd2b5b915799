/** @file A family of text encoders as a plug-in: a folder in Hugging Face layout becomes a subject that embeds texts. */
import { defineSubject, type SubjectLoading, type TextEncoderSubject, tf } from '../../harness/contract.ts';
import { type Family, folderReader } from './family.ts';
import { loadForInference } from './inference.ts';
import { batchOf, openTokenizer } from './load.ts';
import { readPooling } from './sentence-pooling.ts';
import {
  type TextEncoder,
  textEncoderFiles,
  textEncoderForward,
  textEncoderShapes,
  textEncoderSites,
  textEncoderTables,
} from './text-encoder.ts';
import { linearNames } from './transformer.ts';

/** What a family's file says. */
export type TextEncoderFamily = Family<TextEncoder>;

/** Declares a family of text encoders; the default export of `models/subjects/<id>.ts`. */
export function defineTextEncoder({ read, ...plugin }: TextEncoderFamily) {
  const parts = { sites: textEncoderSites, shapes: textEncoderShapes, files: textEncoderFiles };
  const { describe, outline } = folderReader(read, parts, readPooling);

  async function load(folder: string, { id, randomInit }: SubjectLoading): Promise<TextEncoderSubject> {
    const { json, model, sites, parameters, shapes, files } = await describe(folder);
    const pooling = await readPooling(folder);
    const tokenizer = await openTokenizer(folder, model.vocab);
    const { stack, embed, positions } = model;
    const layers = {
      linears: linearNames(stack),
      tables: [embed, positions],
      kept: textEncoderTables(model),
      stacks: [stack],
    };
    const params = await loadForInference({ folder, shapes, files }, layers, randomInit);
    const own = Math.min(model.maxLength, pooling.maxLength ?? model.maxLength);
    return {
      type: 'text-encoder',
      id,
      family: plugin.id,
      config: json,
      parameters,
      sites,
      tokenizer,
      tokenize(texts, { maxLength = own } = {}) {
        const limit = Math.min(maxLength, own);
        const rows = texts.map((text) => tokenizer.encode(text, { maxLength: limit }).ids);
        return batchOf(rows, tokenizer.padId ?? 0);
      },
      forwardText: (batch, options) => textEncoderForward(params, model, pooling, batch, options),
      dispose: () => tf.dispose(params),
    };
  }

  return defineSubject({ ...plugin, outline, load, randomInit: true });
}
