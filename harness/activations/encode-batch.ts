/** @file One forward pass over a batch of items: the activations of each at one site, padding removed. */
import type { ForwardOptions, ForwardResult, Item, Site, Subject, TokenBatch } from '../contract.ts';
import { UserError } from '../errors.ts';
import { tf } from '../num/tf.ts';

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
  if (subject.type === 'clip') return subject.tokenize(texts);
  return subject.tokenize(texts, maxLength === undefined ? {} : { maxLength });
}

/** Class token and patches of one image, from the subject's own configuration. */
function imageRows(subject: Subject): number {
  const vision = (subject.config['vision_config'] ?? {}) as { image_size?: unknown; patch_size?: unknown };
  const image = typeof vision.image_size === 'number' ? vision.image_size : 224;
  const patch = typeof vision.patch_size === 'number' && vision.patch_size > 0 ? vision.patch_size : 16;
  return Math.ceil(image / patch) ** 2 + 1;
}

/** Rows of each item inside the subject: what a forward pass over it costs. */
export function itemLengths(subject: Subject, site: Site, items: readonly Item[], maxLength?: number): Uint32Array {
  const lengths = new Uint32Array(items.length);
  if (site.modality === 'image') return lengths.fill(imageRows(subject));
  const { n, length, mask } = tokenize(subject, site, items, maxLength);
  for (let i = 0; i < n; i++) {
    for (let p = 0; p < length; p++) lengths[i]! += mask[i * length + p]!;
  }
  return lengths;
}

/** Splits a captured [n, length, d] into items, rows with mask 0 left out. */
function split(result: ForwardResult, site: Site, tokens?: TokenBatch): ItemActivations[] {
  const captured = result.captured[site.name]!;
  const [n, length, d] = captured.shape;
  const values = captured.dataSync() as Float32Array;
  return Array.from({ length: n }, (_, i) => {
    const real = Array.from({ length }, (_, p) => p).filter(
      (p) => !tokens || site.kind === 'pooled' || tokens.mask[i * length + p],
    );
    const x = new Float32Array(real.length * d);
    const tokenIds = new Int32Array(real.length).fill(-1);
    for (const [row, p] of real.entries()) {
      const from = (i * length + p) * d;
      x.set(values.subarray(from, from + d), row * d);
      if (tokens && site.kind === 'tokens') tokenIds[row] = tokens.ids[i * length + p]!;
    }
    return { x, tokenIds };
  });
}

/** Runs the subject up to the site and gives each item's rows; every tensor is freed. */
export async function encodeBatch(
  subject: Subject,
  site: Site,
  items: readonly Item[],
  maxLength?: number,
): Promise<ItemActivations[]> {
  const options: ForwardOptions = { capture: [site.name], output: false };
  const read = (forward: () => ForwardResult, tokens?: TokenBatch) => {
    let rows: ItemActivations[] = [];
    tf.tidy(() => {
      rows = split(forward(), site, tokens);
    });
    return rows;
  };
  if (site.modality === 'text') {
    const tokens = tokenize(subject, site, items, maxLength);
    if (subject.type === 'lm') return read(() => subject.forward(tokens, options), tokens);
    return read(() => subject.forwardText(tokens, options), tokens);
  }
  if (subject.type !== 'clip') throw new Error(`activations: ${site.name} is an image site of a language model`);
  const images = items.map((item) => {
    if (item.image) return item.image;
    throw new UserError(`activations: site ${site.name} reads images; item '${item.id}' has none.`);
  });
  const pixels = await subject.preprocess(images);
  try {
    return read(() => subject.forwardImage(pixels, options));
  } finally {
    pixels.dispose();
  }
}
