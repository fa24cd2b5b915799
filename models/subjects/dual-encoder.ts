/**
 * @file Encoders of images and texts into one space, of any family: what a family declares, and the two towers as pure,
 * differentiable functions of the parameters. `define-dual-encoder.ts` makes a subject of it; clip.ts is a family.
 *
 * What the families to come add, each a field that CLIP leaves out. SigLIP: no class token, a bias of the patches, a
 * pooling by attention in place of the first column's, the text's last column, a logit bias. DINO: a vision tower alone
 * (a type of subject of its own in the contract) with a factor on what each layer adds.
 */
import {
  type ForwardOptions,
  type ForwardResult,
  type NamedTensors,
  type Site,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  type TokenBatch,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { linear, normalise } from './layers.ts';
import { embedTokens } from './positions.ts';
import { createHooks, FINAL_NORM_SITE, type Hooks, stackSites } from './sites.ts';
import {
  blockAfter,
  firstColumns,
  linearNames,
  normShapes,
  runStack,
  type StackPass,
  type StackSpec,
  stackShapes,
  storedLinears,
} from './transformer.ts';
import type { FileLayout, TensorShapes } from './weights.ts';

/** What both towers have. Names are those of parameters, without `.weight` and `.bias`. */
interface TowerSpec {
  stack: StackSpec;
  /** Table of positions, which are learned [length, d]. */
  positions: string;
  finalNorm: string;
  /** Takes the pooled state to the shared space, without a bias. */
  projection: string;
}

export interface VisionTower extends TowerSpec {
  imageSize: number;
  patchSize: number;
  /** Convolution over patches [d, 3, patchSize, patchSize], without a bias. */
  patches: string;
  /** What stands before the patches [d], by its whole name; its state is the image's. */
  classToken: string;
  /** Norm before the first block. */
  inputNorm: string;
}

export interface TextTower extends TowerSpec {
  vocab: number;
  maxLength: number;
  /** Table of the tokens [vocab, d]. */
  embed: string;
  /** 2 is what old configs say whatever the vocabulary: the pooled token is then the one with the largest id. */
  eosId: number;
}

/** The architecture of a pair of encoders. */
export interface DualEncoder {
  projectionDim: number;
  vision: VisionTower;
  text: TextTower;
  /** Logarithm of the factor on cosines, a scalar, by its whole name. */
  logitScale: string;
  /** How files hold all this, beside what the stacks say of their layers. */
  files?: FileLayout;
}

/** Tokens of an image: the class token and the patches. */
const visionLength = ({ imageSize, patchSize }: VisionTower): number => (imageSize / patchSize) ** 2 + 1;

/** Sites of the vision tower; its final norm sees the class token only, so that site is pooled. */
export function visionSites({ vision, projectionDim }: DualEncoder): Site[] {
  const embedding: Site = { name: 'vision.embed', d: projectionDim, modality: 'image', kind: 'pooled' };
  return [...stackSites(vision.stack, 'vision.', 'image', 'pooled'), embedding];
}

/** Sites of the text tower. */
export function textSites({ text, projectionDim }: DualEncoder): Site[] {
  const embedding: Site = { name: 'text.embed', d: projectionDim, modality: 'text', kind: 'pooled' };
  return [...stackSites(text.stack, 'text.', 'text', 'tokens'), embedding];
}

/** Names and shapes of all parameters. */
export function dualEncoderShapes({ vision, text, projectionDim, logitScale }: DualEncoder): TensorShapes {
  return {
    [logitScale]: [],
    [vision.classToken]: [vision.stack.d],
    [`${vision.patches}.weight`]: [vision.stack.d, 3, vision.patchSize, vision.patchSize],
    [`${vision.positions}.weight`]: [visionLength(vision), vision.stack.d],
    ...normShapes(vision.inputNorm, vision.stack),
    ...stackShapes(vision.stack),
    ...normShapes(vision.finalNorm, vision.stack),
    [`${vision.projection}.weight`]: [projectionDim, vision.stack.d],
    [`${text.embed}.weight`]: [text.vocab, text.stack.d],
    [`${text.positions}.weight`]: [text.maxLength, text.stack.d],
    ...stackShapes(text.stack),
    ...normShapes(text.finalNorm, text.stack),
    [`${text.projection}.weight`]: [projectionDim, text.stack.d],
  };
}

/** What turns patches and ids into the towers' streams, by parameters' names without `.weight`. */
export const dualEncoderTables = ({ vision, text }: DualEncoder): string[] => [
  ...[vision.patches, vision.classToken, vision.positions],
  ...[text.embed, text.positions],
];

/** How files hold the parameters. */
export function dualEncoderFiles({ files, vision, text }: DualEncoder): FileLayout {
  return { ...files, linears: { ...storedLinears(vision.stack), ...storedLinears(text.stack) } };
}

/** Names of all linear layers, without `.weight`. */
export function dualEncoderLinears({ vision, text }: DualEncoder): string[] {
  return [...linearNames(vision.stack), ...linearNames(text.stack), vision.projection, text.projection];
}

/** One pass through a tower. */
interface TowerPass {
  site: 'vision.' | 'text.';
  tower: TowerSpec;
  pass: Omit<StackPass, 'sitePrefix' | 'hooks'>;
  /** From what `pass` gives of the last block's output to the pooled rows [n, d], by way of the final norm. */
  pool: (x: Tensor2D, hooks: Hooks) => Tensor2D;
}

/** As `ForwardResult`, in the form that `tf.tidy` takes. */
type TowerResult = { embeds?: Tensor2D; captured: Record<string, Tensor3D> };

function runTower(params: NamedTensors, x: Tensor2D, hooks: Hooks, output: boolean, run: TowerPass): TowerResult {
  const { site, tower } = run;
  const { x: last, captured } = runStack(params, tower.stack, x, { ...run.pass, sitePrefix: site, hooks });
  if (!last || hooks.finished()) return { captured };
  const pooled = run.pool(last, hooks);
  const embeds = hooks.finished() ? undefined : linear(params, tower.projection, pooled);
  const projected = embeds && hooks.visit(`${site}embed`, embeds);
  Object.assign(captured, hooks.take());
  return output && projected ? { embeds: projected, captured } : { captured };
}

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
  return tf.matMul(patches, matrix);
}

