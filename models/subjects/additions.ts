/** @file The linear layers of a stack that a pass can add to. */
import type { LinearLayer } from '../../harness/contract.ts';
import type { StackSpec } from './transformer.ts';

/** The linear layers that can be added to, with their widths. */
export function addableLayers(spec: StackSpec): { block: number; layer: LinearLayer; in: number; out: number }[] {
  const { d, mlp, heads, kvHeads, headDim, gated, layers } = spec;
  const [own, shared] = [heads * headDim, kvHeads * headDim];
  const gate: [LinearLayer, number, number] = ['gate', d, mlp];
  const widths: [LinearLayer, number, number][] = [
    ['q', d, own],
    ['k', d, shared],
    ['v', d, shared],
    ['out', own, d],
    ...(gated ? [gate] : []),
    ['up', d, mlp],
    ['down', mlp, d],
  ];
  return Array.from({ length: layers }, (_, block) =>
    widths.map(([layer, width, out]) => ({ block, layer, in: width, out })),
  ).flat();
}
