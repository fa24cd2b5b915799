/**
 * @file The k largest of each row in two dispatches, by a workgroup for each row: the k-th largest is found digit by digit, what is
 * above it is collected and ranked. tfjs sorts by a network of dozens of dispatches over the whole tensor.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import { type Args, type Context, override, run, sizeOf } from '../program.ts';

const THREADS = 256;
/** Two numbers of each lie in the memory of the workgroup, of which every adapter has 16 KiB. */
const MAX_K = 1024;

const HEAD = `
var<workgroup> counts : array<atomic<u32>, ${THREADS}>;
var<workgroup> above : array<i32, ${THREADS}>;
var<workgroup> equal : array<i32, ${THREADS}>;
var<workgroup> chosen : u32;
var<workgroup> left : i32;
var<workgroup> keys : array<u32, ${MAX_K}>;
var<workgroup> places : array<i32, ${MAX_K}>;

// Unsigned numbers in the order of the floats; the two zeros are one.
fn keyOf(i : i32) -> u32 {
  let value = x[i];
  let bits = bitcast<u32>(select(value, 0.0, value == 0.0));
  return select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u);
}
`;

const BODY = `
  let row = index / ${THREADS};
  let valid = row < uniforms.size / uniforms.k;
  let width = select(0, uniforms.width, valid);
  let start = row * uniforms.width;
  let own = i32(localIndex);

  // The k-th largest key, and how many of those equal to it are among the k.
  var prefix = 0u;
  var mask = 0u;
  var wanted = uniforms.k;
  for (var shift = 24; shift >= 0; shift -= 8) {
    atomicStore(&counts[localIndex], 0u);
    workgroupBarrier();
    for (var i = own; i < width; i += ${THREADS}) {
      let key = keyOf(start + i);
      if ((key & mask) == prefix) { atomicAdd(&counts[(key >> u32(shift)) & 255u], 1u); }
    }
    workgroupBarrier();
    if (own == 0) {
      var digit = 255;
      var rest = wanted;
      while (digit > 0 && i32(atomicLoad(&counts[digit])) < rest) {
        rest -= i32(atomicLoad(&counts[digit]));
        digit--;
      }
      chosen = u32(digit);
      left = rest;
    }
    workgroupBarrier();
    prefix |= chosen << u32(shift);
    mask |= 255u << u32(shift);
    wanted = left;
  }

  // Each thread has a stretch of the row, so that of equal ones the first are taken.
  let stretch = (width + ${THREADS - 1}) / ${THREADS};
  let first = min(own * stretch, width);
  let end = min(first + stretch, width);
  var larger = 0;
  var same = 0;
  for (var i = first; i < end; i++) {
    let key = keyOf(start + i);
    larger += select(0, 1, key > prefix);
    same += select(0, 1, key == prefix);
  }
  above[localIndex] = larger;
  equal[localIndex] = same;
  workgroupBarrier();
  larger = 0;
  same = uniforms.k - wanted;
  for (var t = 0; t < own; t++) {
    larger += above[t];
    same += equal[t];
  }
  for (var i = first; i < end; i++) {
    let key = keyOf(start + i);
    if (key < prefix) { continue; }
    let to = select(same, larger, key > prefix);
    if (key > prefix) { larger++; } else { same++; }
    if (to < uniforms.k) {
      keys[to] = key;
      places[to] = i;
    }
  }
  workgroupBarrier();
  if (valid) {
    for (var p = own; p < uniforms.k; p += ${THREADS}) {
      var rank = 0;
      for (var q = 0; q < uniforms.k; q++) {
        rank += select(0, 1, keys[q] > keys[p] || (keys[q] == keys[p] && places[q] < places[p]));
      }
      result[row * uniforms.k + rank] = places[p];
    }
  }
`;

const VALUES = `
  if (index < uniforms.size) { result[index] = x[index / uniforms.k * uniforms.width + indices[index]]; }
`;

function topk({ inputs, attrs, backend }: Args): TensorInfo[] | undefined {
  const x = inputs['x']!;
  const [k, width] = [attrs['k'] as number, x.shape.at(-1) ?? 0];
  const served = x.dtype === 'float32' && k > 0 && k <= Math.min(width, MAX_K) && sizeOf(x.shape) > 0;
  // A float32 tensor may be a cast whose numbers lie there as integers.
  if (!served || backend.tensorMap.get(x.dataId).dtype !== 'float32' || backend.shouldExecuteOnCPU([x]))
    return undefined;
  const outputShape = [...x.shape.slice(0, -1), k];
  const uniforms = { k, width };
  const indices = run(backend, [x], {
    name: 'indices of the largest',
    ...{ inputs: ['x'], uniforms, outputShape, dtype: 'int32', threads: THREADS, head: HEAD, body: BODY },
    groups: sizeOf(x.shape) / width,
  });
  const values = run(backend, [x, indices], {
    name: 'values of the largest',
    ...{ inputs: ['x', 'indices'], uniforms, outputShape, dtype: 'float32', body: VALUES },
  });
  return [values, indices];
}

export function registerTopK(context: Context): void {
  override(context, context.tf.TopK, topk);
}
