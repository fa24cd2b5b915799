/** @file The last hidden state of texts as a function of their activations at a site. */
import {
  type ActivationSet,
  type LanguageModel,
  type Tensor2D,
  type Tensor3D,
  type TokenBatch,
  tf,
  UserError,
} from '../../../harness/contract.ts';
import { groupTexts, isResidualStream } from '../../../harness/kit/index.ts';
import { requireLanguageModel } from '../language-model.ts';
import { type BatchRows, rowsOf, tokensOf } from '../token-batches.ts';

/** The final norm's output: what the unembedding reads. */
const FINAL = 'ln_final.hook_normalized';
/** Floats of one activation of a pass, rows · d: bounds what is kept for the way back. */
const PASS_FLOATS = 2 ** 19;

/** A language model with the site whose activations are changed. */
export interface Place {
  lm: LanguageModel;
  site: string;
  /** Of the last hidden state. */
  d: number;
}

/** Collected items as one right-padded batch. */
export interface CollectedBatch extends BatchRows {
  /** Places of the items in their set. */
  places: Uint32Array;
  tokens: TokenBatch;
}

/** @throws UserError where there is no language model, or not one site of it. */
export function requirePlace(
  method: string,
  { subject, site }: { subject?: { type: string } | undefined; site?: string | undefined },
): Place {
  const lm = requireLanguageModel(method, subject, 'through which gradients go');
  const final = lm.sites.find(({ name }) => name === FINAL);
  if (!final) throw new UserError(`${method}: expected a language model with the site '${FINAL}', found ${lm.id}`);
  if (!lm.sites.some(({ name }) => name === site)) {
    throw new UserError(`${method}: expected one site of ${lm.id}, found '${site}'`);
  }
  return { lm, site: site!, d: final.d };
}

/** Batches of the items at `places`, those of like length together; items without a token are in none. */
export async function* collectedBatches(set: ActivationSet, places: Uint32Array): AsyncGenerator<CollectedBatch> {
  const { bounds, d_in } = set;
  const items = [...places]
    .map((place) => ({ place, start: bounds[place]!, length: bounds[place + 1]! - bounds[place]! }))
    .filter(({ length }) => length > 0)
    .sort((a, b) => a.length - b.length || a.place - b.place);
  for (const group of groupTexts(items, PASS_FLOATS / d_in)) {
    const tokens = tokensOf(set, group);
    yield { places: Uint32Array.from(group, ({ place }) => place), tokens, ...(await rowsOf(set, group, tokens)) };
  }
}

/** The final norm's output at the last token of each text [n, d], of activations [n, length, d_in] at the site; differentiable. */
export function lastStates({ lm, site, d }: Place, tokens: TokenBatch): (x: Tensor3D) => Tensor2D {
  const { n, length, mask } = tokens;
  const lasts = Int32Array.from(
    { length: n },
    (_, i) => i * length + mask.subarray(i * length).lastIndexOf(1, length - 1),
  );
  return (x) => {
    const options = { capture: [FINAL], output: false };
    const { captured } =
      lm.forwardFrom && isResidualStream(site)
        ? lm.forwardFrom(site, x, tokens, options)
        : lm.forward(tokens, { ...options, interventions: [{ site, apply: () => x }] });
    return tf.gather(tf.reshape(captured[FINAL]!, [n * length, d]), tf.tensor1d(lasts, 'int32')) as Tensor2D;
  };
}
