/** @file Zero-shot classifications of the image world: classes and prompts for one attribute each. */
import type { Attributes } from './attributes.ts';
import { BACKGROUNDS, COLOURS, COUNTS, SHAPES, TEXTURES } from './attributes.ts';
import { article } from './caption.ts';

/** One classification. */
export interface ZeroShotClasses {
  readonly id: string;
  readonly classes: readonly { readonly label: string; readonly prompts: readonly string[] }[];
  /** Index of the image's class, or undefined for an image to which the question does not apply. */
  classOf(attributes: Attributes): number | undefined;
}

const OPENINGS = ['a photo of', 'a picture of', 'an image of'];

/** Prompts around a phrase: with each opening, and without. */
const around = (phrase: string): string[] => [...OPENINGS.map((opening) => `${opening} ${phrase}`), phrase];

function byAttribute(
  key: keyof Attributes,
  values: readonly string[],
  phrase: (value: string) => string,
): ZeroShotClasses {
  return {
    id: key,
    classes: values.map((value) => ({ label: value, prompts: around(phrase(value)) })),
    classOf(attributes) {
      const index = values.indexOf(attributes[key] ?? '');
      return index < 0 ? undefined : index;
    },
  };
}

const an = (phrase: string): string => `${article(phrase)} ${phrase}`;

const SCANS: readonly { label: string; kind: Attributes['kind']; finding: Attributes['finding'] }[] = [
  { label: 'normal chest x-ray', kind: 'chest x-ray', finding: 'none' },
  { label: 'chest x-ray with a nodule', kind: 'chest x-ray', finding: 'nodule' },
  { label: 'chest x-ray with an effusion', kind: 'chest x-ray', finding: 'effusion' },
  { label: 'normal brain scan', kind: 'brain scan', finding: 'none' },
  { label: 'brain scan with a lesion', kind: 'brain scan', finding: 'lesion' },
];

/** Shape, colour, texture, count, background, and the finding of scans. */
export const zeroShotClasses: readonly ZeroShotClasses[] = [
  byAttribute('shape', SHAPES, an),
  byAttribute('colour', COLOURS, (colour) => an(`${colour} shape`)),
  byAttribute('texture', TEXTURES, (texture) => an(`${texture} shape`)),
  byAttribute('count', COUNTS, (count) => (count === 'one' ? 'a shape' : `${count} shapes`)),
  byAttribute('background', BACKGROUNDS, (background) => `a shape on a ${background} background`),
  {
    id: 'scan',
    classes: SCANS.map(({ label }) => ({ label, prompts: around(an(label)) })),
    classOf({ kind, finding }) {
      const index = SCANS.findIndex((scan) => scan.kind === kind && scan.finding === finding);
      return index < 0 ? undefined : index;
    },
  },
];
