/** @file CLIP's two towers as pure, differentiable functions of their parameters. */
import { type ForwardOptions, type ForwardResult, type NamedTensors, type Scalar, type Site, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D, type TokenBatch, tf, UserError } from '../../harness/contract.ts';
import { rowLogSumExp } from '../../harness/kit/index.ts';
import { type ClipConfig, visionLength } from './clip-config.ts';
import { embed, linear, normalise } from './layers.ts';
import { createHooks, FINAL_NORM_SITE, type Hooks, stackSites } from './sites.ts';
import { blockAfter, firstColumns, runStack, type StackPass, type StackSpec } from './transformer.ts';

/** Sites of the vision tower; its final norm sees the class token only, so that site is pooled. */
export function visionSites({ vision, projectionDim }: ClipConfig): Site[] {
  const embedding: Site = { name: 'vision.embed', d: projectionDim, modality: 'image', kind: 'pooled' };
  return [...stackSites(vision.stack, 'vision.', 'image', 'pooled'), embedding];
}

/** Sites of the text tower. */
export function textSites({ text, projectionDim }: ClipConfig): Site[] {
  const embedding: Site = { name: 'text.embed', d: projectionDim, modality: 'text', kind: 'pooled' };
  return [...stackSites(text.stack, 'text.', 'text', 'tokens'), embedding];
}

/** What differs between the towers. */
interface Tower {
  prefix: 'vision.' | 'text.';
  stack: StackSpec;
  pass: Omit<StackPass, 'sitePrefix' | 'hooks'>;
  /** From what `pass` gives of the last block's output to the pooled rows [n, d], by way of the final norm. */
  pool: (x: Tensor2D, hooks: Hooks) => Tensor2D;
  projection: string;
}

/** As `ForwardResult`, in the form that `tf.tidy` takes. */
type TowerResult = { embeds?: Tensor2D; captured: Record<string, Tensor3D> };

function runTower(params: NamedTensors, x: Tensor2D, hooks: Hooks, output: boolean, tower: Tower): TowerResult {
  const pass = { ...tower.pass, sitePrefix: tower.prefix, hooks };
  const { x: last, captured } = runStack(params, tower.stack, x, pass);
  if (!last || hooks.finished()) return { captured };
  const pooled = tower.pool(last, hooks);
  const embeds = hooks.finished() ? undefined : linear(params, tower.projection, pooled);
  const projected = embeds && hooks.visit(`${tower.prefix}embed`, embeds);
  Object.assign(captured, hooks.take());
  return output && projected ? { embeds: projected, captured } : { captured };
}

/**
 * Patches [n·g², d] of pixels [n, size, size, 3]: a convolution whose stride is its width is a matrix product over
 * patches, row by row, here in the pixels' own order (row, column, channel).
 */
function embedPatches(params: NamedTensors, { vision }: ClipConfig, pixels: Tensor4D): Tensor2D {
  const { patchSize: p, imageSize } = vision;
  const grid = imageSize / p;
  const rows = tf.reshape(pixels, [pixels.shape[0] * grid, p, grid, p * 3]);
  const patches = tf.reshape(tf.transpose(rows, [0, 2, 1, 3]), [pixels.shape[0] * grid * grid, p * p * 3]) as Tensor2D;
  const kernel = params['vision_model.embeddings.patch_embedding.weight'] as Tensor4D;
  const matrix = tf.reshape(tf.transpose(kernel, [2, 3, 1, 0]), [p * p * 3, vision.stack.d]) as Tensor2D;
  return tf.matMul(patches, matrix);
}

/**
 * Embeddings [n, projection_dim] (not normalised) and captured sites of normalised pixels [n, size, size, 3].
 * Differentiable in `params` (Hugging Face names).
 */
export function clipImageForward(
  params: NamedTensors,
  config: ClipConfig,
  pixels: Tensor4D,
  options: ForwardOptions = {},
): ForwardResult {
  const { stack, imageSize } = config.vision;
  const n = pixels.shape[0];
  const t = visionLength(config);
  if (pixels.shape.slice(1).join() !== `${imageSize},${imageSize},3`) {
    throw new UserError(`clip: pixels: expected [n, ${imageSize}, ${imageSize}, 3], found [${pixels.shape}].`);
  }
  return tf.tidy(() => {
    const patches = tf.reshape(embedPatches(params, config, pixels), [n, t - 1, stack.d]);
    const classToken = tf.add(tf.zeros([n, 1, stack.d]), params['vision_model.embeddings.class_embedding']!);
    const positions = params['vision_model.embeddings.position_embedding.weight']!;
    const tokens = tf.reshape(tf.add(tf.concat([classToken, patches], 1), positions), [n * t, stack.d]) as Tensor2D;
    const x = normalise(params, 'vision_model.pre_layrnorm', tokens, 'layer', stack.epsilon);
    return runVision(params, config, x, n, 0, options);
  });
}

