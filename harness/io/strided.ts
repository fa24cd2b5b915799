/** @file Shapes and strides of arrays in files. */

import type { ElementArray } from './elements.ts';

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((total, n) => total * n, 1);
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, axis) => n === b[axis]);
}

/** Whether these strides (in elements) are those of a row-major array; axes of length 1 may have any. */
export function isRowMajor(shape: readonly number[], stride: readonly number[]): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis]!;
  }
  return true;
}

/** The elements in row-major order. Row-major input comes back as it is. */
export function rowMajor(source: ElementArray, shape: readonly number[], stride: readonly number[]): ElementArray {
  if (isRowMajor(shape, stride)) return source;
  const out = new (source.constructor as { new (length: number): ElementArray })(elementCount(shape));
  const index = shape.map(() => 0);
  let from = 0;
  for (let to = 0; to < out.length; to++) {
    out[to] = source[from]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis]! += 1;
      from += stride[axis]!;
      if (index[axis]! < shape[axis]!) break;
      from -= stride[axis]! * shape[axis]!;
      index[axis] = 0;
    }
  }
  return out;
}
