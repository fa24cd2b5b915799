/** @file Pairs of images that differ in exactly one attribute: all else, jitter and noise too, is drawn alike. */
import type { Rng } from '../../../harness/contract.ts';
import { ATTRIBUTE_VALUES, type Attributes } from './attributes.ts';
import { caption } from './caption.ts';
import { sampleAttributes } from './scene.ts';
import { drawnImage, type WorldImage } from './world.ts';

/**
 * The attributes that can change alone. The kind cannot: an image of another kind has other attributes. A finding
 * changes into another one of the same kind of scan, since with none there is no side either.
 */
export const PAIRED_ATTRIBUTES = [
  ...(['shape', 'colour', 'texture', 'count', 'size', 'position', 'background'] as const),
  ...(['finding', 'side'] as const),
];
type Paired = (typeof PAIRED_ATTRIBUTES)[number];

const CHEST_FINDINGS = ['nodule', 'effusion'] as const;

/** An image before and after one attribute changes. */
export interface ImagePair {
  readonly attribute: Paired;
  readonly before: WorldImage;
  readonly after: WorldImage;
}

/** Draws a pair whose `attribute` changes into any of its other values. */
export function imagePair(attribute: Paired, rng: Rng): ImagePair {
  const from = sampleAttributes(rng.fork('attributes'), fixedFor(attribute, rng.fork('fixed')));
  const possible: readonly string[] = attribute === 'finding' ? CHEST_FINDINGS : ATTRIBUTE_VALUES[attribute];
  const value = rng.fork('change').choice(possible.filter((other) => other !== from[attribute]));
  const image = (attributes: Attributes): WorldImage => ({
    ...drawnImage(attributes, rng.fork('drawing'), rng.fork('noise')),
    caption: caption(attributes, rng.fork('caption')),
  });
  return { attribute, before: image(from), after: image({ ...from, [attribute]: value } as Attributes) };
}

/** What an image must have so that the attribute can change. */
function fixedFor(attribute: Paired, rng: Rng): Partial<Attributes> {
  if (attribute === 'finding') return { finding: rng.choice(CHEST_FINDINGS) };
  if (attribute === 'side') return { finding: rng.choice([...CHEST_FINDINGS, 'lesion'] as const) };
  return { kind: 'shapes' };
}
