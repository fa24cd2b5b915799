/** @file A small RGB canvas in floating point: anti-aliased regions, noise, and the pixels that count. */
import type { Rgb } from './attributes.ts';

/** Width and height of every image, in pixels. */
export const SIDE = 64;

/** Pixels while they are drawn. */
export interface Canvas {
  /** RGB, row by row, 0 to 255. */
  readonly rgb: Float32Array;
  /** 1 where an object or a finding covers most of the pixel. */
  readonly mask: Uint8Array;
}

/** A canvas of one colour with a slight linear slope of brightness. */
export function createCanvas(colour: Rgb, slopeX: number, slopeY: number): Canvas {
  const rgb = new Float32Array(SIDE * SIDE * 3);
  for (let y = 0, p = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++, p += 3) {
      const shift = slopeX * (x / SIDE - 0.5) + slopeY * (y / SIDE - 0.5);
      rgb[p] = colour[0] + shift;
      rgb[p + 1] = colour[1] + shift;
      rgb[p + 2] = colour[2] + shift;
    }
  }
  return { rgb, mask: new Uint8Array(SIDE * SIDE) };
}

/** A region to paint: all lengths in pixels. */
export interface Region {
  readonly cx: number;
  readonly cy: number;
  /** Nothing is painted further than this from the centre, along x and along y. */
  readonly reach: readonly [number, number];
  /** Signed distance to the edge at an offset from the centre: negative inside. */
  distance(dx: number, dy: number): number;
  /** Colour at an offset from the centre. */
  colour(dx: number, dy: number): Rgb;
  /** 0 to 1: how much of what is beneath is covered. */
  readonly opacity?: number;
  /** Width of the edge in pixels; 1 is a sharp, anti-aliased edge. */
  readonly softness?: number;
  /** Marks the mask where it covers. */
  readonly marks?: boolean;
}

/** Paints a region over the canvas. */
export function paint(canvas: Canvas, region: Region): void {
  const { cx, cy, reach, opacity = 1, softness = 1, marks = false } = region;
  const x1 = Math.min(SIDE - 1, Math.ceil(cx + reach[0]));
  const y1 = Math.min(SIDE - 1, Math.ceil(cy + reach[1]));
  for (let y = Math.max(0, Math.floor(cy - reach[1])); y <= y1; y++) {
    for (let x = Math.max(0, Math.floor(cx - reach[0])); x <= x1; x++) {
      const dx = x + 0.5 - cx;
      const dy = y + 0.5 - cy;
      const cover = Math.min(1, Math.max(0, 0.5 - region.distance(dx, dy) / softness));
      if (cover === 0) continue;
      const alpha = cover * opacity;
      const colour = region.colour(dx, dy);
      const p = (y * SIDE + x) * 3;
      canvas.rgb[p] = canvas.rgb[p]! * (1 - alpha) + colour[0] * alpha;
      canvas.rgb[p + 1] = canvas.rgb[p + 1]! * (1 - alpha) + colour[1] * alpha;
      canvas.rgb[p + 2] = canvas.rgb[p + 2]! * (1 - alpha) + colour[2] * alpha;
      if (marks && cover >= 0.5) canvas.mask[y * SIDE + x] = 1;
    }
  }
}

/**
 * Bytes of the canvas with noise added. The noise is a sum of four uniform bytes from an integer hash of the seed and
 * the pixel: near enough to normal, and far cheaper than a normal draw for each of 12288 values.
 */
export function toBytes(canvas: Canvas, noise: number, seed: number, grey: boolean): Uint8Array {
  // A clamped array rounds and clamps as it is written.
  const data = new Uint8ClampedArray(SIDE * SIDE * 3);
  // Standard deviation of the sum of four uniform bytes.
  const scale = noise / Math.sqrt((4 * (256 * 256 - 1)) / 12);
  for (let i = 0; i < data.length; i++) {
    // A grey image has the same noise in its three channels.
    const word = hash((seed + (grey ? (i / 3) | 0 : i)) | 0);
    const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24) - 510;
    data[i] = canvas.rgb[i]! + sum * scale;
  }
  return new Uint8Array(data.buffer);
}

/** The 32-bit finaliser of MurmurHash3. */
function hash(value: number): number {
  let h = Math.imul(value, 0x9e3779b1) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
