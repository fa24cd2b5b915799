/** @file The linear layers of a stack that a pass can add to. */
import { type LinearAddition, type LinearLayer, UserError } from '../../harness/contract.ts';
import type { StackSpec } from './stack-spec.ts';

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

/**
 * @param first The first block that a pass runs.
 * @throws UserError for an addition to a layer that the pass does not come by: it would be left out without a word.
 */
export function requireLayers(spec: StackSpec, additions: readonly LinearAddition[], first: number): void {
  for (const { block, layer } of additions) {
    const there = spec.names[layer] !== undefined && (layer !== 'gate' || spec.gated);
    if (there && Number.isInteger(block) && block >= first && block < spec.layers) continue;
    throw new UserError(
      `addition to ${layer} of block ${block}: expected a linear layer of a block from ${first} to ${spec.layers - 1}` +
        `${there ? '' : ', which has none of that name'}.`,
    );
  }
}
