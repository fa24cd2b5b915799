/** @file Inputs made to break the bound of screening in bfloat16 (harness/native/src/screen.cc), and calls that are screened. */
import type { Addon } from '../native/addon.ts';
import type { Source } from './against-cpu.ts';

/** An element by its row and column. */
export type Value = (from: Source, row: number, column: number) => number;

export const real: Value = (from) => from.real();
const zero: Value = () => 0;
const power = (from: Source, range: number) => from.real() * 2 ** (from.int(2 * range) - range);
const special = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, -3e38, 1e-40, 1e-45, 0, -0];
const oneIn = (from: Source, n: number, otherwise: number) =>
  from.int(n) === 0 ? special[from.int(special.length)]! : otherwise;

/** What the inputs are made of; where true, screening must have settled most rows. */
export const SCREENING_KINDS: [string, { x: Value; W: Value; bias: Value }, boolean][] = [
  ['random', { x: real, W: real, bias: real }, true],
  // Small whole numbers are exact in bfloat16: ties everywhere, and the order of indices decides.
  ['ties', { x: (f) => f.int(3) - 1, W: (f) => f.int(3) - 1, bias: zero }, false],
  ['all equal', { x: () => 1, W: () => 0.3, bias: zero }, false],
  // Columns that differ in the last bits of float32 only, of which bfloat16 sees nothing.
  [
    'near ties',
    { x: real, W: (f, row) => Math.fround(Math.sin(row + 1)) * (1 + f.int(8) * 2 ** -23), bias: zero },
    false,
  ],
  // Halfway between two bfloat16 numbers: the largest rounding error, always with the same sign.
  ['half steps', { x: () => 1 + 2 ** -8, W: (f) => (1 + 2 ** -8) * (1 + f.int(100) / 4), bias: zero }, false],
  ['scales of inputs', { x: (f) => power(f, 30), W: (f) => power(f, 30), bias: real }, false],
  ['scales of columns', { x: real, W: (f, _row, column) => f.real() * 2 ** ((column % 41) - 20), bias: zero }, false],
  ['scales of rows', { x: (f, row) => f.real() * 2 ** ((row % 121) - 60), W: real, bias: zero }, false],
  ['cancellation', { x: (_f, _r, c) => (c % 2 ? 1e4 : -1e4), W: (f) => 1 + f.real() * 1e-4, bias: real }, false],
  ['large biases', { x: real, W: real, bias: (f) => f.real() * 1e7 }, false],
  ['one odd column in 50', { x: real, W: (f, _r, c) => (c % 50 === 7 ? oneIn(f, 3, 1) : f.real()), bias: real }, false],
  ['odd biases', { x: real, W: real, bias: (f) => oneIn(f, 40, f.real()) }, false],
  ['odd rows', { x: (f, row) => (row % 9 === 4 ? oneIn(f, 5, 1) : f.real()), W: real, bias: real }, false],
  ['odd everywhere', { x: (f) => oneIn(f, 30, f.real()), W: (f) => oneIn(f, 30, f.real()), bias: real }, false],
  ['subnormals', { x: (f) => f.real() * 1e-39, W: (f) => f.real() * 1e-38, bias: zero }, false],
  ['products that underflow', { x: (f) => f.real() * 1e-22, W: (f) => f.real() * 1e-21, bias: zero }, false],
  ['products near overflow', { x: (f) => f.real() * 1e18, W: (f) => f.real() * 1e18, bias: zero }, false],
];

/** A row-major matrix. */
export function matrixOf(from: Source, rows: number, columns: number, of: Value): Float32Array {
  const matrix = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) matrix[row * columns + column] = of(from, row, column);
  return matrix;
}

/** What products of bfloat16 can be computed by, in the numbering of encoder.h; `model` is that of the tiles. */
export const PRODUCTS = ['best', 'dots', 'tiles', 'model'] as const;
/** How a call is served: by the float32 kernel alone, or screened wherever the CPU can. */
export type Served = 'float32' | (typeof PRODUCTS)[number];

/** The products that this CPU can screen by, the one that serves first: none without AVX512-BF16. */
export function screeningProducts({ bfloat }: Addon): Served[] {
  return bfloat === '' ? [] : bfloat === 'amx_bf16' ? ['tiles', 'dots', 'model'] : ['dots', 'model'];
}

/** Runs a call as wanted; `screened` rows were tried, `left` of them handed back to float32. */
export function withScreening(addon: Addon, served: Served, call: () => void): { screened: number; left: number } {
  addon.screening(served === 'float32' ? Int32Array.of(1, 0, 0, 0) : Int32Array.of(2, 0, 0, PRODUCTS.indexOf(served)));
  call();
  const settings = Int32Array.of(0, 0, 0, 0);
  addon.screening(settings);
  return { screened: settings[1]!, left: settings[2]! };
}
