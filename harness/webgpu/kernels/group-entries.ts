/**
 * @file Entries sorted by their id, those of one id in their own order, so that whoever sums them by id needs no atomics on
 * float32 and adds in one order in every run: a radix sort with digits of 8 bits.
 */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '../backend.ts';
import { run, sizeOf } from '../program.ts';

/** Digits, and as many threads. */
const BLOCK = 256;
const DIGIT_BITS = 8;

/** In the first pass the keys are the ids themselves; those out of range come last. */
const READ_ID = `
fn keyOf(e : i32) -> i32 {
  let id = i32(ids[e]);
  return select(id, uniforms.segments, id < 0 || id >= uniforms.segments);
}
fn entryOf(e : i32) -> i32 { return e; }
`;
const READ_SORTED = `
fn keyOf(e : i32) -> i32 { return ids[e]; }
fn entryOf(e : i32) -> i32 { return ids[uniforms.entries + e]; }
`;
const DIGIT = `
fn digitOf(e : i32) -> u32 { return (u32(keyOf(e)) >> u32(uniforms.shift)) & ${BLOCK - 1}u; }
`;

/** Digits of each block of entries, counted: [digits, blocks]. */
const COUNT_HEAD = `var<workgroup> counts : array<atomic<u32>, ${BLOCK}>;`;
const COUNT = `
  atomicStore(&counts[localIndex], 0u);
  workgroupBarrier();
  if (index < uniforms.entries) { atomicAdd(&counts[digitOf(index)], 1u); }
  workgroupBarrier();
  let block = index / ${BLOCK};
  if (block < uniforms.blocks) {
    result[i32(localIndex) * uniforms.blocks + block] = i32(atomicLoad(&counts[localIndex]));
  }
`;

/** Sums of all that comes before, by one workgroup whose threads have a stretch each. */
const SCAN_HEAD = `var<workgroup> sums : array<i32, ${BLOCK}>;`;
const SCAN = `
  let stretch = (uniforms.size + ${BLOCK - 1}) / ${BLOCK};
  let first = min(index * stretch, uniforms.size);
  let end = min(first + stretch, uniforms.size);
  var own = 0;
  for (var i = first; i < end; i++) { own += counts[i]; }
  sums[localIndex] = own;
  workgroupBarrier();
  var before = 0;
  for (var i = 0u; i < localIndex; i++) { before += sums[i]; }
  for (var i = first; i < end; i++) {
    result[i] = before;
    before += counts[i];
  }
`;

/** Each entry behind those of smaller digits, of earlier blocks, and of its block before it. */
const PLACE_HEAD = `var<workgroup> digits : array<u32, ${BLOCK}>;`;
const PLACE = `
  let valid = index < uniforms.entries;
  var digit = ${BLOCK}u;
  if (valid) { digit = digitOf(index); }
  digits[localIndex] = digit;
  workgroupBarrier();
  if (valid) {
    var to = places[i32(digit) * uniforms.blocks + index / ${BLOCK}];
    for (var i = 0u; i < localIndex; i++) { to += select(0, 1, digits[i] == digit); }
    result[to] = keyOf(index);
    result[uniforms.entries + to] = entryOf(index);
  }
`;

/**
 * int32 [2, entries]: the ids in ascending order, and the entry of each. An id outside of [0, segments) becomes `segments`.
 * The caller disposes.
 */
export function groupEntries(backend: WebGPUBackend, ids: TensorInfo, segments: number): TensorInfo {
  const entries = sizeOf(ids.shape);
  const blocks = Math.ceil(entries / BLOCK);
  let sorted = ids;
  for (let shift = 0; shift === 0 || segments >= 2 ** shift; shift += DIGIT_BITS) {
    const first = shift === 0;
    const read = `${first ? READ_ID : READ_SORTED}${DIGIT}`;
    const uniforms = { entries, blocks, segments, shift };
    const name = first ? 'ids' : 'sorted';
    const counts = run(backend, [sorted], {
      name: `count digits of ${name}`,
      ...{ inputs: ['ids'], uniforms, dtype: 'int32', threads: BLOCK, groups: blocks },
      outputShape: [BLOCK * blocks],
      head: `${COUNT_HEAD}${read}`,
      body: COUNT,
    });
    const places = run(backend, [counts], {
      name: 'sums of counts before',
      ...{ inputs: ['counts'], uniforms: {}, dtype: 'int32', threads: BLOCK, groups: 1 },
      outputShape: [BLOCK * blocks],
      head: SCAN_HEAD,
      body: SCAN,
    });
    const next = run(backend, [sorted, places], {
      name: `place ${name} by digit`,
      ...{ inputs: ['ids', 'places'], uniforms, dtype: 'int32', threads: BLOCK, groups: blocks },
      outputShape: [2, entries],
      head: `${PLACE_HEAD}${read}`,
      body: PLACE,
    });
    for (const { dataId } of [counts, places, ...(first ? [] : [sorted])]) backend.disposeData(dataId);
    sorted = next;
  }
  return sorted;
}

/** Finds where the entries of an id begin in what `groupEntries` gives. */
export const FIRST_OF = `
fn firstOf(id : i32) -> i32 {
  var low = 0;
  var high = uniforms.entries;
  while (low < high) {
    let middle = (low + high) / 2;
    if (grouped[middle] < id) { low = middle + 1; } else { high = middle; }
  }
  return low;
}
`;
