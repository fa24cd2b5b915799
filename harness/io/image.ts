/** @file Decoding image files to 8-bit RGB by `sharp`, which is loaded only when an image is decoded. */

import type { Sharp } from 'sharp';
import { UserError } from '../errors.ts';
import { cmykToRgb, greyToRgb, onWhite, upperBytes } from './image-colours.ts';
import { imageDamage } from './image-damage.ts';
import { readBytes } from './json.ts';
import type { RgbImage } from './pil-resize.ts';

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

/** What sharp says about an image before it decodes it. */
type Metadata = Awaited<ReturnType<Sharp['metadata']>>;

/** Why an image that could be decoded is not, in words, or undefined. */
function unsupported(bytes: Uint8Array, { format, depth, space, hasAlpha }: Metadata): string | undefined {
  if (depth !== 'uchar' && (depth !== 'ushort' || space === 'cmyk')) {
    return `expected 8 or 16 bits a channel, found ${space} of the type ${depth}`;
  }
  // The kind of pixels; the kinds 4 and 6 have a channel of their own for alpha.
  const kind = bytes[25]!;
  if (format === 'png' && depth === 'ushort' && hasAlpha && kind < 4) return 'one transparent colour among 16 bits';
  return undefined;
}

/** The pixels in a colour space, without conversion where they are in it. */
async function pixels(image: Sharp, space: string, depth: 'uchar' | 'ushort' = 'uchar') {
  const { data, info } = await image
    .pipelineColourspace(space)
    .toColourspace(space)
    .raw({ depth })
    .toBuffer({ resolveWithObject: true });
  return { channels: info.channels, width: info.width, height: info.height, data };
}

/** 16 bits a channel, in whatever byte order this machine has. */
function words({ data }: { data: Buffer }): Uint16Array {
  return new Uint16Array(data.buffer.slice(data.byteOffset, data.byteOffset + data.length));
}

async function toRgb(image: Sharp, { space, depth, hasAlpha }: Metadata): Promise<RgbImage> {
  if (space === 'cmyk') {
    const { width, height, data } = await pixels(image, 'cmyk');
    return { width, height, data: cmykToRgb(data) };
  }
  if (space === 'grey16' && !hasAlpha) {
    const read = await pixels(image, 'grey16', 'ushort');
    return { width: read.width, height: read.height, data: greyToRgb(words(read)) };
  }
  const read = depth === 'ushort' ? await pixels(image, 'rgb16', 'ushort') : await pixels(image, 'srgb');
  const { channels, width, height } = read;
  const data = depth === 'ushort' ? upperBytes(words(read)) : new Uint8Array(read.data);
  return { width, height, data: channels === 4 ? onWhite(data) : data };
}

/**
 * Decode an image (PNG, JPEG, WebP, TIFF, GIF, …) as transformers 5.24 does with Pillow 13 (`convert_to_rgb`): alpha and
 * transparent colours are put on white, grey, palettes and CMYK become RGB, of 16 bits a channel the upper 8 count (grey
 * alone is cut at 255), colour profiles and EXIF orientation are not applied.
 *
 * @param source A path, or the bytes of a file.
 * @param name For messages when `source` are bytes.
 * @throws UserError for a missing or broken image, a kind that is not read (BMP, floating-point pixels), absurd
 * dimensions, or when `sharp` is not installed.
 */
export async function decodeImage(source: string | Uint8Array, name?: string): Promise<RgbImage> {
  const sharp = await loadSharp();
  const shown = name ?? (typeof source === 'string' ? source : `${source.length} bytes`);
  const bytes = typeof source === 'string' ? await readBytes(source, 'image', MAX_IMAGE_BYTES) : source;
  const damage = imageDamage(bytes);
  if (damage !== undefined) throw new UserError(`image ${shown}: cannot be decoded: ${damage}: fetch the file again.`);
  if (bytes[0] === 0x42 && bytes[1] === 0x4d) {
    throw new UserError(`image ${shown}: expected PNG, JPEG, WebP, TIFF or GIF, found BMP: convert it to PNG.`);
  }
  const open = () => sharp(bytes, { limitInputPixels: MAX_IMAGE_PIXELS, ignoreIcc: true, failOn: 'error' });
  try {
    const metadata = await open().metadata();
    const reason = unsupported(bytes, metadata);
    if (reason !== undefined) throw new UserError(`image ${shown}: not supported: ${reason}: convert it to 8-bit RGB.`);
    const { width, height, data } = await toRgb(open(), metadata);
    if (data.length !== 3 * width * height) {
      throw new UserError(
        `image ${shown}: expected 3 channels after decoding, found ${data.length / (width * height)}.`,
      );
    }
    return { width, height, data };
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = (error as Error).message.replaceAll('\n', ' ').slice(0, 200);
    const limit = /pixel limit/.test(reason) ? `; expected at most ${MAX_IMAGE_PIXELS} pixels` : '';
    throw new UserError(`image ${shown}: cannot be decoded: ${reason}${limit}.`);
  }
}

/**
 * A PNG of `size` × `size` pixels: the middle of the image, scaled to fill it, so that all images have the same size.
 *
 * @throws UserError as {@link decodeImage} does.
 */
export async function squarePng(image: RgbImage | { path: string }, size: number): Promise<Buffer> {
  const sharp = await loadSharp();
  const { width, height, data } = 'path' in image ? await decodeImage(image.path) : image;
  return sharp(data, { raw: { width, height, channels: 3 } })
    .resize(size, size, { fit: 'cover', kernel: width < size ? 'nearest' : 'lanczos3' })
    .png({ compressionLevel: 9 })
    .toBuffer();
}