/**
 * Embeddings [n, projection_dim] (not normalised) and captured sites of normalised pixels [n, size, size, 3].
 * Differentiable in `params`.
 */
export function imageForward(
  params: NamedTensors,
  model: DualEncoder,
  pixels: Tensor4D,
  options: ForwardOptions = {},
): ForwardResult {
  const { vision } = model;
  const { stack, imageSize } = vision;
  const n = pixels.shape[0];
  const t = visionLength(vision);
  if (pixels.shape.slice(1).join() !== `${imageSize},${imageSize},3`) {
    throw new UserError(`pixels: expected [n, ${imageSize}, ${imageSize}, 3], found [${pixels.shape}].`);
  }
  return tf.tidy(() => {
    const patches = tf.reshape(embedPatches(params, vision, pixels), [n, t - 1, stack.d]);
    const classToken = tf.add(tf.zeros([n, 1, stack.d]), params[vision.classToken]!);
    const positions = params[`${vision.positions}.weight`]!;
    const tokens = tf.reshape(tf.add(tf.concat([classToken, patches], 1), positions), [n * t, stack.d]) as Tensor2D;
    const x = normalise(params, vision.inputNorm, tokens, stack.norm, stack.epsilon);
    return runVision(params, model, x, n, 0, options);
  });
}

/**
 * The rest of `imageForward` when the residual stream at `site` is x [n, length, d].
 *
 * @throws UserError for a site that is none of the vision tower's residual stream.
 */
export function imageForwardFrom(
  params: NamedTensors,
  model: DualEncoder,
  site: string,
  x: Tensor3D,
  options: ForwardOptions = {},
): ForwardResult {
  const from = blockAfter(site, 'vision.', model.vision.stack.layers);
  const [n, t, d] = x.shape;
  return tf.tidy(() => runVision(params, model, tf.reshape(x, [n * t, d]), n, from, options));
}

/** The vision tower from the input x [n·t, d] of block `from` on. */
function runVision(
  params: NamedTensors,
  model: DualEncoder,
  x: Tensor2D,
  n: number,
  from: number,
  options: ForwardOptions,
): TowerResult {
  const { vision } = model;
  const { stack } = vision;
  const t = visionLength(vision);
  const mask = new Uint8Array(n * t).fill(1);
  const hooks = createHooks(options, () => visionSites(model), { n, mask, offset: 0, phase: 'prompt' });
  return runTower(params, x, hooks, options.output !== false, {
    site: 'vision.',
    tower: vision,
    pass: { n, t, from, firstColumn: true },
    pool: (last, reached) => {
      const classTokens = from < stack.layers ? last : firstColumns(last, n);
      const pooled = normalise(params, vision.finalNorm, classTokens, stack.norm, stack.epsilon);
      return reached.visit(`vision.${FINAL_NORM_SITE}`, pooled);
    },
  });
}

/** Column of the token whose state is the text's: see `TextTower.eosId`. Padding is never it. */
function pooledColumn({ ids, mask, length }: TokenBatch, row: number, eosId: number): number {
  let best = 0;
  for (let column = 0; column < length; column++) {
    const at = row * length + column;
    if (!mask[at]) continue;
    if (eosId !== 2 && ids[at] === eosId) return column;
    if (eosId === 2 && ids[at]! > ids[row * length + best]!) best = column;
  }
  return best;
}

/** Embeddings [n, projection_dim] (not normalised) and captured sites of right-padded texts; as `imageForward`. */
export function textForward(
  params: NamedTensors,
  model: DualEncoder,
  batch: TokenBatch,
  options: ForwardOptions = {},
): ForwardResult {
  const { text } = model;
  const { stack, maxLength, eosId } = text;
  const { n, length: t, mask } = batch;
  if (t > maxLength) throw new UserError(`texts: expected at most ${maxLength} ids, found ${t}.`);
  const hooks = createHooks(options, () => textSites(model), { n, mask, offset: 0, phase: 'prompt' });
  return tf.tidy(() => {
    const names = { embed: text.embed, positions: { table: text.positions } };
    const x = embedTokens(
      params,
      names,
      batch.ids,
      Int32Array.from({ length: t }, (_, i) => i),
    );
    return runTower(params, x, hooks, options.output !== false, {
      site: 'text.',
      tower: text,
      pass: { n, t },
      pool: (last, reached) => {
        const normed = normalise(params, text.finalNorm, last, stack.norm, stack.epsilon);
        const states = reached.visit(`text.${FINAL_NORM_SITE}`, normed);
        const rows = Int32Array.from({ length: n }, (_, row) => row * t + pooledColumn(batch, row, eosId));
        return tf.gather(states, tf.tensor1d(rows, 'int32'));
      },
    });
  });
}
