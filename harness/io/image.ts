/** @file Decoding image files to 8-bit RGB by `sharp`, which is loaded only when an image is decoded. */

import { UserError } from '../errors.ts';
import { readBytes } from './json.ts';
import type { RgbImage } from './pil-resize.ts';
import { pngDamage } from './png-check.ts';

export type { RgbImage } from './pil-resize.ts';

/** Whole-slide images are larger and must be tiled first; 100 million pixels are 300 MB decoded. */
export const MAX_IMAGE_PIXELS = 100_000_000;
/** Of the packed file: that many pixels as they are, in 16 bits and four channels, are less. */
const MAX_IMAGE_BYTES = 1024 * 1024 * 1024;

async function loadSharp() {
  try {
    return (await import('sharp')).default;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0];
    throw new UserError(
      `image: decoding needs the package sharp, which cannot be loaded (${reason}): npm install sharp`,
    );
  }
}

/**
 * Decode an image (PNG, JPEG, WebP, TIFF, GIF, …) as Pillow's `Image.open(…).convert('RGB')` does: alpha is dropped,
 * grey and palettes become RGB, colour profiles and EXIF orientation are not applied.
 *
 * @param source A path, or the bytes of a file.
 * @param name For messages when `source` are bytes.
 * @throws UserError for a missing or broken image, absurd dimensions, or when `sharp` is not installed.
 */
export async function decodeImage(source: string | Uint8Array, name?: string): Promise<RgbImage> {
  const sharp = await loadSharp();
  const shown = name ?? (typeof source === 'string' ? source : `${source.length} bytes`);
  const bytes = typeof source === 'string' ? await readBytes(source, 'image', MAX_IMAGE_BYTES) : source;
  const damage = pngDamage(bytes);
  if (damage !== undefined) throw new UserError(`image ${shown}: cannot be decoded: ${damage}: fetch the file again.`);
  try {
    const { data, info } = await sharp(bytes, {
      limitInputPixels: MAX_IMAGE_PIXELS,
      ignoreIcc: true,
      failOn: 'error',
    })
      .removeAlpha()
      .toColourspace('srgb')
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3)
      throw new UserError(`image ${shown}: expected 3 channels after decoding, found ${info.channels}.`);
    return { width: info.width, height: info.height, data: new Uint8Array(data.buffer, data.byteOffset, data.length) };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = (error as Error).message.replaceAll('\n', ' ').slice(0, 200);
    const limit = /pixel limit/.test(reason) ? `; expected at most ${MAX_IMAGE_PIXELS} pixels` : '';
    throw new UserError(`image ${shown}: cannot be decoded: ${reason}${limit}.`);
  }
}
