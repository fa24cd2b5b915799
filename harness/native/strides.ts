/** @file Shapes to strided walks: row-major strides, and merging of dimensions that one stride can cover. */

/** Row-major strides, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    strides[d] = step;
    step *= shape[d]!;
  }
  return strides;
}

/** Strides of an operand of `shape` broadcast to the trailing dimensions of `outShape`: 0 where it repeats. */
export function broadcastStrides(shape: readonly number[], outShape: readonly number[]): number[] {
  const lead = outShape.length - shape.length;
  const own = stridesOf(shape);
  return outShape.map((_, d) => (d < lead || shape[d - lead] === 1 ? 0 : own[d - lead]!));
}

/**
 * Writes rank, dimensions and the strides of each operand into `params` from `at`, with dimensions of size 1 dropped and
 * neighbours merged where for every operand stepping over the inner one continues the outer.
 */
export function writeWalk(
  params: Float64Array,
  at: number,
  shape: readonly number[],
  operands: readonly number[][],
): void {
  const dims: number[] = [];
  const strides: number[][] = operands.map(() => []);
  for (let d = 0; d < shape.length; d++) {
    const dim = shape[d]!;
    if (dim === 1) continue;
    const last = dims.length - 1;
    if (last >= 0 && operands.every((own, n) => strides[n]![last] === own[d]! * dim)) {
      dims[last]! *= dim;
      for (let n = 0; n < operands.length; n++) strides[n]![last] = operands[n]![d]!;
    } else {
      dims.push(dim);
      for (let n = 0; n < operands.length; n++) strides[n]!.push(operands[n]![d]!);
    }
  }
  params[at++] = dims.length;
  for (const dim of dims) params[at++] = dim;
  for (const row of strides) for (const stride of row) params[at++] = stride;
}
