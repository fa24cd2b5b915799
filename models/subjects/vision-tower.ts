/**
 * @file Vision transformers, with or without a text tower beside them: what a family declares, and the pass as a pure,
 * differentiable function of the parameters.
 */
import {
  type ForwardOptions,
  type ForwardResult,
  type NamedTensors,
  type Site,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { type AttentionPooling, attentionPool, poolingLinears, poolingShapes } from './attention-pooling.ts';
import { createHooks, FINAL_NORM_SITE, stackSites } from './sites.ts';
import { runTower, type TowerResult, type TowerSpec, towerLinears, towerShapes } from './tower.ts';
import { blockAfter, firstColumns, normaliseBy, normShapes } from './transformer.ts';
import type { TensorShapes } from './weights.ts';

export interface VisionTower extends TowerSpec {
  imageSize: number;
  patchSize: number;
  /** Convolution over patches [d, 3, patchSize, patchSize]. */
  patches: string;
  /** Whether the convolution has a bias [d]. */
  patchBias?: boolean;
  /** What stands before the patches [d], by its whole name; its state is the image's. */
  classToken?: string;
  /** Tokens without a position that stand between the class token and the patches, by their whole name. */
  registers?: { name: string; count: number };
  /** Positions, class token and registers have a leading dimension of 1 in files: [1, length, d]. */
  leading?: boolean;
  /** Norm before the first block. */
  inputNorm?: string;
  /**
   * What the final norm sees, and how an image's state is pooled: the class token alone (CLIP), all tokens, of which the
   * class token is the image's (the default), or all tokens, which a head of attention pools (SigLIP).
   */
  pooling?: 'class' | AttentionPooling;
  /** Positions of another grid than the model was trained with are interpolated: bicubically, or smoothed as well. */
  interpolation?: 'bicubic' | 'antialias';
}

/** Positions before the patches. */
export const prefixLength = ({ classToken, registers }: VisionTower): number =>
  (classToken === undefined ? 0 : 1) + (registers?.count ?? 0);

/** Tokens of an image: class token, registers and patches. */
export const visionLength = (vision: VisionTower): number =>
  (vision.imageSize / vision.patchSize) ** 2 + prefixLength(vision);

/** Sites of the tower. A final norm that sees the class token only is a pooled site. */
export function visionSites(vision: VisionTower, dim: number): Site[] {
  const embedding: Site = { name: 'vision.embed', d: dim, modality: 'image', kind: 'pooled' };
  const kind = vision.pooling === 'class' ? 'pooled' : 'tokens';
  return [...stackSites(vision.stack, 'vision.', 'image', kind), embedding];
}

/** Names and shapes of the tower's parameters; `dim` is that of its embedding. */
export function visionShapes(vision: VisionTower, dim: number): TensorShapes {
  const { stack, patches, patchSize, classToken, registers, leading, positions, inputNorm, pooling } = vision;
  const { d } = stack;
  const first = leading ? [1] : [];
  const positioned = visionLength(vision) - (registers?.count ?? 0);
  return {
    ...(classToken === undefined ? {} : { [classToken]: leading ? [1, 1, d] : [d] }),
    ...(registers ? { [registers.name]: [...first, registers.count, d] } : {}),
    [`${patches}.weight`]: [d, 3, patchSize, patchSize],
    ...(vision.patchBias ? { [`${patches}.bias`]: [d] } : {}),
    [`${positions}.weight`]: [...first, positioned, d],
    ...normShapes(inputNorm, stack),
    ...towerShapes(vision, dim),
    ...(typeof pooling === 'object' ? poolingShapes(pooling, stack) : {}),
  };
}

/** Names of the tower's linear layers, without `.weight`. */
export const visionLinears = (vision: VisionTower): string[] => [
  ...towerLinears(vision),
  ...(typeof vision.pooling === 'object' ? poolingLinears(vision.pooling) : []),
];

/** What turns pixels into the tower's stream, by parameters' names without `.weight`. */
export const visionTables = ({ patches, classToken, registers, positions }: VisionTower): string[] => [
  patches,
  ...(classToken === undefined ? [] : [classToken]),
  ...(registers ? [registers.name] : []),
  positions,
];

/**
 * Patches [n·g², d] of pixels [n, size, size, 3]: a convolution whose stride is its width is a matrix product over
 * patches, row by row, here in the pixels' own order (row, column, channel).
 */
function embedPatches(params: NamedTensors, vision: VisionTower, pixels: Tensor4D): Tensor2D {
  const { patchSize: p, imageSize } = vision;
  const grid = imageSize / p;
  const rows = tf.reshape(pixels, [pixels.shape[0] * grid, p, grid, p * 3]);
  const patches = tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [pixels.shape[0] * grid * grid, p * p * 3]) as Tensor2D;
  const kernel = params[`${vision.patches}.weight`] as Tensor4D;
  const matrix = tf.reshape(tf.transpose(kernel, [2, 3, 1, 0]), [p * p * 3, vision.stack.d]) as Tensor2D;
  const embedded: Tensor2D = tf.matMul(patches, matrix);
  return vision.patchBias ? tf.add<Tensor2D>(embedded, params[`${vision.patches}.bias`]!) : embedded;
}

