/** @file Which use a document of the text world is for, decided by its text: no document serves two uses. */
import type { TextWorld } from '../../worlds/text-world/world.ts';

export type Use = 'concepts' | 'train' | 'test';

/** Sixteenths of all documents: drawing a document for a use takes 16 / share attempts on average. */
const SHARES: readonly (readonly [Use, number])[] = [
  ['concepts', 12],
  ['train', 3],
  ['test', 1],
];

/** The use of a document with this text, by four bits of its FNV-1a hash. */
export function useOf(text: string): Use {
  let hash = 0x9747b28c;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  let sixteenth = (hash >>> 24) & 15;
  for (const [use, share] of SHARES) {
    if (sixteenth < share) return use;
    sixteenth -= share;
  }
  throw new Error('internal: the shares do not add up to 16');
}

/** The world narrowed to the documents for one use. */
export function worldFor(world: TextWorld, use: Use): TextWorld {
  return {
    ...world,
    generate(rng, options) {
      for (;;) {
        const document = world.generate(rng, options);
        if (useOf(document.text) === use) return document;
      }
    },
  };
}
