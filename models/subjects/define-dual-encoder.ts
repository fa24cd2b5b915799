/** @file A family of encoders of images and texts as a plug-in: a folder in Hugging Face layout becomes a subject. */
import { type Clip, defineSubject, type SubjectLoading, tf, UserError } from '../../harness/contract.ts';
import type { ImagePreprocessing, ProcessorKind } from '../../harness/kit/index.ts';
import {
  type DualEncoder,
  dualEncoderFiles,
  dualEncoderLinears,
  dualEncoderShapes,
  dualEncoderSites,
  dualEncoderTables,
  imageForward,
  textForward,
} from './dual-encoder.ts';
import { type Family, folderReader } from './family.ts';
import { openImageInput } from './image-input.ts';
import { loadForInference } from './inference.ts';
import { batchOf, openTokenizer } from './load.ts';
import { prefixLength, type VisionTower, visionForwardFrom, visionLength } from './vision-tower.ts';

/** What a family's file says. */
export interface DualEncoderFamily extends Family<DualEncoder> {
  /** Whose defaults its preprocessor has where the file names none. Default CLIP's. */
  processor?: ProcessorKind;
  /** The steps of its preprocessing, where its config has them and no `preprocessor_config.json` does. */
  preprocessing?(config: Record<string, unknown>, folder: string): ImagePreprocessing;
}

/** Declares a family of dual encoders; the default export of `models/subjects/<id>.ts`. */
export function defineDualEncoder({
  read,
  processor = 'CLIP',
  preprocessing: readSteps,
  ...plugin
}: DualEncoderFamily) {
  const { describe, outline } = folderReader(read, {
    sites: dualEncoderSites,
    shapes: dualEncoderShapes,
    files: dualEncoderFiles,
  });

  async function load(folder: string, { id, randomInit }: SubjectLoading): Promise<Clip> {
    const { json, model, sites, parameters, shapes, files } = await describe(folder);
    const { vision, text, logitBias } = model;
    const tokenizer = await openTokenizer(folder, text.vocab);
    if (text.eosId === 'last' && tokenizer.padId === undefined) {
      throw new UserError(`subject ${folder}: tokenizer: expected a pad_token, since padding is read, found none.`);
    }
    const input = await openImageInput(folder, processor, readSteps?.(json, folder));
    refuseSize(folder, vision, input.size);
    const layers = {
      linears: dualEncoderLinears(model),
      tables: [text.embed, text.positions],
      kept: dualEncoderTables(model),
      stacks: [vision.stack, text.stack],
    };
    const params = await loadForInference({ folder, shapes, files }, layers, randomInit);
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
      imageTokens: visionLength(vision),
      imagePrefix: prefixLength(vision),
      logitScale: Math.exp(params[model.logitScale]!.dataSync()[0]!),
      ...(logitBias === undefined ? {} : { logitBias: params[logitBias]!.dataSync()[0]! }),
      projectionDim: model.projectionDim,
      tokenize(texts) {
        const rows = texts.map((line) => tokenizer.encode(line, { maxLength: text.maxLength }).ids);
        return text.eosId === 'last' ? batchOf(paddedTo(rows, text.maxLength, padId), padId) : batchOf(rows, padId);
      },
      preprocess: (images) => input.preprocess(images, vision.imageSize),
      forwardImage: (pixels, options) => imageForward(params, model, pixels, options),
      forwardImageFrom: (site, x, options) => visionForwardFrom(params, vision, model.projectionDim, site, x, options),
      forwardText: (batch, options) => textForward(params, model, batch, options),
      dispose: () => tf.dispose(params),
    };
  }

  return defineSubject({ ...plugin, outline, load, randomInit: true });
}

/** Rows that are padded to one length with ids that the model reads. */
const paddedTo = (rows: readonly number[][], length: number, padId: number): number[][] =>
  rows.map((row) => [...row, ...new Array<number>(length - row.length).fill(padId)]);

function refuseSize(folder: string, { imageSize }: VisionTower, size: number | undefined): void {
  if (size === undefined || size === imageSize) return;
  throw new UserError(
    `subject ${folder}: preprocessor_config.json: expected images of ${imageSize} x ${imageSize}, as the config says, found ${size} x ${size}.`,
  );
}
