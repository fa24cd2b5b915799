/**
 * @file Encoders of images and texts into one space, of any family: what a family declares, and the text tower as a pure,
 * differentiable function of the parameters (the other is in `vision-tower.ts`). `define-dual-encoder.ts` makes a subject
 * of it; clip.ts, siglip.ts and open-clip.ts are families.
 */
import {
  type ForwardOptions,
  type ForwardResult,
  type NamedTensors,
  type Site,
  type Tensor2D,
  type Tensor4D,
  type TokenBatch,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { embedTokens } from './positions.ts';
import { createHooks, FINAL_NORM_SITE, stackSites } from './sites.ts';
import { runTower, type TowerSpec, towerLinears, towerShapes } from './tower.ts';
import { fileLayout, normaliseBy } from './transformer.ts';
import {
  type VisionTower,
  visionForward,
  visionLinears,
  visionShapes,
  visionSites,
  visionTables,
} from './vision-tower.ts';
import type { FileLayout, TensorShapes } from './weights.ts';

export interface TextTower extends TowerSpec {
  vocab: number;
  maxLength: number;
  /** Table of the tokens [vocab, d]. */
  embed: string;
  /**
   * The token whose state is the text's. 2 is what old configs say whatever the vocabulary: the pooled token is then the
   * one with the largest id. `last`: the last column; texts are padded to `maxLength`, and padding is read (SigLIP).
   */
  eosId: number | 'last';
}

/** The architecture of a pair of encoders. */
export interface DualEncoder {
  projectionDim: number;
  vision: VisionTower;
  text: TextTower;
  /** Logarithm of the factor on cosines, a scalar, by its whole name. */
  logitScale: string;
  /** What is added to the scaled cosines, by its whole name; scale and bias have the shape [1] then (SigLIP). */
  logitBias?: string;
  /** How files hold all this, beside what the stacks say of their layers. */
  files?: FileLayout;
}

/** Sites of the text tower. */
export function textSites({ text, projectionDim }: DualEncoder): Site[] {
  const embedding: Site = { name: 'text.embed', d: projectionDim, modality: 'text', kind: 'pooled' };
  return [...stackSites(text.stack, 'text.', 'text', 'tokens'), embedding];
}

/** Sites of both towers. */
export const dualEncoderSites = (model: DualEncoder): Site[] => [
  ...visionSites(model.vision, model.projectionDim),
  ...textSites(model),
];

/** Names and shapes of all parameters. */
export function dualEncoderShapes({ vision, text, projectionDim, logitScale, logitBias }: DualEncoder): TensorShapes {
  return {
    [logitScale]: logitBias === undefined ? [] : [1],
    ...(logitBias === undefined ? {} : { [logitBias]: [1] }),
    ...visionShapes(vision, projectionDim),
    [`${text.embed}.weight`]: [text.vocab, text.stack.d],
    [`${text.positions}.weight`]: [text.maxLength, text.stack.d],
    ...towerShapes(text, projectionDim),
  };
}

/** What turns patches and ids into the towers' streams, by parameters' names without `.weight`. */
export const dualEncoderTables = ({ vision, text }: DualEncoder): string[] => [
  ...visionTables(vision),
  ...[text.embed, text.positions],
];

/** How files hold the parameters. */
export const dualEncoderFiles = ({ files, vision, text }: DualEncoder): FileLayout =>
  fileLayout(files, vision.stack, text.stack);

/** Names of all linear layers, without `.weight`. */
export const dualEncoderLinears = ({ vision, text }: DualEncoder): string[] => [
  ...visionLinears(vision),
  ...towerLinears(text),
];

/**
 * Column of the token whose state is the text's: see `TextTower.eosId`. Padding is never it, but where it is read.
 *
 * @throws UserError for a text without that token: transformers takes its first column then, which is the same for all texts.
 */
function pooledColumn({ ids, mask, length }: TokenBatch, row: number, eosId: TextTower['eosId']): number {
  if (eosId === 'last') return length - 1;
  let best = 0;
  for (let column = 0; column < length; column++) {
    const at = row * length + column;
    if (!mask[at]) continue;
    if (eosId !== 2 && ids[at] === eosId) return column;
    if (eosId === 2 && ids[at]! > ids[row * length + best]!) best = column;
  }
  if (eosId === 2) return best;
  throw new UserError(`texts: row ${row}: expected the id ${eosId}, which ends a text by the config's eos_token_id.`);
}

/** Embeddings [n, projection_dim] (not normalised) and captured sites of right-padded texts; as `visionForward`. */
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
  if (eosId === 'last' && t !== maxLength) {
    throw new UserError(`texts: expected ${maxLength} ids each, padding included, found ${t}.`);
  }
  const hooks = createHooks(options, () => textSites(model), { n, mask, offset: 0, phase: 'prompt' });
  return tf.tidy(() => {
    const names = { embed: text.embed, positions: { table: text.positions } };
    const x: Tensor2D = embedTokens(
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
        const normed = normaliseBy(stack, params, text.finalNorm, last);
        const states = reached.visit(`text.${FINAL_NORM_SITE}`, normed);
        const rows = Int32Array.from({ length: n }, (_, row) => row * t + pooledColumn(batch, row, eosId));
        return tf.gather(states, tf.tensor1d(rows, 'int32'));
      },
    });
  });
}

/** Embeddings and sites of images: `visionForward` of the model's vision tower. */
export const imageForward = (
  params: NamedTensors,
  { vision, projectionDim }: DualEncoder,
  pixels: Tensor4D,
  options?: ForwardOptions,
): ForwardResult => visionForward(params, vision, projectionDim, pixels, options);
