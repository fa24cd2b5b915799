/** @file Small pictures of images, to be looked at in a page. */
import { squarePng } from './image.ts';
import type { RgbImage } from './pil-resize.ts';

/** WebP at this quality is a fifth of the PNG, and nobody measures anything on it. */
const QUALITY = 60;

/** Pixels of a side. */
const SIZE = 32;

/** The middle of the image as a square of WebP, in base64. @throws UserError as `decodeImage` does. */
export async function thumbnail(image: RgbImage | { path: string }): Promise<string> {
  const square = await squarePng(image, SIZE);
  const { default: sharp } = await import('sharp');
  return (await sharp(square).webp({ quality: QUALITY }).toBuffer()).toString('base64');
}
