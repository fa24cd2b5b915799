/** @file From RGB images to a model's input, as HF's image processors compute it with Pillow. */

import { join } from 'node:path';
import { shown, UserError } from '../errors.ts';
import { type ProcessorKind, processorOf } from './image-processors.ts';
import { readJson } from './json.ts';
import type { Resample, RgbImage } from './pil-resize.ts';
import { pilResize } from './pil-resize.ts';

/** The steps of a `preprocessor_config.json`, in order; a step that is absent is not applied. */
export interface ImagePreprocessing {
  resize?: { shortestEdge: number } | { height: number; width: number };
  resample: Resample;
  /** `halves`: where a border of half a pixel goes, down (HF) or to the even number (torchvision). */
  crop?: { height: number; width: number; halves?: 'even' };
  /** Factor on the 8-bit values; 1 where rescaling is off. */
  rescale: number;
  /** Means and standard deviations for R, G, B, after rescaling. */
  normalise?: { mean: number[]; std: number[] };
}

/** Published models go up to 1,024; more is a broken file, and would allocate accordingly. */
const MAX_SIDE = 8192;

function fail(path: string, field: string, expected: string, found: unknown): never {
  throw new UserError(`preprocessor ${path}: ${field}: expected ${expected}, found ${shown(found)}.`);
}

function side(path: string, field: string, value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > MAX_SIDE) {
    fail(path, field, `an integer from 1 to ${MAX_SIDE}`, value);
  }
  return value;
}

function flag(path: string, config: Record<string, unknown>, field: string, fallback = true): boolean {
  // `null` is off in transformers, which writes it.
  const value = config[field] === undefined ? fallback : (config[field] ?? false);
  return typeof value === 'boolean' ? value : fail(path, field, 'true or false', value);
}

function size(
  path: string,
  field: string,
  value: unknown,
  square: boolean,
): { shortestEdge: number } | { height: number; width: number } {
  if (typeof value === 'number') {
    const edge = side(path, field, value);
    return square ? { height: edge, width: edge } : { shortestEdge: edge };
  }
  if (typeof value === 'object' && value !== null) {
    const { shortest_edge: edge, longest_edge: longest, height, width } = value as Record<string, unknown>;
    if ((longest ?? null) !== null) fail(path, `${field}.longest_edge`, 'none, which alone is computed here', longest);
    if (edge !== undefined) return { shortestEdge: side(path, `${field}.shortest_edge`, edge) };
    return { height: side(path, `${field}.height`, height), width: side(path, `${field}.width`, width) };
  }
  return fail(path, field, 'a number or an object', value);
}

function triple(path: string, field: string, value: unknown, positive: boolean): number[] {
  const good = (n: unknown) => typeof n === 'number' && Number.isFinite(n) && (!positive || n > 0);
  if (!Array.isArray(value) || value.length !== 3 || !value.every(good)) {
    fail(path, field, `three ${positive ? 'positive ' : ''}numbers`, value);
  }
  return value as number[];
}

/**
 * The steps that a `preprocessor_config.json` asks for; fields that are absent have the defaults of the processor that it
 * names, or of `kind` where it names none.
 *
 * @param path For messages.
 * @throws UserError naming the field, what was expected and what was found.
 */
export function parseImagePreprocessing(
  path: string,
  config: unknown,
  kind: ProcessorKind = 'CLIP',
): ImagePreprocessing {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) {
    throw new UserError(`preprocessor ${path}: expected an object.`);
  }
  const fields = config as Record<string, unknown>;
  const defaults = processorOf(path, fields, kind);
  const resample = fields['resample'] ?? defaults.resample;
  if (![0, 1, 2, 3, 4, 5].includes(resample as number)) fail(path, 'resample', 'a number from 0 to 5', resample);
  if (flag(path, fields, 'do_pad', false) && (fields['pad_size'] ?? null) !== null) {
    fail(path, 'do_pad', 'false, which alone is computed here', true);
  }
  const square = flag(path, fields, 'default_to_square', defaults.squareSize);
  const steps: ImagePreprocessing = { resample: resample as Resample, rescale: 1 };
  if (flag(path, fields, 'do_resize')) steps.resize = size(path, 'size', fields['size'] ?? defaults.size, square);
  if (flag(path, fields, 'do_center_crop', defaults.crop)) {
    const crop = size(path, 'crop_size', fields['crop_size'] ?? 224, true);
    steps.crop = 'height' in crop ? crop : { height: crop.shortestEdge, width: crop.shortestEdge };
  }
  if (flag(path, fields, 'do_rescale')) {
    const factor = fields['rescale_factor'] ?? 1 / 255;
    if (typeof factor !== 'number' || !(factor > 0) || !Number.isFinite(factor))
      fail(path, 'rescale_factor', 'a positive number', factor);
    steps.rescale = factor;
  }
  if (flag(path, fields, 'do_normalize')) {
    steps.normalise = {
      mean: triple(path, 'image_mean', fields['image_mean'] ?? [...defaults.mean], false),
      std: triple(path, 'image_std', fields['image_std'] ?? [...defaults.std], true),
    };
  }
  return steps;
}

/**
 * Read a folder's `preprocessor_config.json`.
 *
 * @throws UserError when it is missing or malformed.
 */