/**
 * The rest of `clipImageForward` when the residual stream at `site` is x [n, length, d].
 *
 * @throws UserError for a site that is none of the vision tower's residual stream.
 */
export function clipImageFrom(
  params: NamedTensors,
  config: ClipConfig,
  site: string,
  x: Tensor3D,
  options: ForwardOptions = {},
): ForwardResult {
  const { stack } = config.vision;
  const from = blockAfter(site, 'vision.', stack.layers);
  const [n, t, d] = x.shape;
  return tf.tidy(() => runVision(params, config, tf.reshape(x, [n * t, d]), n, from, options));
}

/** The vision tower from the input x [n·t, d] of block `from` on. */
function runVision(
  params: NamedTensors,
  config: ClipConfig,
  x: Tensor2D,
  n: number,
  from: number,
  options: ForwardOptions,
): TowerResult {
  const { stack } = config.vision;
  const t = visionLength(config);
  const known = visionSites(config).map(({ name }) => name);
  const hooks = createHooks(options, known, { n, mask: new Uint8Array(n * t).fill(1), offset: 0, phase: 'prompt' });
  return runTower(params, x, hooks, options.output !== false, {
    prefix: 'vision.',
    stack,
    pass: { n, t, from, firstColumn: true },
    projection: 'visual_projection',
    pool: (last, reached) => {
      const classTokens = from < stack.layers ? last : firstColumns(last, n);
      const pooled = normalise(params, 'vision_model.post_layernorm', classTokens, 'layer', stack.epsilon);
      return reached.visit(`vision.${FINAL_NORM_SITE}`, pooled);
    },
  });
}

/** Column of the token whose state is the text's: see `ClipConfig.text.eosId`. Padding is never it. */
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

/** Embeddings [n, projection_dim] (not normalised) and captured sites of right-padded texts; as `clipImageForward`. */
export function clipTextForward(
  params: NamedTensors,
  config: ClipConfig,
  batch: TokenBatch,
  options: ForwardOptions = {},
): ForwardResult {
  const { stack, maxLength, eosId } = config.text;
  const { n, length: t, mask } = batch;
  if (t > maxLength) throw new UserError(`clip: texts: expected at most ${maxLength} ids, found ${t}.`);
  const known = textSites(config).map(({ name }) => name);
  const hooks = createHooks(options, known, { n, mask, offset: 0, phase: 'prompt' });
  return tf.tidy(() => {
    const table = params['text_model.embeddings.token_embedding.weight'] as Tensor2D;
    const positions = params['text_model.embeddings.position_embedding.weight'] as Tensor2D;
    const words = tf.reshape(embed(table, batch.ids), [n, t, stack.d]);
    const x = tf.reshape(tf.add(words, tf.slice(positions, [0, 0], [t, stack.d])), [n * t, stack.d]) as Tensor2D;
    return runTower(params, x, hooks, options.output !== false, {
      prefix: 'text.',
      stack,
      pass: { n, t },
      projection: 'text_projection',
      pool: (last, reached) => {
        const normed = normalise(params, 'text_model.final_layer_norm', last, 'layer', stack.epsilon);
        const states = reached.visit(`text.${FINAL_NORM_SITE}`, normed);
        const rows = Int32Array.from({ length: n }, (_, row) => row * t + pooledColumn(batch, row, eosId));
        return tf.gather(states, tf.tensor1d(rows, 'int32'));
      },
    });
  });
}

/** Rows divided by their Euclidean norm. */
export function unitRows(x: Tensor2D): Tensor2D {
  return tf.mul(x, tf.rsqrt(tf.add(tf.sum(tf.square(x), 1, true), 1e-12)));
}

/**
 * The symmetric cross-entropy over a batch of pairs (Radford et al. 2021, figure 3) from raw embeddings [n, dim], whose
 * row i belong together. `logitScale` is the logarithm of the factor on cosines, as the weights hold it.
 */
export function contrastiveLoss(images: Tensor2D, texts: Tensor2D, logitScale: Tensor): Scalar {
  return tf.tidy(() => {
    const [image, text] = [unitRows(images), unitRows(texts)];
    const scale = tf.exp(logitScale);
    const logits = tf.mul<Tensor2D>(tf.matMul(image, text, false, true), scale);
    const matching = tf.mul(tf.sum(tf.mul(image, text), 1), scale);
    const both = tf.add(rowLogSumExp(logits), rowLogSumExp(tf.transpose(logits)));
    return tf.mean(tf.sub(tf.mul(both, 0.5), matching)) as Scalar;
  });
}

/** CLIP's loss of a batch of pairs: what training minimises. */
export function clipLoss(params: NamedTensors, config: ClipConfig, pixels: Tensor4D, texts: TokenBatch): Scalar {
  const images = clipImageForward(params, config, pixels).embeds!;
  return contrastiveLoss(images, clipTextForward(params, config, texts).embeds!, params['logit_scale']!);
}
