/** @file Which use a document of the text world is for. */
import type { TextWorld } from '../../worlds/text-world/world.ts';
import { type Shares, useOf } from '../parts/partition.ts';

export type Use = 'concepts' | 'train' | 'test';

/** Drawing a document for a use takes 16 / share attempts on average. */
export const SHARES: Shares<Use> = [
  ['concepts', 12],
  ['train', 3],
  ['test', 1],
];

/** The world narrowed to the documents for one use. */
export function worldFor(world: TextWorld, use: Use): Pick<TextWorld, 'generate'> {
  return {
    generate(rng, options) {
      for (;;) {
        const document = world.generate(rng, options);
        if (useOf(document.text, SHARES) === use) return document;
      }
    },
  };
}
