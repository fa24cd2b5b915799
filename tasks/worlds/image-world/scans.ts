/** @file Images that look like scans: a chest radiograph and a slice of a brain, with and without a finding. */
import type { Rng } from '../../../harness/contract.ts';
import type { Attributes, Rgb } from './attributes.ts';
import type { Canvas, Region } from './canvas.ts';
import { createCanvas, paint, SIDE } from './canvas.ts';

const grey = (level: number): Rgb => [level, level, level];

const norm = (x: number, y: number): number => Math.sqrt(x * x + y * y);

/** An ellipse of one grey level; the distance is exact enough for soft edges. */
function ellipse(cx: number, cy: number, rx: number, ry: number, level: number, more: Partial<Region> = {}): Region {
  const colour = grey(level);
  const mean = Math.min(rx, ry);
  return {
    cx,
    cy,
    reach: [rx + (more.softness ?? 1), ry + (more.softness ?? 1)],
    distance: (dx, dy) => (norm(dx / rx, dy / ry) - 1) * mean,
    colour: () => colour,
    ...more,
  };
}

/** Draws a scan with the finding asked for. */
export function drawScan(attributes: Attributes, rng: Rng): Canvas {
  return attributes.kind === 'chest x-ray' ? drawChest(attributes, rng) : drawBrain(attributes, rng);
}

function drawChest({ finding, side }: Attributes, rng: Rng): Canvas {
  const jitter = (range: number): number => (rng.uniform() * 2 - 1) * range;
  const canvas = createCanvas(grey(22 + jitter(8)), jitter(10), jitter(10));
  const mid = SIDE / 2 + jitter(2);
  const top = 34 + jitter(2);
  const tissue = 150 + jitter(15);
  paint(canvas, ellipse(mid, top + 4, 28 + jitter(2), 34 + jitter(2), tissue, { softness: 4 }));
  const lungX = 12.5 + jitter(1);
  const lungRx = 8.5 + jitter(0.8);
  const lungRy = 19 + jitter(1.5);
  for (const sign of [-1, 1]) {
    paint(canvas, ellipse(mid + sign * lungX, top, lungRx, lungRy, 52 + jitter(8), { softness: 3 }));
  }
  const ribGap = 6.2 + jitter(0.6);
  for (const sign of [-1, 1]) {
    for (let rib = -2; rib <= 2; rib++) {
      // A rib is an arc: a thin band of a wide ellipse.
      paint(canvas, {
        cx: mid + sign * lungX,
        cy: top + rib * ribGap,
        reach: [11, 6],
        distance: (dx, dy) => Math.max(Math.abs(dy + 2 - dx * dx * 0.035) - 0.8, Math.abs(dx) - 10),
        colour: () => grey(150),
        opacity: 0.32,
      });
    }
  }
  // Heart and spine: to the right of the image's middle, as the patient's left.
  paint(
    canvas,
    ellipse(mid + 5, top + 10 + jitter(1), 9 + jitter(1), 9 + jitter(1), 175, { softness: 4, opacity: 0.8 }),
  );
  paint(canvas, ellipse(mid, top, 3.2, 30, 190, { softness: 3, opacity: 0.6 }));
  const sign = side === 'left' ? -1 : 1;
  if (finding === 'nodule') {
    const r = 3 + rng.uniform() * 1.4;
    const y = top - 9 + jitter(5);
    paint(
      canvas,
      ellipse(mid + sign * (lungX + 1 + jitter(2)), y, r, r, 232, { softness: 1.6, opacity: 0.95, marks: true }),
    );
  }
  if (finding === 'effusion') {
    // Fluid fills the base of the lung up to a level that rises toward the chest wall.
    const level = lungRy - 8 - rng.uniform() * 5;
    paint(canvas, {
      cx: mid + sign * lungX,
      cy: top,
      reach: [lungRx + 3, lungRy + 3],
      distance: (dx, dy) =>
        Math.max((norm(dx / (lungRx + 1), dy / (lungRy + 1)) - 1) * lungRx, level - dy - dx * sign * 0.35),
      colour: () => grey(222),
      softness: 2,
      opacity: 0.95,
      marks: true,
    });
  }
  return canvas;
}

function drawBrain({ finding, side }: Attributes, rng: Rng): Canvas {
  const jitter = (range: number): number => (rng.uniform() * 2 - 1) * range;
  const canvas = createCanvas(grey(8 + jitter(4)), 0, 0);
  const cx = SIDE / 2 + jitter(2);
  const cy = SIDE / 2 + jitter(2);
  const rx = 22 + jitter(1.5);
  const ry = 27 + jitter(1.5);
  paint(canvas, ellipse(cx, cy, rx, ry, 205 + jitter(12), { softness: 1.5 }));
  paint(canvas, ellipse(cx, cy, rx - 3, ry - 3, 96 + jitter(10), { softness: 1.5 }));
  // Folds of the cortex: a wavy band inside the skull.
  const folds = 11 + rng.int(4);
  const turn = rng.uniform() * 6;
  paint(canvas, {
    cx,
    cy,
    reach: [rx - 3, ry - 3],
    distance: (dx, dy) => {
      const depth = norm(dx / rx, dy / ry) * rx - (rx - 6.5);
      if (depth < -4 || depth > 4) return 2;
      const wave = 1.8 * Math.sin(folds * Math.atan2(dy, dx) + turn);
      return Math.abs(depth + wave) - 1;
    },
    colour: () => grey(132),
    opacity: 0.7,
  });
  paint(canvas, ellipse(cx, cy, 0.8, ry - 5, 60, { softness: 1.4, opacity: 0.8 }));
  for (const sign of [-1, 1]) {
    paint(
      canvas,
      ellipse(cx + sign * 4, cy - 1 + jitter(0.8), 2.4 + jitter(0.4), 7 + jitter(1), 28, { softness: 1.5 }),
    );
  }
  if (finding === 'lesion') {
    const sign = side === 'left' ? -1 : 1;
    const r = 3 + rng.uniform() * 1.8;
    const place = ellipse(cx + sign * (11.5 + jitter(1.5)), cy + jitter(9), r, r * (1 + jitter(0.2)), 238, {
      softness: 2,
      opacity: 0.95,
      marks: true,
    });
    paint(canvas, place);
  }
  return canvas;
}
