/** @file Seeded random numbers: named, order-free streams that resume exactly. */
import { deriveKey, philox4x32 } from './philox.ts';

/** A stream's exact position, JSON-safe. */
export interface RngState {
  /** The two 32-bit words of the stream's key. */
  key: [number, number];
  /** 32-bit words drawn so far. */
  position: number;
}

/** A stream of random numbers. Same seed and same calls: same numbers on every machine. */
export interface Rng {
  /** An independent stream for `label`: the same whatever was drawn from this one before. */
  fork(label: string | number): Rng;
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform integer in [0, n), without modulo bias; 1 <= n <= 2^32. */
  int(n: number): number;
  /** Fills with integers as `int(n)` gives them, and returns the array. */
  fillInt(out: Uint32Array, n: number): Uint32Array;
  /** One element, each equally likely. */
  choice<T>(items: ArrayLike<T>): T;
  /** An index, drawn in proportion to non-negative finite weights of which at least one is positive. */
  weighted(weights: ArrayLike<number>): number;
  /** A random order of 0..n-1. */
  permutation(n: number): Uint32Array;
  /** Shuffles in place and returns the same array. */
  shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T;
  /** k different integers of [0, n), in random order. */
  sample(n: number, k: number): Uint32Array;
  /** Fills with uniform [0, 1) values of 24 bits, and returns the array. */
  fillUniform(out: Float32Array): Float32Array;
  /** Fills with normal values, and returns the array. */
  fillNormal(out: Float32Array, mean?: number, std?: number): Float32Array;
  state(): RngState;
}

const TWO_32 = 4294967296;

/** The root stream of a seed. A number and its decimal text are the same seed. */
export function createRng(seed: number | string): Rng {
  return stream(deriveKey(new Uint32Array(2), String(seed)), 0);
}

/** The stream that `rng.state()` described, at the same position. */
export function rngFromState(state: RngState): Rng {
  return stream(Uint32Array.from(state.key), state.position);
}

/** Words from here on would favour some remainders: they are drawn again. */
function limitOf(n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > TWO_32) throw new RangeError(`rng.int: n must be 1 to 2^32, got ${n}`);
  return TWO_32 - (TWO_32 % n);
}

function stream(key: Uint32Array, start: number): Rng {
  const counter = new Uint32Array(4);
  const block = new Uint32Array(4);
  let position = start;
  if (position % 4 !== 0) refill(position);

  function refill(at: number): void {
    const index = Math.floor(at / 4);
    counter[0] = index >>> 0;
    counter[1] = Math.floor(index / TWO_32);
    philox4x32(counter, key, block);
  }

  function word(): number {
    const lane = position % 4;
    if (lane === 0) refill(position);
    position++;
    return block[lane]!;
  }

  function uniform(): number {
    const high = word() >>> 5;
    const low = word() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  function int(n: number): number {
    const limit = limitOf(n);
    let drawn = word();
    while (drawn >= limit) drawn = word();
    return drawn % n;
  }

  function fillInt(out: Uint32Array, n: number): Uint32Array {
    for (let i = 0; i < out.length; i++) out[i] = int(n);
    return out;
  }

  /** Box-Muller: a pair of normal values from two uniforms, the radius from the first. */
  const radius = () => Math.sqrt(-2 * Math.log(1 - uniform()));
  const angle = () => 2 * Math.PI * uniform();

  function normalPair(): [number, number] {
    const [length, turn] = [radius(), angle()];
    return [length * Math.cos(turn), length * Math.sin(turn)];
  }

  function shuffle<T extends { length: number; [index: number]: unknown }>(items: T): T {
    for (let i = items.length - 1; i > 0; i--) {
      const j = int(i + 1);
      const kept = items[i];
      items[i] = items[j];
      items[j] = kept;
    }
    return items;
  }

  /** Fisher-Yates over a virtual 0..n-1: only the displaced entries are stored. */
  function sample(n: number, k: number): Uint32Array {
    if (k < 0 || k > n) throw new RangeError(`rng.sample: cannot draw ${k} different integers below ${n}`);
    const displaced = new Map<number, number>();
    const out = new Uint32Array(k);
    for (let i = 0; i < k; i++) {
      const j = i + int(n - i);
      out[i] = displaced.get(j) ?? j;
      displaced.set(j, displaced.get(i) ?? i);
    }
    return out;
  }

  return {
    fork: (label) => stream(deriveKey(key, String(label)), 0),
    uniform,
    // The first value of a pair: its sine would be thrown away.
    normal: () => radius() * Math.cos(angle()),
    int,
    fillInt,
    choice: (items) => {
      if (items.length === 0) throw new RangeError('rng.choice: nothing to choose from');
      return items[int(items.length)]!;
    },
    weighted: (weights) => weightedIndex(weights, uniform()),
    permutation: (n) => shuffle(Uint32Array.from({ length: n }, (_, i) => i)),
    shuffle,
    sample,
    fillUniform: (out) => {
      for (let i = 0; i < out.length; i++) out[i] = (word() >>> 8) / 16777216;
      return out;
    },
    fillNormal: (out, mean = 0, std = 1) => {
      for (let i = 0; i < out.length; i += 2) {
        const [first, second] = normalPair();
        out[i] = mean + std * first;
        if (i + 1 < out.length) out[i + 1] = mean + std * second;
      }
      return out;
    },
    state: () => ({ key: [key[0]!, key[1]!], position }),
  };
}

function weightedIndex(weights: ArrayLike<number>, u: number): number {
  let total = 0;
  for (let i = 0; i < weights.length; i++) {
    const weight = weights[i]!;
    if (!(weight >= 0 && weight < Infinity)) throw new RangeError(`rng.weighted: weight ${i} is ${weight}`);
    total += weight;
  }
  if (!(total > 0 && total < Infinity)) throw new RangeError(`rng.weighted: the weights sum to ${total}`);
  let left = u * total;
  let last = 0;
  for (let i = 0; i < weights.length; i++) {
    if (weights[i] === 0) continue;
    last = i;
    left -= weights[i]!;
    if (left < 0) return i;
  }
  // Rounding can leave a remainder of a few ulps after the last positive weight.
  return last;
}
