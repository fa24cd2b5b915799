/** @file A family of image encoders as a plug-in: a folder in Hugging Face layout becomes a subject that embeds images. */
import {
  defineSubject,
  type ImageEncoderSubject,
  type NamedTensors,
  type SubjectLoading,
  tf,
  UserError,
} from '../../harness/contract.ts';
import type { ProcessorKind } from '../../harness/kit/index.ts';
import { type Family, folderReader } from './family.ts';
import { openImageInput } from './image-input.ts';
import { loadForInference } from './inference.ts';
import { interpolateGrid } from './interpolate-positions.ts';
import { fileLayout } from './transformer.ts';
import {
  prefixLength,
  type VisionTower,
  visionForward,
  visionForwardFrom,
  visionLength,
  visionLinears,
  visionShapes,
  visionSites,
  visionTables,
} from './vision-tower.ts';
import type { FileLayout } from './weights.ts';

/** An encoder of images alone: a tower, whose embedding is as wide as it, and how files hold it. */
export interface ImageEncoder {
  vision: VisionTower;
  files?: FileLayout;
}

/** What a family's file says. */
export interface ImageEncoderFamily extends Family<ImageEncoder> {
  /** Whose defaults its preprocessor has where the file names none. */
  processor: ProcessorKind;
}

/** Declares a family of image encoders; the default export of `models/subjects/<id>.ts`. */
export function defineImageEncoder({ read, processor, ...plugin }: ImageEncoderFamily) {
  const { describe, outline } = folderReader(read, {
    sites: ({ vision }) => visionSites(vision, vision.stack.d),
    shapes: ({ vision }) => visionShapes(vision, vision.stack.d),
    files: ({ vision, files }) => fileLayout(files, vision.stack),
  });

  async function load(folder: string, { id, randomInit }: SubjectLoading): Promise<ImageEncoderSubject> {
    const { json, model, sites, parameters, shapes, files } = await describe(folder);
    const input = await openImageInput(folder, processor);
    const vision = atSize(model.vision, input.size ?? model.vision.imageSize, folder);
    const layers = { linears: visionLinears(vision), tables: [], kept: visionTables(vision), stacks: [vision.stack] };
    const loaded = await loadForInference({ folder, shapes, files }, layers, randomInit);
    const params = onGrid(loaded, model.vision, vision);
    const dim = vision.stack.d;
    return {
      type: 'image-encoder',
      id,
      family: plugin.id,
      config: json,
      parameters,
      sites,
      imageSize: vision.imageSize,
      imageTokens: visionLength(vision),
      imagePrefix: prefixLength(vision),
      preprocess: (images) => input.preprocess(images, vision.imageSize),
      forwardImage: (pixels, options) => visionForward(params, vision, dim, pixels, options),
      forwardImageFrom: (site, x, options) => visionForwardFrom(params, vision, dim, site, x, options),
      dispose: () => tf.dispose(params),
    };
  }

  return defineSubject({ ...plugin, outline, load, randomInit: true });
}

/** The tower at the size that the preprocessor gives images. @throws UserError for one that it cannot have. */
function atSize(vision: VisionTower, size: number, folder: string): VisionTower {
  if (size === vision.imageSize) return vision;
  const { patchSize, interpolation } = vision;
  if (interpolation && size % patchSize === 0) return { ...vision, imageSize: size };
  const expected = interpolation ? `a multiple of patch_size (${patchSize})` : `config.json's ${vision.imageSize}`;
  throw new UserError(`subject ${folder}: preprocessor_config.json: expected images of ${expected}, found ${size}.`);
}

/** The parameters with the table of positions on the grid of another size; takes them over. */
function onGrid(params: NamedTensors, trained: VisionTower, used: VisionTower): NamedTensors {
  if (trained.imageSize === used.imageSize) return params;
  const name = `${used.positions}.weight`;
  const { d } = used.stack;
  const table = params[name]!;
  const values = table.dataSync() as Float32Array;
  const first = used.classToken === undefined ? 0 : d;
  const [from, to] = [trained, used].map(({ imageSize, patchSize }) => imageSize / patchSize) as [number, number];
  const grid = interpolateGrid(values.subarray(first), d, from, to, used.interpolation === 'antialias');
  const all = new Float32Array(first + grid.length);
  all.set(values.subarray(0, first));
  all.set(grid, first);
  table.dispose();
  return { ...params, [name]: tf.tensor(all, [1, all.length / d, d]) };
}
