/** @file Latents for the reports' browser: the items on which each is largest, marked by token, and the tokens that it says. */
import type { ActivationSet, Item } from '../contract/data.ts';
import type { FittedMethod, PooledLatents } from '../contract/methods.ts';
import type { LanguageModel, Subject } from '../contract/subject.ts';
import type { LatentExample, ShownLatent, ShownLatents } from '../contract/task.ts';
import { thumbnail } from '../io/thumbnail.ts';
import { peek } from '../num/peek.ts';
import { tf } from '../num/tf.ts';
import { createCandidates } from './candidates.ts';
import { directionLogits } from './direction-logits.ts';
import { rowValues, textPieces } from './latent-rows.ts';
import { isResidualStream } from './rest-of-pass.ts';

/** Tokens of a text that are shown, about the one where the latent is largest. */
const WINDOW = 24;
/** Of a text without tokens. */
const CHARACTERS = 200;
const GRADES = 9;
/** Tokens of a direction. */
const TOKENS = 8;
/** Logits computed at a time. */
const LOGITS = 2 ** 23;

/** What is known of the method and of the items that may be shown. */
export interface LatentSource {
  method: FittedMethod;
  set: ActivationSet;
  /** Item i of the set. */
  items: readonly Item[];
  pooled: PooledLatents;
  /** Places of the items that may be shown; all when left out. */
  among?: Uint32Array;
  subject: Subject | undefined;
  site: string;
  /** Items are named by their ids alone. */
  private: boolean;
  /** Items of each latent. */
  examples: number;
}

export type WantedLatent = Omit<ShownLatent, 'examples' | 'fires' | 'label' | 'tokens'>;

/** The option of tasks that show latents. */
export const LATENT_EXAMPLES = {
  type: 'integer',
  minimum: 0,
  default: 3,
  description:
    'Held-out items of each latent that reports show, those of its largest values; 0 = no latents are shown.',
} as const;

/** Four digits: results are read by people. */
const rounded = (value: number): number => Number(value.toPrecision(4));

interface Top {
  item: number;
  value: number;
}

/** The items of the largest values above 0, largest first, the first of equal ones. */
function topItems(values: Float64Array, places: Uint32Array, most: number): Top[] {
  const found = Array.from(places, (item, i) => ({ item, value: values[i]! })).filter(({ value }) => value > 0);
  return found.sort((a, b) => b.value - a.value || a.item - b.item).slice(0, most);
}

/** A text about the place of the largest value; without tokens its beginning. */
function textOf(item: Item, ids: Int32Array, subject: Subject | undefined, values: Float32Array) {
  const text = item.text ?? item.caption;
  if (text === undefined) return {};
  const tokens = subject && 'tokenizer' in subject ? textPieces(text, ids, subject.tokenizer) : undefined;
  if (!tokens || tokens.pieces.length === 0) return { pieces: [text.slice(0, CHARACTERS)] };
  const own = tokens.rows.map((row) => Math.max(0, values[row]!));
  const largest = Math.max(...own);
  const peak = own.indexOf(largest);
  const start = Math.max(0, Math.min(peak - Math.floor(WINDOW / 2), own.length - WINDOW));
  return {
    pieces: tokens.pieces.slice(start, start + WINDOW),
    grades: own.slice(start, start + WINDOW).map((value) => (largest > 0 ? Math.ceil((GRADES * value) / largest) : 0)),
  };
}

/** Tokens of the largest logits of each direction. */
async function tokensOf(lm: LanguageModel, directions: readonly Float32Array[]): Promise<string[][]> {
  const d = directions[0]!.length;
  const found: string[][] = [];
  const each = Math.max(1, Math.floor(LOGITS / lm.tokenizer.vocabSize));
  const k = Math.min(TOKENS, lm.tokenizer.vocabSize);
  for (let from = 0; from < directions.length; from += each) {
    const some = directions.slice(from, from + each);
    const flat = new Float32Array(some.length * d);
    some.forEach((row, i) => {
      flat.set(row, i * d);
    });
    const ids = tf.tidy(() => tf.topk(directionLogits(lm, tf.tensor2d(flat, [some.length, d])), k).indices);
    const all = Array.from(await peek(ids));
    ids.dispose();
    for (let i = 0; i < some.length; i++) {
      const own = all.slice(i * k, (i + 1) * k);
      found.push(own.map((id) => lm.tokenizer.decode([id], { skipSpecialTokens: false })));
    }
  }
  return found;
}

