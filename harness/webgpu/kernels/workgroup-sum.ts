/** @file A sum by all threads of a workgroup, for each element of a result: every sum is in one order. */
import type { Wgsl } from '../program.ts';

const THREADS = 64;

/**
 * A program whose workgroup `at` makes `result[at]`.
 *
 * @param type Of the sum.
 * @param before Declarations in front of the loop, which may read `at`.
 * @param count How many terms there are, in WGSL.
 * @param term The term `i`, in WGSL.
 */
export function workgroupSum(
  type: 'f32' | 'i32',
  results: number,
  { before = '', count, term }: { before?: string; count: string; term: string },
): Pick<Wgsl, 'threads' | 'groups' | 'head' | 'body'> {
  return {
    threads: THREADS,
    groups: results,
    head: `var<workgroup> sums : array<${type}, ${THREADS}>;`,
    body: `
  let at = index / ${THREADS};
  var own = ${type}(0);
  if (at < uniforms.size) {
    ${before}
    for (var i = i32(localIndex); i < ${count}; i += ${THREADS}) { own += ${term}; }
  }
  sums[localIndex] = own;
  workgroupBarrier();
  if (localIndex == 0u && at < uniforms.size) {
    for (var t = 1; t < ${THREADS}; t++) { own += sums[t]; }
    result[at] = own;
  }
`,
  };
}
