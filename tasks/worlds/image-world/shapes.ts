/** @file Images of shapes: where the objects lie, their outlines, and their textures. */
import type { Rng } from '../../../harness/contract.ts';
import type { Attributes, Rgb } from './attributes.ts';
import { BACKGROUND_RGB, COLOUR_RGB } from './attributes.ts';
import type { Canvas } from './canvas.ts';
import { createCanvas, paint, SIDE } from './canvas.ts';

type Distance = (dx: number, dy: number) => number;

/** Signed distance (negative inside, about one per pixel) to a shape whose outer radius is `r`. */
const outlines: Readonly<Record<NonNullable<Attributes['shape']>, (r: number) => Distance>> = {
  circle: (r) => (dx, dy) => Math.sqrt(dx * dx + dy * dy) - r * 0.95,
  square: (r) => (dx, dy) => Math.max(Math.abs(dx), Math.abs(dy)) - r * 0.82,
  // Three half-planes; the top corner points up.
  triangle: (r) => (dx, dy) => Math.max(Math.abs(dx) * 0.866 - (dy + r) * 0.5, dy - r * 0.6),
  star: (r) => (dx, dy) => starDistance(dx, dy, r * 1.1),
  cross: (r) => (dx, dy) => {
    const long = Math.max(Math.abs(dx), Math.abs(dy)) - r;
    const short = Math.min(Math.abs(dx), Math.abs(dy)) - r * 0.32;
    return Math.max(long, short);
  },
  ring: (r) => (dx, dy) => Math.abs(Math.sqrt(dx * dx + dy * dy) - r * 0.72) - r * 0.25,
};

/** Five-pointed star: the distance to the edge of the sector that the angle falls in. */
function starDistance(dx: number, dy: number, r: number): number {
  const sector = (2 * Math.PI) / 5;
  const angle = Math.atan2(dx, -dy);
  const folded = Math.abs(angle - sector * Math.round(angle / sector));
  const length = Math.sqrt(dx * dx + dy * dy);
  const px = length * Math.cos(folded);
  const py = length * Math.sin(folded);
  // The edge runs from the tip (r, 0) to the inner corner at half a sector.
  const ix = 0.42 * r * Math.cos(sector / 2);
  const iy = 0.42 * r * Math.sin(sector / 2);
  const edge = Math.hypot(ix - r, iy);
  return ((px - r) * iy - py * (ix - r)) / edge;
}

/** True where the texture has its second, darker colour. `phase` moves the pattern. */
const patterns: Readonly<
  Record<NonNullable<Attributes['texture']>, (dx: number, dy: number, phase: number) => boolean>
> = {
  solid: () => false,
  striped: (dx, dy, phase) => mod(dx + dy + phase, 6) < 2.6,
  dotted: (dx, dy, phase) => (mod(dx + phase, 5) - 2.5) ** 2 + (mod(dy + phase, 5) - 2.5) ** 2 < 2.1,
  checked: (dx, dy, phase) => (Math.floor((dx + phase) / 3.5) + Math.floor((dy + phase) / 3.5)) % 2 === 0,
};

const mod = (value: number, period: number): number => value - period * Math.floor(value / period);

/** Draws an image of shapes. */
export function drawShapes(attributes: Attributes, rng: Rng): Canvas {
  const { shape, colour, texture, size, count, position, background } = attributes;
  const jitter = (range: number): number => (rng.uniform() * 2 - 1) * range;
  const tint = (rgb: Rgb, range: number): Rgb => [
    rgb[0] + jitter(range),
    rgb[1] + jitter(range),
    rgb[2] + jitter(range),
  ];
  const canvas = createCanvas(tint(BACKGROUND_RGB[background!], 8), jitter(16), jitter(16));
  const base = tint(COLOUR_RGB[colour!], 12);
  const dark: Rgb = [base[0] * 0.4, base[1] * 0.4, base[2] * 0.4];
  const objects = { one: 1, two: 2, three: 3 }[count!];
  const radius = size === 'small' ? 8.5 + rng.uniform() * 1.5 : 11.3 + rng.uniform() * 1.2;
  for (const [cx, cy] of layout(objects, radius, position!, rng)) {
    const outline = outlines[shape!](radius * (1 + jitter(0.05)));
    const phase = rng.uniform() * 6;
    const turn = jitter(0.2);
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
    const pattern = patterns[texture!];
    paint(canvas, {
      cx,
      cy,
      reach: [radius * 1.3, radius * 1.3],
      distance: (dx, dy) => outline(cos * dx + sin * dy, cos * dy - sin * dx),
      colour: (dx, dy) => (pattern(dx, dy, phase) ? dark : base),
      marks: true,
    });
  }
  return canvas;
}

/** Offsets of the group's centre from the image's, in parts of the free way. */
const ANCHORS: Readonly<Record<NonNullable<Attributes['position']>, readonly [number, number]>> = {
  centre: [0, 0],
  left: [-1, 0],
  right: [1, 0],
  top: [0, -1],
  bottom: [0, 1],
};

/** Centres of the objects: near each other without overlap, moved as a group to the asked side, inside the image. */
function layout(
  objects: number,
  radius: number,
  position: NonNullable<Attributes['position']>,
  rng: Rng,
): [number, number][] {
  const gap = radius * 1.18;
  const upright = position === 'left' || position === 'right';
  const pair: [number, number][] = upright
    ? [
        [0, -gap],
        [0, gap],
      ]
    : [
        [-gap, 0],
        [gap, 0],
      ];
  const group: [number, number][] =
    objects === 1
      ? [[0, 0]]
      : objects === 2
        ? pair
        : [
            [-gap, gap * 0.87],
            [gap, gap * 0.87],
            [0, -gap * 0.87],
          ];
  const extentX = Math.max(...group.map(([x]) => Math.abs(x))) + radius;
  const extentY = Math.max(...group.map(([, y]) => Math.abs(y))) + radius;
  const freeX = SIDE / 2 - extentX;
  const freeY = SIDE / 2 - extentY;
  const [ax, ay] = ANCHORS[position];
  const wobble = (free: number): number => (rng.uniform() * 2 - 1) * Math.min(3, free * 0.2);
  const x0 = SIDE / 2 + ax * freeX * 0.85 + wobble(freeX);
  const y0 = SIDE / 2 + ay * freeY * 0.85 + wobble(freeY);
  return group.map(([x, y]) => [x0 + x, y0 + y]);
}