/** The model whose unembedding reads what latents write; undefined where they write to no residual stream of one. */
function reader({ subject, site, method }: LatentSource): LanguageModel | undefined {
  const reads = subject?.type === 'lm' && subject.forwardFrom && isResidualStream(site) && method.directions;
  return reads && (method.d_out ?? method.d_in) === subject.sites.find(({ name }) => name === site)?.d
    ? (subject as LanguageModel)
    : undefined;
}

/** The latents with their examples, labels, rates and tokens, in the order given. */
export async function showLatents(
  source: LatentSource,
  wanted: readonly WantedLatent[],
  words: Pick<ShownLatents, 'from' | 'rule'>,
): Promise<ShownLatents> {
  const { method, set, items, pooled, subject } = source;
  const places = source.among ?? Uint32Array.from(items.keys());
  const candidates = createCandidates(pooled);
  const numbers = new Map(
    Array.from({ length: candidates.count }, (_, i) => [`${candidates.latentOf(i)} ${candidates.signOf(i)}`, i]),
  );
  const tops = wanted.map(({ latent, sign }) => {
    const values = candidates.values(numbers.get(`${latent} ${sign}`)!, places);
    const fires = pooled.kind === 'sparse' ? values.filter((value) => value > 0).length / places.length : undefined;
    return { top: topItems(values, places, source.examples), fires };
  });
  const latents: ShownLatent[] = wanted.map((each, i) => {
    const label = method.labels?.[each.latent];
    const { fires } = tops[i]!;
    return {
      ...each,
      ...(label === undefined ? {} : { label }),
      ...(fires === undefined ? {} : { fires: rounded(fires) }),
      examples: [],
    };
  });
  const shownItems = [...new Set(tops.flatMap(({ top }) => top.map(({ item }) => item)))].sort((a, b) => a - b);
  const images: Record<string, string> = {};
  const seen = new Map<number, Map<number, Float32Array>>();
  for (const item of source.private ? [] : shownItems) {
    const { id, image } = items[item]!;
    if (image) images[id] = await thumbnail(image);
    const own = wanted.filter((_, i) => tops[i]!.top.some((each) => each.item === item));
    // Of an image nothing is told by place.
    if (!image) seen.set(item, await rowValues(method, set, item, [...new Set(own.map(({ latent }) => latent))]));
  }
  tops.forEach(({ top }, i) => {
    const { latent, sign } = wanted[i]!;
    latents[i]!.examples = top.map(({ item, value }): LatentExample => {
      const example = { item: items[item]!.id, value: rounded(value) };
      const values = seen.get(item)?.get(latent);
      if (!values) return example;
      const ids = set.tokenIds.subarray(set.bounds[item]!, set.bounds[item + 1]!);
      return { ...example, ...textOf(items[item]!, ids, subject, sign === 1 ? values : values.map((each) => -each)) };
    });
  });
  const lm = reader(source);
  if (lm && latents.length > 0) {
    const all = method.directions!();
    const d = all.length / method.d_sae!;
    const directions = wanted.map(({ latent, sign }) =>
      all.slice(latent * d, (latent + 1) * d).map((value) => sign * value),
    );
    for (const [i, tokens] of (await tokensOf(lm, directions)).entries()) latents[i]!.tokens = tokens;
  }
  return {
    ...words,
    ...(source.private ? { private: true } : {}),
    ...(lm ? { logits: 'the direction alone behind the last block, through the final norm and the unembedding' } : {}),
    ...(Object.keys(images).length > 0 ? { images } : {}),
    latents,
  };
}
