/** @file CLIP (Radford et al. 2021) in Hugging Face layout: a vision and a text transformer with a shared space. */
import { join } from 'node:path';
import { type Clip, defineSubject, tf, UserError } from '../../harness/contract.ts';
import { decodeImage, folderFingerprint, loadImagePreprocessing, preprocessImages } from '../../harness/kit/index.ts';
import { type ClipConfig, clipShapes, parseClipConfig } from './clip-config.ts';
import { clipImageForward, clipImageFrom, clipTextForward, textSites, visionSites } from './clip-forward.ts';
import { batchOf, checkVocabulary, openTokenizer, readConfig } from './load.ts';
import { linearNames, packBlocks } from './transformer.ts';
import { countParameters, loadParams, transposeLinears } from './weights.ts';

const sitesOf = (config: ClipConfig) => [...visionSites(config), ...textSites(config)];

async function load(folder: string, { id }: { id: string }): Promise<Clip> {
  const json = await readConfig(folder);
  const config = parseClipConfig(json, `subject ${folder}: config.json`);
  const { tokenizer, idsOf } = await openTokenizer(folder);
  checkVocabulary(folder, tokenizer, config.text.vocab);
  const steps = await loadImagePreprocessing(folder);
  const shapes = clipShapes(config);
  const { vision, text } = config;
  const linears = [...linearNames(vision.stack), ...linearNames(text.stack), 'visual_projection', 'text_projection'];
  const transposed = transposeLinears(await loadParams(folder, shapes), linears, []);
  const params = packBlocks(packBlocks(transposed, vision.stack), text.stack);
  const padId = tokenizer.padId ?? tokenizer.eosId ?? 0;

  return {
    type: 'clip',
    id,
    family: 'clip',
    fingerprint: await folderFingerprint(folder),
    config: json,
    parameters: countParameters(shapes),
    sites: sitesOf(config),
    tokenizer,
    imageSize: vision.imageSize,
    logitScale: Math.exp(params['logit_scale']!.dataSync()[0]!),
    projectionDim: config.projectionDim,
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
    forwardImage: (pixels, options) => clipImageForward(params, config, pixels, options),
    forwardImageFrom: (site, x, options) => clipImageFrom(params, config, site, x, options),
    forwardText: (batch, options) => clipTextForward(params, config, batch, options),
    dispose: () => tf.dispose(params),
  };
}

export default defineSubject({
  id: 'clip',
  title: 'CLIP image and text encoders (ViT vision tower, causal text tower)',
  paper: 'Radford et al. 2021, arXiv:2103.00020',
  version: 1,
  modelTypes: ['clip'],
  sites: async (folder) => sitesOf(parseClipConfig(await readConfig(folder), `subject ${folder}: config.json`)),
  load,
});
