/** @file What raters are shown is made of: the held-out items of a site in tokens or as images, and what is known of them. */
import type { Item } from '../contract/data.ts';
import type { ActivationSet } from '../contract.ts';
import { UserError } from '../errors.ts';
import { readPrepared } from '../execute/evaluate.ts';
import type { Run } from '../execute/run.ts';
import type { Session } from '../execute/session.ts';
import { squarePng } from '../io/image.ts';
import type { SitePlan } from '../plan.ts';
import type { AssessmentExample } from '../schema/assessment-item.generated.ts';
import { PROTOCOLS, type ProtocolId } from './protocols.ts';
import { type TokenizedItem, tokenizedItems } from './read-items.ts';

export interface Materials {
  modality: 'text' | 'image';
  items: readonly Item[];
  /** Of texts. */
  tokenized?: TokenizedItem[];
  /** Places of the items that may be shown. */
  usable: Uint32Array;
}

/** Where methods stand. */
export interface AssessedSite {
  run: Run;
  sitePlan: SitePlan;
  session: Session;
}

/** The task whose embedding of items MS is computed by. */
const MS_TASK = 'monosemanticity';

/** What the task of the MS score left of the items that may be shown; undefined where the run has not had it. */
export async function embeddingOf(
  { run, sitePlan }: AssessedSite,
  usable: Uint32Array,
): Promise<Float32Array | undefined> {
  const prepare = sitePlan.prepares.find(({ task }) => task.id === MS_TASK);
  const stored = prepare && (await run.store.open('prepare', prepare.key));
  const found = stored && (await readPrepared(stored.folder)).arrays['embedding'];
  if (!found) return undefined;
  const dim = found.shape[1]!;
  const rows = new Float32Array(usable.length * dim);
  usable.forEach((item, i) => {
    rows.set((found.data as Float32Array).subarray(item * dim, (item + 1) * dim), i * dim);
  });
  return rows;
}

const OTHERS = 'take intruder, pair, detection or name';

/**
 * The items of the site's held-out activations, as far as a protocol can show them.
 *
 * @param window Tokens of a text that are shown.
 * @throws UserError where the protocol cannot show such items.
 */
export async function materialsOf(
  { session, sitePlan }: AssessedSite,
  set: ActivationSet,
  protocol: ProtocolId,
  window: number,
): Promise<Materials> {
  const items = await session.testItems();
  const { needsTokens } = PROTOCOLS[protocol];
  if (items.every(({ image }) => image !== undefined)) {
    if (needsTokens) {
      throw new UserError(`assess: ${protocol}: expected texts, whose tokens are marked; found images: ${OTHERS}.`);
    }
    return { modality: 'image', items, usable: Uint32Array.from(items, (_, i) => i) };
  }
  const { subject } = session;
  const tokenized = tokenizedItems(items, set, subject && 'tokenizer' in subject ? subject.tokenizer : undefined);
  if (needsTokens && tokenized.some(({ rows }) => rows === undefined)) {
    throw new UserError(
      `assess: ${protocol}: expected a site with a row for each token of a text; found ${sitePlan.site}: ${OTHERS}.`,
    );
  }
  const usable = items.flatMap((_, i) => (tokenized[i]!.pieces.length >= window ? [i] : []));
  if (usable.length * 2 < items.length) {
    throw new UserError(
      `assess: expected most texts to have the ${window} tokens that are shown of each; only ${usable.length} of ${items.length} have: give a smaller --window.`,
    );
  }
  return { modality: 'text', items, tokenized, usable: Uint32Array.from(usable) };
}

/** Pixels of an image's edge. */
const PIXELS = 96;

/** Images as they are shown, each read once. */
export function imagesOf({ items, usable }: Materials): (place: number) => Promise<AssessmentExample> {
  const made = new Map<number, Promise<AssessmentExample>>();
  const make = async (place: number): Promise<AssessmentExample> => {
    const png = await squarePng(items[usable[place]!]!.image!, PIXELS);
    return { image: `data:image/png;base64,${png.toString('base64')}` };
  };
  return (place) => {
    const known = made.get(place) ?? make(place);
    made.set(place, known);
    return known;
  };
}
