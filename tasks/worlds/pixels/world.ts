/** @file Images that are sums of rank-1 atoms, colour × height × width: the one structure a Tensor-SAE assumes, exactly. */
import type { Rng } from '../../../harness/contract.ts';
import { createRng } from '../../../harness/kit/index.ts';
import { csrOf, type FeaturesOfItem, type FeatureWorld, sumsOf } from '../features/sums.ts';

export interface PixelWorldConfig {
  atoms: number;
  /** Channels, height and width. */
  input: readonly [C: number, H: number, W: number];
  /** Mean number of active atoms of an image. */
  active: number;
  /** Magnitudes are uniform between these. */
  magnitude: readonly [number, number];
  /** What every pixel has where no atom is. */
  background: number;
}

export const PIXEL_WORLD: PixelWorldConfig = {
  atoms: 128,
  input: [3, 16, 16],
  active: 6,
  magnitude: [1, 3],
  background: 0.5,
};

/** Red, green, blue and grey, with either sign. */
const COLOURS = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 1],
];
/** Widths of the bumps, as parts of a side. */
const BUMP: readonly [number, number] = [0.04, 0.25];

const unit = (values: number[]): number[] => {
  const length = Math.hypot(...values);
  return values.map((value) => value / length);
};

/** A Gaussian bump along a side, of unit length. */
function profile(side: number, rng: Rng): number[] {
  const centre = rng.uniform() * (side - 1);
  const width = side * (BUMP[0] + (BUMP[1] - BUMP[0]) * rng.uniform());
  return unit(Array.from({ length: side }, (_, i) => Math.exp(-((i - centre) ** 2) / (2 * width ** 2))));
}

/** Atoms of unit length, row-major [atoms, C · H · W]. */
function rankOneAtoms({ atoms, input: [C, H, W] }: PixelWorldConfig, rng: Rng): Float32Array {
  const out = new Float32Array(atoms * C * H * W);
  for (let k = 0, at = 0; k < atoms; k++) {
    const draws = rng.fork(k);
    const sign = draws.uniform() < 0.5 ? -1 : 1;
    const colour = unit(draws.choice(COLOURS).slice(0, C)).map((value) => sign * value);
    const [height, width] = [profile(H, draws), profile(W, draws)];
    for (const c of colour) for (const h of height) for (const w of width) out[at++] = c * h * w;
  }
  return out;
}

/** The world of a seed: each atom is active in an image independently of the others; an image depends on its id alone. */
export function createPixelWorld(config: PixelWorldConfig, seed: number): FeatureWorld {
  const { atoms: features, input, active, magnitude, background } = config;
  const d = input.reduce((product, side) => product * side, 1);
  const rng = createRng(seed).fork('pixels');
  const directions = rankOneAtoms(config, rng.fork('atoms'));
  const items = rng.fork('items');
  const bias = new Float32Array(d).fill(background);
  function ofItem(id: string): FeaturesOfItem {
    const draws = items.fork(id);
    const indices = Array.from({ length: features }, (_, i) => i).filter(() => draws.uniform() < active / features);
    const values = indices.map(() => magnitude[0] + (magnitude[1] - magnitude[0]) * draws.uniform());
    return { indices, values };
  }
  return {
    features,
    d,
    directions: async () => directions,
    of: (ids) => csrOf(ids.map(ofItem), features),
    rows: async (ids) => sumsOf(ids.map(ofItem), directions, bias),
  };
}
