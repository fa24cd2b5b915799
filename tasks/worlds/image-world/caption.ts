/** @file Captions of images from a small vocabulary. A caption never says what the image does not show. */
import type { Rng } from '../../../harness/contract.ts';
import type { Attributes } from './attributes.ts';

const OPENINGS = ['a photo of', 'a picture of', 'an image of', ''];

/** How often a caption mentions what an image shows; the shape and colour are rarely left out. */
const MENTION = { size: 0.7, texture: 0.85, colour: 0.92, shape: 0.92, background: 0.75, position: 0.4, side: 0.8 };

/** A caption drawn at random among those that fit the image. */
export function caption(attributes: Attributes, rng: Rng): string {
  const says = (attribute: keyof typeof MENTION): boolean => rng.uniform() < MENTION[attribute];
  const opening = rng.choice(OPENINGS);
  const body = attributes.kind === 'shapes' ? shapesCaption(attributes, says) : scanCaption(attributes, says, rng);
  return opening === '' ? body : `${opening} ${body}`;
}

type Says = (attribute: keyof typeof MENTION) => boolean;

function shapesCaption(attributes: Attributes, says: Says): string {
  const { count, size, texture, colour, shape, background, position } = attributes;
  const many = count !== 'one';
  const adjectives = [
    says('size') ? size : null,
    says('colour') ? colour : null,
    says('texture') ? texture : null,
  ].filter((word) => word !== null);
  const noun = plural(says('shape') ? shape! : 'shape', many);
  const number = many ? count! : article(adjectives[0] ?? noun);
  const parts = [number, ...adjectives, noun];
  if (says('position')) parts.push(positionPhrase(position!));
  if (says('background')) parts.push(`on a ${background} background`);
  return parts.join(' ');
}

/** Where the objects are, in words. */
export function positionPhrase(position: NonNullable<Attributes['position']>): string {
  if (position === 'centre') return 'in the centre';
  return position === 'left' || position === 'right' ? `on the ${position}` : `at the ${position}`;
}

function scanCaption({ kind, finding, side }: Attributes, says: Says, rng: Rng): string {
  if (finding === 'none') return rng.choice([`a normal ${kind}`, `a ${kind} without finding`]);
  const where = says('side') ? ` on the ${side}` : '';
  return `a ${kind} with ${article(finding!)} ${finding}${where}`;
}

function plural(noun: string, many: boolean): string {
  if (!many) return noun;
  return noun.endsWith('s') ? `${noun}es` : `${noun}s`;
}

/** `a` or `an`, by the first letter. */
export function article(word: string): string {
  return /^[aeiou]/.test(word) ? 'an' : 'a';
}
