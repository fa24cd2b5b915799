/** @file The sum of many terms by many workgroups, each of a stretch of them, whose sums one more adds: in one order in every run. */
import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { WebGPUBackend } from '../backend.ts';
import { run, type Wgsl } from '../program.ts';
import { workgroupSum } from './workgroup-sum.ts';

/** Workgroups that share the terms of one sum. */
const SHARES = 256;

/** Terms of one sum, by a WGSL expression in `i`. */
export interface Terms extends Pick<Wgsl, 'name' | 'uniforms'> {
  inputs: Record<string, TensorInfo>;
  /** How many there are. */
  terms: number;
  term: string;
  /** Declarations in front of `main` that `term` may use. */
  head?: string;
}

/** Float32 [1], the sum of all terms. The caller disposes. */
export function sumOfTerms(
  backend: WebGPUBackend,
  { name, inputs, uniforms, terms, term, head = '' }: Terms,
): TensorInfo {
  const share = workgroupSum('f32', SHARES, {
    before: `
    let stretch = (uniforms.terms + ${SHARES - 1}) / ${SHARES};
    let begin = at * stretch;
    let count = min(stretch, max(0, uniforms.terms - begin));`,
    count: 'count',
    term: `termOf(begin + i)`,
  });
  const parts = run(backend, Object.values(inputs), {
    name: `${name}, by shares`,
    inputs: Object.keys(inputs),
    uniforms: { ...uniforms, terms },
    outputShape: [SHARES],
    dtype: 'float32',
    ...share,
    head: `${share.head}\n${head}\nfn termOf(i : i32) -> f32 { return ${term}; }`,
  });
  const sum = run(backend, [parts], {
    name: 'sum of shares',
    inputs: ['parts'],
    uniforms: {},
    outputShape: [1],
    dtype: 'float32',
    ...workgroupSum('f32', 1, { count: String(SHARES), term: 'parts[i]' }),
  });
  backend.disposeData(parts.dataId);
  return sum;
}
