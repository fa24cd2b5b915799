/** @file Draws what an image shows: its attributes, freely or with some of them fixed. */
import type { Rng } from '../../../harness/contract.ts';
import type { Attributes } from './attributes.ts';
import { BACKGROUNDS, COLOURS, COUNTS, KINDS, POSITIONS, SHAPES, SIDES, SIZES, TEXTURES } from './attributes.ts';

/** Attributes that must have these values. */
export type Fixed = Partial<Attributes>;

const KIND_WEIGHTS = [0.76, 0.14, 0.1];
const CHEST_FINDINGS = ['none', 'nodule', 'effusion'] as const;
const BRAIN_FINDINGS = ['none', 'lesion'] as const;
const OF_SHAPES: readonly (keyof Attributes)[] = [
  'shape',
  'colour',
  'texture',
  'count',
  'size',
  'position',
  'background',
];

/** Draws attributes; those of `fixed` are kept. Throws when they contradict each other. */
export function sampleAttributes(rng: Rng, fixed: Fixed = {}): Attributes {
  const kind = fixed.kind ?? kindOf(fixed) ?? KINDS[rng.weighted(KIND_WEIGHTS)]!;
  const drawn = kind === 'shapes' ? shapesScene(rng) : scanScene(rng, kind, fixed.finding);
  const attributes: Attributes = { ...drawn, ...fixed };
  for (const key of Object.keys(fixed) as (keyof Attributes)[]) {
    if (fixed[key] !== null && drawn[key] === null) {
      throw new Error(`image-world: a '${kind}' image has no ${key}, asked for '${fixed[key]}'`);
    }
  }
  return attributes;
}

/** The kind that the fixed attributes imply, if they do. */
function kindOf(fixed: Fixed): Attributes['kind'] | undefined {
  if (OF_SHAPES.some((key) => fixed[key])) return 'shapes';
  if (fixed.finding === 'lesion') return 'brain scan';
  if (fixed.finding === 'nodule' || fixed.finding === 'effusion') return 'chest x-ray';
  return undefined;
}

function shapesScene(rng: Rng): Attributes {
  return {
    kind: 'shapes',
    shape: rng.choice(SHAPES),
    colour: rng.choice(COLOURS),
    texture: rng.choice(TEXTURES),
    count: rng.choice(COUNTS),
    size: rng.choice(SIZES),
    position: rng.choice(POSITIONS),
    background: rng.choice(BACKGROUNDS),
    finding: null,
    side: null,
  };
}

function scanScene(rng: Rng, kind: Attributes['kind'], wanted: Attributes['finding'] | undefined): Attributes {
  const finding = wanted ?? rng.choice(kind === 'brain scan' ? BRAIN_FINDINGS : CHEST_FINDINGS);
  return {
    kind,
    shape: null,
    colour: null,
    texture: null,
    count: null,
    size: null,
    position: null,
    background: null,
    finding,
    side: finding === 'none' ? null : rng.choice(SIDES),
  };
}
