/** @file A family of encoders of images and texts as a plug-in: a folder in Hugging Face layout becomes a subject. */
import { join } from 'node:path';
import { type Clip, defineSubject, type SubjectLoading, tf, UserError } from '../../harness/contract.ts';
import { decodeImage, loadImagePreprocessing, preprocessImages } from '../../harness/kit/index.ts';
import {
  type DualEncoder,
  dualEncoderFiles,
  dualEncoderLinears,
  dualEncoderShapes,
  dualEncoderTables,
  imageForward,
  imageForwardFrom,
  textForward,
  textSites,
  visionSites,
} from './dual-encoder.ts';
import { type Family, folderReader } from './family.ts';
import { loadForInference } from './inference.ts';
import { batchOf, checkVocabulary, openTokenizer } from './load.ts';
import { fusedLinears, packBlocks } from './transformer.ts';

/** What a family's file says. */
export type DualEncoderFamily = Family<DualEncoder>;

const sitesOf = (model: DualEncoder) => [...visionSites(model), ...textSites(model)];

/** Declares a family of dual encoders; the default export of `models/subjects/<id>.ts`. */
export function defineDualEncoder({ read, ...plugin }: DualEncoderFamily) {
  const { describe, outline } = folderReader(read, {
    sites: sitesOf,
    shapes: dualEncoderShapes,
    files: dualEncoderFiles,
  });

  async function load(folder: string, { id, randomInit }: SubjectLoading): Promise<Clip> {
    const { json, model, sites, parameters, shapes, files } = await describe(folder);
    const { vision, text } = model;
    const { tokenizer, idsOf } = await openTokenizer(folder);
    checkVocabulary(folder, tokenizer, text.vocab);
    const steps = await loadImagePreprocessing(folder);
    const layers = {
      linears: dualEncoderLinears(model),
      tables: [text.embed, text.positions],
      fused: [...fusedLinears(vision.stack), ...fusedLinears(text.stack)],
    };
    const loaded = await loadForInference({ folder, shapes, files }, layers, randomInit, dualEncoderTables(model));
    const params = packBlocks(packBlocks(loaded, vision.stack), text.stack);
    const padId = tokenizer.padId ?? tokenizer.eosId ?? 0;
    return {
      type: 'clip',
      id,
      family: plugin.id,
      config: json,
      parameters,
      sites,
      tokenizer,
      imageSize: vision.imageSize,
      logitScale: Math.exp(params[model.logitScale]!.dataSync()[0]!),
      projectionDim: model.projectionDim,
      tokenize: (texts) =>
        batchOf(
          texts.map((line) => idsOf(line, { maxLength: text.maxLength })),
          padId,
        ),
      async preprocess(images) {
        const decoded = await Promise.all(images.map((image) => ('path' in image ? decodeImage(image.path) : image)));
        const { data, shape } = preprocessImages(decoded, steps, 'nhwc');
        const [, height, width] = shape as [number, number, number, number];
        if (images.length > 0 && (height !== vision.imageSize || width !== vision.imageSize)) {
          throw new UserError(
            `subject ${join(folder, 'preprocessor_config.json')}: expected images of ${vision.imageSize} x ` +
              `${vision.imageSize}, as config.json says, found ${width} x ${height}.`,
          );
        }
        return tf.tensor4d(data, [images.length, vision.imageSize, vision.imageSize, 3]);
      },
      forwardImage: (pixels, options) => imageForward(params, model, pixels, options),
      forwardImageFrom: (site, x, options) => imageForwardFrom(params, model, site, x, options),
      forwardText: (batch, options) => textForward(params, model, batch, options),
      dispose: () => tf.dispose(params),
    };
  }

  return defineSubject({ ...plugin, outline, load, randomInit: true });
}
