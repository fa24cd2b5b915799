/** @file The image processors of Hugging Face by name: what each does where a `preprocessor_config.json` leaves a field out. */
import { shown, UserError } from '../errors.ts';
import type { Resample } from './pil-resize.ts';

/** What a processor assumes. */
export interface ProcessorDefaults {
  size: { shortest_edge: number } | { height: number; width: number };
  /** What a single number as `size` means: both sides, or the shorter one. */
  squareSize: boolean;
  /** Whether images are cropped at their centre. */
  crop: boolean;
  resample: Resample;
  mean: readonly [number, number, number];
  std: readonly [number, number, number];
}

const BILINEAR = 2;
const BICUBIC = 3;
const HALVES = [0.5, 0.5, 0.5] as const;
const SQUARE = { height: 224, width: 224 };

/** Of OpenAI CLIP's training data. */
const CLIP: ProcessorDefaults = {
  size: { shortest_edge: 224 },
  squareSize: false,
  crop: true,
  resample: BICUBIC,
  mean: [0.48145466, 0.4578275, 0.40821073],
  std: [0.26862954, 0.26130258, 0.27577711],
};

/** By the name before `ImageProcessor` or `FeatureExtractor`; Bit's is that of DINOv2. */
const PROCESSORS = {
  CLIP,
  Bit: CLIP,
  ViT: { size: SQUARE, squareSize: true, crop: false, resample: BILINEAR, mean: HALVES, std: HALVES },
  Siglip: { size: SQUARE, squareSize: false, crop: false, resample: BICUBIC, mean: HALVES, std: HALVES },
} as const satisfies Record<string, ProcessorDefaults>;

export type ProcessorKind = keyof typeof PROCESSORS;

/**
 * The processor that a config names, or `fallback` where it names none.
 *
 * @throws UserError for one that is not known here: what it does, and its defaults, could be others.
 */
export function processorOf(path: string, config: Record<string, unknown>, fallback: ProcessorKind): ProcessorDefaults {
  const name = config['image_processor_type'] ?? config['feature_extractor_type'];
  if (name === undefined || name === null) return PROCESSORS[fallback];
  const kind = /^(\w+?)(ImageProcessor|FeatureExtractor)(Fast|Pil)?$/.exec(String(name))?.[1];
  if (kind !== undefined && Object.hasOwn(PROCESSORS, kind)) return PROCESSORS[kind as ProcessorKind];
  const known = Object.keys(PROCESSORS)
    .map((each) => `${each}ImageProcessor`)
    .join(', ');
  throw new UserError(`preprocessor ${path}: image_processor_type: expected one of ${known}; found ${shown(name)}.`);
}