export async function loadImagePreprocessing(
  folder: string,
  kind: ProcessorKind = 'CLIP',
): Promise<ImagePreprocessing> {
  const path = join(folder, 'preprocessor_config.json');
  return parseImagePreprocessing(path, await readJson(path, 'preprocessor'), kind);
}

/** The size that every image has after the steps; undefined where it depends on the image. */
export function fittedSize({ resize, crop }: ImagePreprocessing): { height: number; width: number } | undefined {
  if (crop) return crop;
  return resize && 'height' in resize ? resize : undefined;
}

/** Height and width after the resize step. The longer edge is cut to an integer, as in HF's code. */
function resizedSize(
  image: RgbImage,
  resize: NonNullable<ImagePreprocessing['resize']>,
): { height: number; width: number } {
  if ('height' in resize) return resize;
  const { shortestEdge } = resize;
  const long = (a: number, b: number) => Math.trunc((shortestEdge * a) / b);
  return image.width <= image.height
    ? { width: shortestEdge, height: long(image.height, image.width) }
    : { width: long(image.width, image.height), height: shortestEdge };
}

/** Half of a number of pixels, a half one cut off or rounded to the even number. */
function halved(pixels: number, halves: 'even' | undefined): number {
  const down = Math.floor(pixels / 2);
  return halves === 'even' && pixels % 2 === 1 && down % 2 === 1 ? down + 1 : down;
}

/** Centre crop; where the image is smaller, black borders, the larger of two unequal ones above and left. */
function centreCrop(image: RgbImage, crop: NonNullable<ImagePreprocessing['crop']>): RgbImage {
  if (image.width === crop.width && image.height === crop.height) return image;
  const offset = (have: number, want: number) =>
    have >= want ? halved(have - want, crop.halves) : -Math.ceil((want - have) / 2);
  const top = offset(image.height, crop.height);
  const left = offset(image.width, crop.width);
  const data = new Uint8Array(crop.width * crop.height * 3);
  const x0 = Math.max(0, left);
  const x1 = Math.min(image.width, left + crop.width);
  for (let y = Math.max(0, top); y < Math.min(image.height, top + crop.height); y++) {
    const row = image.data.subarray((y * image.width + x0) * 3, (y * image.width + x1) * 3);
    data.set(row, ((y - top) * crop.width + (x0 - left)) * 3);
  }
  return { height: crop.height, width: crop.width, data };
}

/** Resize and crop; the 8-bit image that the model sees. */
export function fitImage(image: RgbImage, steps: ImagePreprocessing): RgbImage {
  if (image.data.length !== image.width * image.height * 3 || image.data.length === 0) {
    throw new UserError(
      `image: ${image.width} x ${image.height} RGB needs ${image.width * image.height * 3} bytes, found ${image.data.length}.`,
    );
  }
  let fitted = image;
  if (steps.resize !== undefined) {
    const { height, width } = resizedSize(image, steps.resize);
    if (height > MAX_SIDE || width > MAX_SIDE) {
      throw new UserError(
        `image: ${image.width} x ${image.height} would become ${width} x ${height}, expected sides up to ${MAX_SIDE}.`,
      );
    }
    fitted = pilResize(image, width, height, steps.resample);
  }
  return steps.crop === undefined ? fitted : centreCrop(fitted, steps.crop);
}

/**
 * A batch of images as a model's input: resize, centre crop, rescale, normalise, in float32 as HF computes it.
 *
 * @param layout `nhwc` (TensorFlow.js) gives [n, height, width, 3], `nchw` (PyTorch) [n, 3, height, width].
 * @throws UserError when the images differ in size after the steps, or one has the wrong number of bytes.
 */
export function preprocessImages(
  images: readonly RgbImage[],
  steps: ImagePreprocessing,
  layout: 'nhwc' | 'nchw' = 'nhwc',
): { data: Float32Array; shape: [number, number, number, number] } {
  const fitted = images.map((image) => fitImage(image, steps));
  const { height = 0, width = 0 } = fitted[0] ?? {};
  const odd = fitted.find((image) => image.height !== height || image.width !== width);
  if (odd !== undefined) {
    throw new UserError(
      `image: a batch of one size was expected, found ${width} x ${height} and ${odd.width} x ${odd.height}: turn do_center_crop on.`,
    );
  }
  // 256 values a channel are all there are.
  const { mean, std } = steps.normalise ?? { mean: [0, 0, 0], std: [1, 1, 1] };
  const table = mean.map((m, channel) =>
    Float32Array.from({ length: 256 }, (_, value) => {
      const rescaled = Math.fround(value * steps.rescale);
      return Math.fround(rescaled - Math.fround(m)) / Math.fround(std[channel]!);
    }),
  );
  const pixels = height * width;
  const data = new Float32Array(images.length * pixels * 3);
  const [step, plane] = layout === 'nhwc' ? [3, 1] : [1, pixels];
  fitted.forEach((image, n) => {
    for (let channel = 0; channel < 3; channel++) write(image.data, channel, n * pixels * 3 + channel * plane);
  });
  /** One channel of an image, from place `at` of the data on. */
  function write(bytes: Uint8Array, channel: number, at: number): void {
    const values = table[channel]!;
    for (let i = channel; i < bytes.length; i += 3, at += step) data[at] = values[bytes[i]!]!;
  }
  return { data, shape: layout === 'nhwc' ? [images.length, height, width, 3] : [images.length, 3, height, width] };
}
