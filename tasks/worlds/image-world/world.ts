/** @file The image world: seeded 64x64 RGB scenes with captions, whose every attribute is known. */
import type { Rng } from '../../../harness/contract.ts';
import type { Attributes } from './attributes.ts';
import { SIDE, toBytes } from './canvas.ts';
import { caption } from './caption.ts';
import { drawScan } from './scans.ts';
import type { Fixed } from './scene.ts';
import { sampleAttributes } from './scene.ts';
import { drawShapes } from './shapes.ts';

/** An image with all that is known about it. */
export interface WorldImage {
  readonly width: number;
  readonly height: number;
  /** RGB, row by row. */
  readonly data: Uint8Array;
  /** 1 for each pixel of an object or a finding, row by row. */
  readonly mask: Uint8Array;
  readonly attributes: Attributes;
  readonly caption: string;
}

/** Standard deviation of the pixel noise, between these two. */
const NOISE: readonly [number, number] = [2, 7];

/** Draws an image; the attributes in `fixed` are kept, all else is drawn. */
export function generateImage(rng: Rng, fixed: Fixed = {}): WorldImage {
  const attributes = sampleAttributes(rng, fixed);
  return { ...drawnImage(attributes, rng, rng), caption: caption(attributes, rng) };
}

/** Draws what has these attributes; jitter comes from `drawing`, the pixel noise from `grain`. */
export function drawnImage(attributes: Attributes, drawing: Rng, grain: Rng): Omit<WorldImage, 'caption'> {
  const scan = attributes.kind !== 'shapes';
  const canvas = scan ? drawScan(attributes, drawing) : drawShapes(attributes, drawing);
  const noise = NOISE[0] + grain.uniform() * (NOISE[1] - NOISE[0]);
  const data = toBytes(canvas, noise, grain.int(2 ** 31), scan);
  return { width: SIDE, height: SIDE, data, mask: canvas.mask, attributes };
}
