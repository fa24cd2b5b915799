/** @file What an image of the image world can show: the attributes and their values. */

/** Kinds of images. */
export const KINDS = ['shapes', 'chest x-ray', 'brain scan'] as const;
export const SHAPES = ['circle', 'square', 'triangle', 'star', 'cross', 'ring'] as const;
export const COLOURS = ['red', 'green', 'blue', 'yellow', 'purple', 'orange', 'white', 'pink'] as const;
export const TEXTURES = ['solid', 'striped', 'dotted', 'checked'] as const;
export const COUNTS = ['one', 'two', 'three'] as const;
export const SIZES = ['small', 'large'] as const;
/** Where the objects are, as a group. */
export const POSITIONS = ['centre', 'left', 'right', 'top', 'bottom'] as const;
export const BACKGROUNDS = ['black', 'grey', 'beige', 'navy', 'teal'] as const;
/** Findings of scans; a nodule and an effusion are seen on a chest x-ray, a lesion on a brain scan. */
export const FINDINGS = ['none', 'nodule', 'effusion', 'lesion'] as const;
/** The side of the image on which a finding lies. */
export const SIDES = ['left', 'right'] as const;

/** Everything an image shows. Attributes that do not apply to its kind are null. */
export interface Attributes {
  readonly kind: (typeof KINDS)[number];
  readonly shape: (typeof SHAPES)[number] | null;
  readonly colour: (typeof COLOURS)[number] | null;
  readonly texture: (typeof TEXTURES)[number] | null;
  readonly count: (typeof COUNTS)[number] | null;
  readonly size: (typeof SIZES)[number] | null;
  readonly position: (typeof POSITIONS)[number] | null;
  readonly background: (typeof BACKGROUNDS)[number] | null;
  readonly finding: (typeof FINDINGS)[number] | null;
  readonly side: (typeof SIDES)[number] | null;
}

/** An RGB colour, 0 to 255. */
export type Rgb = readonly [number, number, number];

/** The colours of objects before jitter. */
export const COLOUR_RGB: Readonly<Record<(typeof COLOURS)[number], Rgb>> = {
  red: [214, 40, 40],
  green: [44, 165, 44],
  blue: [55, 110, 240],
  yellow: [245, 220, 40],
  purple: [150, 60, 205],
  orange: [245, 135, 20],
  white: [248, 248, 248],
  pink: [250, 140, 190],
};

/** The colours of backgrounds before jitter. */
export const BACKGROUND_RGB: Readonly<Record<(typeof BACKGROUNDS)[number], Rgb>> = {
  black: [14, 14, 16],
  grey: [112, 112, 112],
  beige: [206, 188, 148],
  navy: [18, 26, 78],
  teal: [10, 92, 92],
};

/** Attributes in the order of the attribute vector, with their values. */
export const ATTRIBUTE_VALUES = {
  kind: KINDS,
  shape: SHAPES,
  colour: COLOURS,
  texture: TEXTURES,
  count: COUNTS,
  size: SIZES,
  position: POSITIONS,
  background: BACKGROUNDS,
  finding: FINDINGS,
  side: SIDES,
} as const;

/** Names of the entries of `attributeVector`, e.g. `colour=red`. */
export const ATTRIBUTE_NAMES: readonly string[] = Object.entries(ATTRIBUTE_VALUES).flatMap(([name, values]) =>
  values.map((value) => `${name}=${value}`),
);

/**
 * Multi-hot vector of an image's attributes, one entry for each of `ATTRIBUTE_NAMES`, divided by its norm: the cosine
 * of two images grows with the attributes they share. An embedding that no trained model has a part in.
 */
export function attributeVector(attributes: Attributes): Float32Array {
  const hot = Object.entries(ATTRIBUTE_VALUES).flatMap(([name, values]) =>
    values.map((value) => (attributes[name as keyof Attributes] === value ? 1 : 0) as number),
  );
  const norm = Math.sqrt(hot.reduce((sum, v) => sum + v, 0));
  return Float32Array.from(hot, (v) => v / norm);
}
