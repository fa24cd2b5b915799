/** @file One forward pass over a batch of items: the activations of each at one site, padding removed. */
import type { ForwardOptions, ForwardResult, Item, Site, Subject, TokenBatch } from '../contract.ts';
import { UserError } from '../errors.ts';
import { peek } from '../num/peek.ts';
import { type Tensor3D, tf } from '../num/tf.ts';
import { seenCharacters, tokenizeTexts } from './cut-texts.ts';

/** One item's rows. */
export interface ItemActivations {
  /** Row-major [rows, d]. */
  x: Float32Array;
  /** Token id of each row; −1 where there is none. */
  tokenIds: Int32Array;
}

function textOf(item: Item, site: Site): string {
  const text = item.text ?? item.caption;
  if (text !== undefined) return text;
  throw new UserError(`activations: site ${site.name} reads text; item '${item.id}' has neither text nor caption.`);
}

function tokenize(subject: Subject, site: Site, items: readonly Item[], maxLength?: number): TokenBatch {
  const texts = items.map((item) => textOf(item, site));
  return tokenizeTexts(subject, texts, maxLength);
}

/** Class token and patches of one image, where the subject does not tell from its configuration. */
function imageRows(subject: Subject): number {
  if ('imageTokens' in subject && subject.imageTokens !== undefined) return subject.imageTokens;
  const vision = (subject.config['vision_config'] ?? {}) as { image_size?: unknown; patch_size?: unknown };
  const image = typeof vision.image_size === 'number' ? vision.image_size : 224;
  const patch = typeof vision.patch_size === 'number' && vision.patch_size > 0 ? vision.patch_size : 16;
  return Math.ceil(image / patch) ** 2 + 1;
}

/** Items ready for the subject: what a forward pass over each costs, and texts in tokens. */
export interface Inputs {
  items: readonly Item[];
  /** Rows of each item inside the subject. */
  lengths: Uint32Array;
  tokens?: TokenBatch;
  /** 1 where the subject does not see a text to its end. */
  cut: Uint8Array;
}

/** Reads items for sites of one modality. */
export function inputsOf(subject: Subject, site: Site, items: readonly Item[], maxLength?: number): Inputs {
  const lengths = new Uint32Array(items.length);
  if (site.modality === 'image')
    return { items, lengths: lengths.fill(imageRows(subject)), cut: new Uint8Array(items.length) };
  const tokens = tokenize(subject, site, items, maxLength);
  const { n, length, mask } = tokens;
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < length; p++) lengths[i]! += mask[i * length + p]!;
  }
  // Only the longest can have been cut.
  const isCut = (item: Item) => seenCharacters(subject, textOf(item, site), maxLength) !== undefined;
  const cut = Uint8Array.from(items, (item, i) => (lengths[i] === length && isCut(item) ? 1 : 0));
  return { items, lengths, tokens, cut };
}

/** The tokens of some rows, padded no further than the longest of them. */
function rowsOf({ length, ids, mask }: TokenBatch, rows: readonly number[], lengths: Uint32Array): TokenBatch {
  const longest = rows.reduce((most, row) => Math.max(most, lengths[row]!), 0);
  const part = { n: rows.length, length: longest, ids: new Int32Array(rows.length * longest), mask: new Uint8Array(0) };
  part.mask = new Uint8Array(part.ids.length);
  rows.forEach((row, i) => {
    part.ids.set(ids.subarray(row * length, row * length + longest), i * longest);
    part.mask.set(mask.subarray(row * length, row * length + longest), i * longest);
  });
  return part;
}

/** Copies rows to where they stay until they are put with others. */
export type KeepRows = (rows: Float32Array) => Float32Array;

/** Room for the rows of items at `sites`, used again: large arrays made anew each time call for a collection of all garbage. */
export function rowRoom(sites: readonly Site[]) {
  let room = new Float32Array(0);
  let used = 0;
  return {
    /** Forgets what was kept, and makes room for items of these lengths. */
    clear(lengths: Uint32Array): void {
      const positions = lengths.reduce((sum, length) => sum + length, 0);
      const needed = sites.reduce((sum, { d, kind }) => sum + d * (kind === 'tokens' ? positions : lengths.length), 0);
      if (room.length < needed) room = new Float32Array(needed);
      used = 0;
    },
    keep(rows: Float32Array): Float32Array {
      if (used + rows.length > room.length) return rows.slice();
      const own = room.subarray(used, used + rows.length);
      own.set(rows);
      used += rows.length;
      return own;
    },
  };
}

/** What a site captures of a forward pass, [n, length, d]; ours to dispose of, also where the subject keeps its own. */
function capturedAt(result: ForwardResult, { name, parts }: Site): Tensor3D {
  if (!parts) return tf.clone(result.captured[name]!);
  return tf.concat(
    parts.map((part) => result.captured[part]!),
    2,
  ) as Tensor3D;
}

/** Splits a captured [n, length, d] into items, rows with mask 0 left out. */
async function split(captured: Tensor3D, site: Site, tokens: TokenBatch | undefined, keep: KeepRows) {
  const [n, length, d] = captured.shape;
  const values = (await peek(captured)) as Float32Array;
  const masked = tokens && site.kind === 'tokens' ? tokens : undefined;
  return Array.from({ length: n }, (_, i): ItemActivations => {
    let rows = length;
    // Texts are padded on the right.
    while (masked && rows > 0 && !masked.mask[i * length + rows - 1]) rows--;
    const first = i * length;
    return {
      x: keep(values.subarray(first * d, (first + rows) * d)),
      tokenIds: masked ? masked.ids.slice(first, first + rows) : new Int32Array(rows).fill(-1),
    };
  });
}

/**
 * One forward pass over the items at places `chosen`: for each site each item's rows. The sites are of one modality;
 * every tensor is freed. `keep` copies the rows that are returned.
 */
export async function encodeBatch(
  subject: Subject,
  sites: readonly Site[],
  inputs: Inputs,
  chosen: readonly number[],
  keep: KeepRows,
): Promise<ItemActivations[][]> {
  const options: ForwardOptions = {
    capture: [...new Set(sites.flatMap(({ name, parts = [name] }) => parts))],
    output: false,
  };
  const read = async (forward: () => ForwardResult, tokens?: TokenBatch) => {
    const captured = tf.tidy(() => {
      const result = forward();
      return sites.map((site) => capturedAt(result, site));
    });
    try {
      const rows: ItemActivations[][] = [];
      for (const [s, site] of sites.entries()) rows.push(await split(captured[s]!, site, tokens, keep));
      return rows;
    } finally {
      tf.dispose(captured);
    }
  };
  if (inputs.tokens) {
    const tokens = rowsOf(inputs.tokens, chosen, inputs.lengths);
    if (subject.type === 'lm') return read(() => subject.forward(tokens, options), tokens);
    if (subject.type === 'image-encoder') throw new Error(`internal: ${subject.id} reads no texts`);
    return read(() => subject.forwardText(tokens, options), tokens);
  }
  const names = sites.map(({ name }) => name).join(', ');
  if (!('forwardImage' in subject)) throw new Error(`activations: ${names} is an image site of what reads texts alone`);
  const images = chosen.map((place) => {
    const { id, image } = inputs.items[place]!;
    if (image) return image;
    throw new UserError(`activations: site ${names} reads images; item '${id}' has none.`);
  });
  const pixels = await subject.preprocess(images);
  try {
    return await read(() => subject.forwardImage(pixels, options));
  } finally {
    pixels.dispose();
  }
}