/** The input of the first block [n·t, d]. */
function embedPixels(params: NamedTensors, vision: VisionTower, pixels: Tensor4D): Tensor2D {
  const { stack, classToken, registers, inputNorm } = vision;
  const { d } = stack;
  const n = pixels.shape[0];
  const t = visionLength(vision);
  const repeated = (name: string, count: number): Tensor =>
    tf.add(tf.zeros([n, count, d]), tf.reshape(params[name]!, [count, d]));
  const patches = tf.reshape(embedPatches(params, vision, pixels), [n, t - prefixLength(vision), d]);
  const table = params[`${vision.positions}.weight`]!;
  const positions = tf.reshape(table, [table.size / d, d]);
  const withClass = classToken === undefined ? patches : tf.concat([repeated(classToken, 1), patches], 1);
  let tokens: Tensor = tf.add(withClass, positions);
  if (registers) {
    const [first, rest] = tf.split(tokens, [1, -1], 1) as [Tensor, Tensor];
    tokens = tf.concat([first, repeated(registers.name, registers.count), rest], 1);
  }
  const flat = tf.reshape(tokens, [n * t, d]) as Tensor2D;
  return inputNorm === undefined ? flat : normaliseBy(stack, params, inputNorm, flat);
}

/**
 * Embeddings [n, dim] (not normalised) and captured sites of normalised pixels [n, size, size, 3]. Differentiable in
 * `params`.
 */
export function visionForward(
  params: NamedTensors,
  vision: VisionTower,
  dim: number,
  pixels: Tensor4D,
  options: ForwardOptions = {},
): ForwardResult {
  const { imageSize } = vision;
  if (pixels.shape.slice(1).join() !== `${imageSize},${imageSize},3`) {
    throw new UserError(`pixels: expected [n, ${imageSize}, ${imageSize}, 3], found [${pixels.shape}].`);
  }
  return tf.tidy(() => {
    const x = embedPixels(params, vision, pixels);
    return runVision(params, vision, dim, x, pixels.shape[0], 0, options);
  });
}

/**
 * The rest of `visionForward` when the residual stream at `site` is x [n, length, d].
 *
 * @throws UserError for a site that is none of the vision tower's residual stream.
 */
export function visionForwardFrom(
  params: NamedTensors,
  vision: VisionTower,
  dim: number,
  site: string,
  x: Tensor3D,
  options: ForwardOptions = {},
): ForwardResult {
  const from = blockAfter(site, 'vision.', vision.stack.layers);
  const [n, t, d] = x.shape;
  return tf.tidy(() => runVision(params, vision, dim, tf.reshape(x, [n * t, d]), n, from, options));
}

/** The vision tower from the input x [n·t, d] of block `from` on. */
function runVision(
  params: NamedTensors,
  vision: VisionTower,
  dim: number,
  x: Tensor2D,
  n: number,
  from: number,
  options: ForwardOptions,
): TowerResult {
  const { stack, pooling } = vision;
  const t = visionLength(vision);
  const mask = new Uint8Array(n * t).fill(1);
  const hooks = createHooks(options, () => visionSites(vision, dim), { n, mask, offset: 0, phase: 'prompt' });
  const classOnly = pooling === 'class';
  return runTower(params, x, hooks, options.output !== false, {
    site: 'vision.',
    tower: vision,
    pass: { n, t, from, firstColumn: classOnly },
    pool: (last, reached) => {
      // A pass that begins after the last block has all columns.
      const wanted = classOnly && from >= stack.layers ? firstColumns(last, n) : last;
      const states = reached.visit(`vision.${FINAL_NORM_SITE}`, normaliseBy(stack, params, vision.finalNorm, wanted));
      if (classOnly) return states;
      return typeof pooling === 'object' ? attentionPool(params, pooling, stack, states, n) : firstColumns(states, n);
    },
  });
}
