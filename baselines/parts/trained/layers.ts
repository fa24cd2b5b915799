/** @file Which blocks of a subject a method changes. */
import { type LinearLayer, UserError } from '../../../harness/contract.ts';
import type { Source } from './texts.ts';

export type Layers = 'site' | 'spread';

/** Of 26 blocks of Gemma-2-2B those that AxBench changes, as shares of the depth that lie before their ends. */
const DEPTHS = [6 / 26, 11 / 26, 16 / 26, 21 / 26];

/** The option of methods that change blocks. */
export const LAYERS_SCHEMA = {
  layers: {
    enum: ['site', 'spread'],
    description: "Blocks that are changed: the site's own, or four at the depths of AxBench's.",
  },
};

/**
 * Numbers of the blocks, rising.
 *
 * @throws UserError where the site is not of a block's residual stream.
 */
export function blocksOf(method: string, { lm, site }: Source, layers: Layers): number[] {
  const count = 1 + Math.max(-1, ...lm.sites.map(({ name }) => Number(/^blocks\.(\d+)\./.exec(name)?.[1] ?? -1)));
  if (layers === 'spread') return [...new Set(DEPTHS.map((depth) => Math.max(0, Math.round(depth * count) - 1)))];
  const [, block, place] = /^blocks\.(\d+)\.hook_resid_(pre|post)$/.exec(site) ?? [];
  const own = Number(block) - (place === 'pre' ? 1 : 0);
  if (own >= 0) return [own];
  throw new UserError(
    `${method}: layers 'site': expected the residual stream after a block, found '${site}'; take layers 'spread'`,
  );
}

/** The layer's widths. @throws UserError where the subject says nothing of its linear layers */
export function widthsOf(
  method: string,
  { lm }: Source,
  block: number,
  layer: LinearLayer,
): { in: number; out: number } {
  const found = lm.linearLayers?.find((each) => each.block === block && each.layer === layer);
  if (found) return found;
  throw new UserError(
    `${method}: expected a subject whose linear layers can be added to; ${lm.id} names no '${layer}' in block ${block}`,
  );
}

/** Width of the residual stream after a block. */
export const streamWidth = ({ lm }: Source, block: number): number =>
  lm.sites.find(({ name }) => name === `blocks.${block}.hook_resid_post`)!.d;
