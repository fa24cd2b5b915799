/** @file Smooth periodic functions, each a sum of a few shifted kernels of known shape: exact at any number of points. */
import type { Rng } from '../../../harness/contract.ts';
import { createRng } from '../../../harness/kit/index.ts';

export interface FunctionWorldConfig {
  /** Points of the grid of training; the world is tested at half and twice as many. */
  points: number;
  kernels: number;
  /** Fourier modes of a kernel, the constant among them: below half of the coarsest grid's points. */
  modes: number;
  /** Mean number of kernels in a function beside the first. */
  events: number;
  /** Heights are uniform between these. */
  height: readonly [number, number];
}

export const FUNCTION_WORLD: FunctionWorldConfig = {
  points: 64,
  kernels: 8,
  modes: 12,
  events: 2,
  height: [0.5, 1.5],
};

/** One shifted kernel in a function. */
export interface Event {
  kernel: number;
  /** Where it stands, as a part of the period. */
  shift: number;
  height: number;
}

export interface FunctionWorld {
  events(id: string): Event[];
  /** Values of a kernel at parts of the period; its mean square is 1. */
  kernel(index: number, at: number): number;
  /** The functions of these ids at equally spaced points, row-major [ids, points]. */
  rows(ids: readonly string[], points: number): Float32Array;
}

/** Amplitudes and phases by mode, from 1 on. */
interface Kernel {
  amplitudes: number[];
  phases: number[];
}

/** A bump of modes about a frequency of its own: smooth, of mean square 1, without a constant. */
function drawKernel({ modes }: FunctionWorldConfig, rng: Rng): Kernel {
  const centre = 1 + (modes - 2) * rng.uniform();
  const width = 0.8 + 1.7 * rng.uniform();
  const raw = Array.from({ length: modes - 1 }, (_, i) => Math.exp(-((i + 1 - centre) ** 2) / (2 * width ** 2)));
  const scale = 1 / Math.sqrt(raw.reduce((sum, value) => sum + value ** 2 / 2, 0));
  return { amplitudes: raw.map((value) => scale * value), phases: raw.map(() => 2 * Math.PI * rng.uniform()) };
}

/** The world of a seed: a function depends on the seed and its id alone, whatever the points it is asked at. */
export function createFunctionWorld(config: FunctionWorldConfig, seed: number): FunctionWorld {
  const rng = createRng(seed).fork('functions');
  const kernels = Array.from({ length: config.kernels }, (_, k) => drawKernel(config, rng.fork(`kernel ${k}`)));
  const items = rng.fork('items');
  const [low, high] = config.height;
  const kernel = (index: number, at: number) => {
    const { amplitudes, phases } = kernels[index]!;
    return amplitudes.reduce((sum, a, i) => sum + a * Math.cos(2 * Math.PI * (i + 1) * at + phases[i]!), 0);
  };
  function events(id: string): Event[] {
    const draws = items.fork(id);
    // As many as of a Poisson process: the waiting times of one.
    let [count, waited] = [1, -Math.log(1 - draws.uniform())];
    for (; waited < config.events; count++) waited -= Math.log(1 - draws.uniform());
    return Array.from({ length: count }, () => ({
      kernel: draws.int(config.kernels),
      shift: draws.uniform(),
      height: low + (high - low) * draws.uniform(),
    }));
  }
  return {
    events,
    kernel,
    rows(ids, points) {
      const out = new Float32Array(ids.length * points);
      for (const [i, id] of ids.entries()) {
        const placed = events(id);
        for (let s = 0; s < points; s++) {
          out[i * points + s] = placed.reduce((sum, e) => sum + e.height * kernel(e.kernel, s / points - e.shift), 0);
        }
      }
      return out;
    },
  };
}
