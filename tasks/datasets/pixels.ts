/** @file Pixels as vectors [C, H, W]: sums of rank-1 atoms, scenes of the image world, or images of a folder. */
import { type Dataset, defineDataset, type Item, UserError } from '../../harness/contract.ts';
import {
  createRng,
  decodeImage,
  type ImagePreprocessing,
  LOCAL_PATH,
  preprocessImages,
  sha256Json,
} from '../../harness/kit/index.ts';
import { generateImage } from '../worlds/image-world/world.ts';
import { createPixelWorld, PIXEL_WORLD } from '../worlds/pixels/world.ts';
import { findData } from './parts/files.ts';
import { imageFiles, splitFiles } from './parts/image-files.ts';
import { numberedItems, vectorDataset } from './parts/vector-dataset.ts';

interface Options {
  source: 'atoms' | 'image-world' | 'files';
  path?: string;
  size: number;
}

/** Pillow's number of its bicubic filter. */
const BICUBIC = 3;

/** An image as numbers from 0 to 1 in the order [C, H, W], brought to a square as Pillow does. */
const steps = (size: number): ImagePreprocessing => ({
  resize: { height: size, width: size },
  resample: BICUBIC,
  rescale: 1 / 255,
});

type Image = Parameters<typeof preprocessImages>[0][number];

/** A dataset of images that `read` gives. */
function imageDataset(
  fingerprint: string,
  size: number,
  corpus: Dataset['corpus'],
  read: (item: Item) => Promise<Image>,
): Dataset {
  const input = [3, size, size];
  return {
    id: 'pixels',
    modality: 'vectors',
    fingerprint,
    corpus,
    activations: {
      site: { name: 'pixels', d: 3 * size * size, modality: 'vectors', kind: 'pooled', input },
      async rows(items) {
        const images: Image[] = [];
        for (const item of items) images.push(await read(item));
        return preprocessImages(images, steps(size), 'nchw').data;
      },
    },
  };
}

export default defineDataset<Options>({
  id: 'pixels',
  title:
    'Pixels as vectors: sums of rank-1 atoms (known features), the image world, or a folder of images; needs no subject',
  paper: 'Shastry et al. 2026 (Tensor-SAE), PMLR 326:475–488',
  version: 1,
  modality: 'vectors',
  options: {
    source: {
      enum: ['atoms', 'image-world', 'files'],
      default: 'atoms',
      description:
        'atoms: 128 known ones on 3 × 16 × 16 pixels; image-world: its scenes; files: the images under `path`.',
    },
    path: {
      type: 'string',
      minLength: 1,
      pattern: LOCAL_PATH,
      description:
        "The folder of images, where source is files; subfolders count. Relative to the suite's file, or else to the current folder.",
    },
    size: {
      type: 'integer',
      minimum: 4,
      maximum: 256,
      default: 32,
      description: 'Side that images of image-world and of files are brought to.',
    },
  },
  async open({ source, path, size }, context) {
    const { seed } = context;
    if (source !== 'files' && path !== undefined) {
      throw new UserError(
        `dataset pixels: path: expected none with source '${source}', found ${path}; say source 'files'.`,
      );
    }
    if (source === 'atoms') {
      return vectorDataset(
        'pixels',
        { source, world: PIXEL_WORLD, seed },
        createPixelWorld(PIXEL_WORLD, seed),
        PIXEL_WORLD.input,
      );
    }
    if (source === 'image-world') {
      const rng = createRng(seed).fork('image-world pixels');
      return imageDataset(sha256Json({ source, size, seed }), size, numberedItems, async ({ id }) =>
        generateImage(rng.fork(id)),
      );
    }
    const files = await imageFiles((await findData({ dataset: 'pixels', context }, 'path', path)).path);
    const split = splitFiles(files, seed);
    const pathOf = new Map(files.map(({ name, path }) => [name, path]));
    return imageDataset(
      sha256Json({ source, size, seed, files: files.map(({ name, hash }) => [name, hash]) }),
      size,
      async (part, n) => split[part].slice(0, n).map(({ name }) => ({ id: name })),
      ({ id }) => decodeImage(pathOf.get(id)!),
    );
  },
});
