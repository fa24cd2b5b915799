/**
 * @file Encoders of texts alone, of any family: what a family declares, and the pass as a pure, differentiable function of
 * the parameters. `define-text-encoder.ts` makes a subject of it; bert.ts is a family.
 */
import {
  type ForwardOptions,
  type ForwardResult,
  type NamedTensors,
  type Site,
  type Tensor2D,
  type Tensor3D,
  type TokenBatch,
  tf,
  UserError,
} from '../../harness/contract.ts';
import { unitRows } from './contrastive.ts';
import { embedTokens } from './positions.ts';
import type { TextPooling } from './sentence-pooling.ts';
import { createHooks, FINAL_NORM_SITE, stackSites } from './sites.ts';
import type { StackSpec } from './stack-spec.ts';
import { fileLayout, firstColumns, normaliseBy, normShapes, runStack, stackShapes } from './transformer.ts';
import type { FileLayout, TensorShapes } from './weights.ts';

/** The architecture of an encoder of texts. Names are those of its parameters, without `.weight` and `.bias`. */
export interface TextEncoder {
  stack: StackSpec;
  vocab: number;
  /** Longest sequence, one learned position each. */
  maxLength: number;
  /** Table of the tokens [vocab, d]. */
  embed: string;
  /** Table of the positions [maxLength, d]. */
  positions: string;
  /** Table of the types of tokens [types, d], whose first row every token of a single text has. */
  tokenTypes: { name: string; types: number };
  /** Norm before the first block. */
  inputNorm: string;
  files?: FileLayout;
}

/** Site of the pooled embedding. */
const EMBED_SITE = 'embed';

/** Sites of the blocks, and the pooled embedding. The stream of blocks with norms after has no final norm. */
export function textEncoderSites({ stack }: TextEncoder): Site[] {
  const blocks = stackSites(stack, '', 'text', 'tokens').filter(({ name }) => name !== FINAL_NORM_SITE);
  return [...blocks, { name: EMBED_SITE, d: stack.d, modality: 'text', kind: 'pooled' }];
}

/** Names and shapes of all parameters. */
export function textEncoderShapes(model: TextEncoder): TensorShapes {
  const { stack, vocab, maxLength, embed, positions, tokenTypes, inputNorm } = model;
  return {
    [`${embed}.weight`]: [vocab, stack.d],
    [`${positions}.weight`]: [maxLength, stack.d],
    [`${tokenTypes.name}.weight`]: [tokenTypes.types, stack.d],
    ...normShapes(inputNorm, stack),
    ...stackShapes(stack),
  };
}

/** What turns ids into the stream, by parameters' names without `.weight`. */
export const textEncoderTables = ({ embed, positions, tokenTypes }: TextEncoder): string[] => [
  embed,
  positions,
  tokenTypes.name,
];

/** How files hold the parameters. */
export const textEncoderFiles = ({ files, stack }: TextEncoder): FileLayout => fileLayout(files, stack);

/** One vector a text of its states x [n·t, d]; padding takes no part. */
function pool(x: Tensor2D, { n, length, mask }: TokenBatch, { mode, unit }: TextPooling): Tensor2D {
  const d = x.shape[1];
  let pooled = mode === 'cls' ? firstColumns(x, n) : undefined;
  if (!pooled) {
    const real = tf.tensor3d(Float32Array.from(mask), [n, length, 1]);
    const sum = tf.sum(tf.mul(tf.reshape(x, [n, length, d]), real), 1);
    pooled = tf.div(sum, tf.maximum(tf.sum(real, 1), 1e-9));
  }
  return unit ? unitRows(pooled) : pooled;
}

/** Embeddings [n, d] and captured sites of right-padded texts. Differentiable in `params`. */
export function textEncoderForward(
  params: NamedTensors,
  model: TextEncoder,
  pooling: TextPooling,
  batch: TokenBatch,
  options: ForwardOptions = {},
): ForwardResult {
  const { stack, maxLength, tokenTypes } = model;
  const { n, length: t, mask, ids } = batch;
  if (t > maxLength) throw new UserError(`texts: expected at most ${maxLength} ids, found ${t}.`);
  const hooks = createHooks(options, () => textEncoderSites(model), { n, mask, offset: 0, phase: 'prompt' });
  return tf.tidy(() => {
    const names = { embed: model.embed, positions: { table: model.positions } };
    const columns = Int32Array.from({ length: t }, (_, i) => i);
    const type = tf.slice(params[`${tokenTypes.name}.weight`] as Tensor2D, [0, 0], [1, stack.d]);
    const tokens = tf.add<Tensor2D>(embedTokens(params, names, ids, columns), type);
    const input = normaliseBy(stack, params, model.inputNorm, tokens);
    const seen = mask.includes(0) ? tf.tensor2d(mask, [n, t], 'bool') : undefined;
    const { x, captured } = runStack(params, stack, input, { n, t, sitePrefix: '', hooks, ...(seen ? { seen } : {}) });
    if (!x || hooks.finished()) return { captured };
    const embeds = hooks.visit(EMBED_SITE, pool(x, batch, pooling));
    const all: Record<string, Tensor3D> = { ...captured, ...hooks.take() };
    return options.output === false ? { captured: all } : { embeds, captured: all };
  });
}
