/** @file The concepts of the image world, and labelled images for each. */
import type { Rng } from '../../../harness/contract.ts';
import type { Attributes } from './attributes.ts';
import { ATTRIBUTE_VALUES, BACKGROUNDS, COLOURS, COUNTS, SHAPES, TEXTURES } from './attributes.ts';
import { article } from './caption.ts';
import type { Fixed } from './scene.ts';
import { sampleAttributes } from './scene.ts';
import type { WorldImage } from './world.ts';
import { generateImage } from './world.ts';

/** A concept: an image shows it exactly when it has all attributes in `fixed`. */
export interface ImageConcept {
  readonly id: string;
  readonly label: string;
  readonly domain: string;
  readonly clinical: boolean;
  readonly fixed: Fixed;
  /** How a caption would say it. */
  readonly prompt: string;
}

const PAIRS: readonly (readonly [Attributes['colour'], Attributes['shape']])[] = [
  ['red', 'circle'],
  ['blue', 'square'],
  ['yellow', 'star'],
  ['green', 'triangle'],
  ['white', 'cross'],
  ['purple', 'ring'],
];
const TEXTURED: readonly (readonly [Attributes['texture'], Attributes['shape']])[] = [
  ['striped', 'circle'],
  ['dotted', 'square'],
  ['checked', 'triangle'],
];

const photo = (rest: string): string => `a photo of ${article(rest)} ${rest}`;
const plain = (id: string, domain: string, fixed: Fixed, prompt: string): ImageConcept => {
  return { id: id.replaceAll(' ', '-'), label: id, domain, clinical: false, fixed, prompt };
};
const scan = (label: string, fixed: Fixed): ImageConcept => {
  return { id: label.replaceAll(' ', '-'), label, domain: 'scan', clinical: true, fixed, prompt: photo(label) };
};

/** All concepts, by domain: colour, shape, texture, background, count, two combined, and scans. */
export const imageConcepts: readonly ImageConcept[] = [
  ...COLOURS.map((colour) => plain(colour, 'colour', { colour }, photo(`${colour} shape`))),
  ...SHAPES.map((shape) => plain(shape, 'shape', { shape }, photo(shape))),
  ...TEXTURES.map((texture) => plain(texture, 'texture', { texture }, photo(`${texture} shape`))),
  ...BACKGROUNDS.map((background) =>
    plain(`${background} background`, 'background', { background }, `a photo of a shape on a ${background} background`),
  ),
  ...COUNTS.map((count) =>
    plain(
      `${count} objects`,
      'count',
      { count },
      count === 'one' ? 'a photo of a shape' : `a photo of ${count} shapes`,
    ),
  ),
  ...PAIRS.map(([colour, shape]) =>
    plain(`${colour} ${shape}`, 'colour and shape', { colour, shape }, photo(`${colour} ${shape}`)),
  ),
  ...TEXTURED.map(([texture, shape]) =>
    plain(`${texture} ${shape}`, 'texture and shape', { texture, shape }, photo(`${texture} ${shape}`)),
  ),
  scan('chest x-ray', { kind: 'chest x-ray' }),
  scan('brain scan', { kind: 'brain scan' }),
  scan('normal chest x-ray', { kind: 'chest x-ray', finding: 'none' }),
  scan('chest x-ray with a nodule', { kind: 'chest x-ray', finding: 'nodule' }),
  scan('chest x-ray with an effusion', { kind: 'chest x-ray', finding: 'effusion' }),
  scan('normal brain scan', { kind: 'brain scan', finding: 'none' }),
  scan('brain scan with a lesion', { kind: 'brain scan', finding: 'lesion' }),
];

/** Values easily taken for one another. What is not listed has all other values of its attribute. */
const CONFUSABLE: Readonly<Record<string, readonly string[]>> = {
  red: ['orange', 'pink'],
  orange: ['red', 'yellow'],
  pink: ['red', 'purple', 'white'],
  yellow: ['orange', 'white'],
  purple: ['blue', 'pink'],
  blue: ['purple'],
  green: ['yellow', 'blue'],
  white: ['pink', 'yellow'],
  circle: ['ring'],
  ring: ['circle'],
  square: ['cross'],
  star: ['cross', 'triangle'],
  cross: ['star', 'square'],
  triangle: ['star'],
  striped: ['checked'],
  dotted: ['checked'],
  checked: ['dotted', 'striped'],
  black: ['navy'],
  navy: ['black', 'teal'],
  teal: ['navy'],
  grey: ['beige'],
  beige: ['grey'],
  two: ['one', 'three'],
  one: ['two'],
  three: ['two'],
  'chest x-ray': ['brain scan'],
  'brain scan': ['chest x-ray'],
  nodule: ['none', 'effusion'],
  effusion: ['none', 'nodule'],
  lesion: ['none'],
};

/** Whether an image with these attributes shows the concept. */
export function shows(attributes: Attributes, concept: ImageConcept): boolean {
  return Object.entries(concept.fixed).every(([key, value]) => attributes[key as keyof Attributes] === value);
}

/** An image that does not show the concept. */
export function negativeImage(concept: ImageConcept, rng: Rng): WorldImage {
  for (;;) {
    const attributes = sampleAttributes(rng);
    if (!shows(attributes, concept)) return generateImage(rng, attributes);
  }
}

/**
 * An image that nearly shows the concept: one attribute has another value (of a single attribute, one easily
 * confused with it), the others are right. For "red circle": a red ring, an orange circle.
 */
export function hardNegativeImage(concept: ImageConcept, rng: Rng): WorldImage {
  const keys = Object.keys(concept.fixed) as (keyof Attributes)[];
  // A finding cannot be kept on another kind of scan, so of the two it is the finding that changes.
  const key = keys.includes('finding') ? 'finding' : rng.choice(keys);
  const value = concept.fixed[key] as string;
  const possible = concept.fixed.kind === 'brain scan' ? ['lesion'] : ['nodule', 'effusion'];
  const near = value === 'none' ? possible : CONFUSABLE[value];
  const others = near ?? (ATTRIBUTE_VALUES[key] as readonly string[]).filter((other) => other !== value);
  return generateImage(rng, { ...concept.fixed, [key]: rng.choice(others) });
}

/** Labelled images for one concept. */
export interface ImageExamples {
  readonly positives: readonly WorldImage[];
  readonly negatives: readonly WorldImage[];
  readonly hardNegatives: readonly WorldImage[];
}

/** Images of each label: 72 for training and 36 for evaluation by default, from streams of their own. */
export function imageExamples(
  concept: ImageConcept,
  split: 'train' | 'eval',
  rng: Rng,
  size = split === 'train' ? 72 : 36,
): ImageExamples {
  const stream = rng.fork(`image examples ${concept.id} ${split}`);
  const many = (draw: () => WorldImage): WorldImage[] => Array.from({ length: size }, draw);
  return {
    positives: many(() => generateImage(stream, concept.fixed)),
    negatives: many(() => negativeImage(concept, stream)),
    hardNegatives: many(() => hardNegativeImage(concept, stream)),
  };
}
