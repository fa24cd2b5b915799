/** @file What a reconstruction costs a CLIP: zero-shot accuracy, image-text logits and retrieval with x̂ in place of x. */
import {
  type ActivationSet,
  type Clip,
  type Item,
  type Prepared,
  type Site,
  type Tensor,
  type Tensor2D,
  tf,
  type ZeroShotTask,
} from '../../harness/contract.ts';
import { joined, restOfImage } from '../../harness/kit/index.ts';
import { classEmbeddings } from '../judges/parts/zero-shot.ts';
import type { DocumentSums, Ratios } from './document-ratios.ts';
import { activationsOf, type ItemBatch, itemBatches, type Replacement, splice, spliced } from './splice.ts';

/** Positions and images of one forward pass: at a pooled site an image is one position, whatever it costs. */
const POSITIONS = 4096;
const IMAGES = 32;

export interface ClipOptions {
  documents: number;
  signal?: AbortSignal;
  progress: (done: number, total: number, note: string) => void;
}

type Arrays = Prepared['arrays'];

/** Embeddings that no method changes: of images, of captions, and of the classes of each zero-shot task. */
export async function prepareClip(
  clip: Clip,
  test: ActivationSet,
  items: Item[],
  zeroShot: ZeroShotTask[],
  options: ClipOptions,
): Promise<Arrays> {
  const count = Math.min(options.documents, items.length);
  const arrays: Arrays = {};
  if (items.slice(0, count).every(({ image }) => image)) {
    arrays['clip_images'] = matrix(await cleanEmbeddings(clip, test, items, count, options), clip);
  }
  if (items.slice(0, count).every(({ caption }) => caption !== undefined)) {
    const captions = items.slice(0, count).map(({ caption }) => ({ prompts: [caption!] }));
    arrays['clip_captions'] = matrix(await classEmbeddings(clip, captions), clip);
  }
  for (const { id, classes } of zeroShot) {
    arrays[`clip_classes_${id}`] = matrix(await classEmbeddings(clip, classes), clip);
  }
  return arrays;
}

/**
 * Sums by item, clean and with x̂, at a site of the vision tower. Columns: `items`; `zero_shot` and `zero_shot_clean`
 * (share of zero-shot tasks answered rightly) over `classified` items; `logit_change` (mean |Δ logit| over the
 * texts); `r1_image`, `r1_text` and their clean twins (image to caption, caption to image).
 */
export async function spliceClip(
  clip: Clip,
  site: Site,
  test: ActivationSet,
  items: Item[],
  zeroShot: ZeroShotTask[],
  prepared: Prepared,
  replace: Replacement,
  options: ClipOptions,
): Promise<DocumentSums> {
  const clean = prepared.arrays['clip_images']!.data as Float32Array;
  const dim = clip.projectionDim;
  const count = clean.length / dim;
  const changed = await splicedEmbeddings(clip, site, test, items, count, replace, options);
  const column = () => new Float64Array(count);
  const sums: DocumentSums = { items: column().fill(1), logit_change: column() };
  const captions = prepared.arrays['clip_captions']?.data as Float32Array | undefined;
  const classes = zeroShot.map((task) => ({
    task,
    texts: prepared.arrays[`clip_classes_${task.id}`]!.data as Float32Array,
  }));
  if (classes.length > 0) {
    Object.assign(sums, { classified: column(), zero_shot: column(), zero_shot_clean: column() });
    for (const { task, texts } of classes) {
      const before = await cosines(clean, texts, dim);
      const after = await cosines(changed, texts, dim);
      for (let i = 0; i < count; i++) {
        const label = task.classOf(items[i]!);
        if (label === undefined) continue;
        sums['classified']![i]! += 1;
        if (argmax(before[i]!) === label) sums['zero_shot_clean']![i]! += 1;
        if (argmax(after[i]!) === label) sums['zero_shot']![i]! += 1;
      }
    }
  }
  const texts =
    classes.length > 0
      ? joined(
          Float32Array,
          classes.map((entry) => entry.texts),
        )
      : captions;
  if (texts) {
    const before = await cosines(clean, texts, dim);
    const after = await cosines(changed, texts, dim);
    for (let i = 0; i < count; i++) {
      const total = before[i]!.reduce((sum, value, j) => sum + Math.abs(after[i]![j]! - value), 0);
      sums['logit_change']![i] = (clip.logitScale * total) / before[i]!.length;
    }
  }
  if (captions) {
    const names = items.slice(0, count).map(({ caption }) => caption!);
    const [imageBefore, textBefore] = retrieved(await cosines(clean, captions, dim), names);
    const [imageAfter, textAfter] = retrieved(await cosines(changed, captions, dim), names);
    Object.assign(sums, {
      r1_image_clean: imageBefore,
      r1_text_clean: textBefore,
      r1_image: imageAfter,
      r1_text: textAfter,
    });
  }
  return sums;
}

/** Unit embeddings [count, dim] of the first images. */
async function cleanEmbeddings(
  clip: Clip,
  test: ActivationSet,
  items: Item[],
  count: number,
  options: ClipOptions,
): Promise<Float32Array> {
  return await embeddings(clip, test, count, options, 'clean images', async (batch) => {
    const pixels = await clip.preprocess(imagesOf(items, batch));
    return [tf.tidy(() => unit(clip.forwardImage(pixels).embeds!)), pixels];
  });
}

/** The same with x̂ in place of x; where it can, the tower goes on from the activations of `test`. */
async function splicedEmbeddings(
  clip: Clip,
  site: Site,
  test: ActivationSet,
  items: Item[],
  count: number,
  replace: Replacement,
  options: ClipOptions,
): Promise<Float32Array> {
  const rest = restOfImage(clip, site.name);
  return await embeddings(clip, test, count, options, 'images with x̂', async (batch) => {
    if (rest) {
      const x = await activationsOf(test, batch);
      return [tf.tidy(() => unit(rest(spliced(x, batch, replace)))), x];
    }
    const pixels = await clip.preprocess(imagesOf(items, batch));
    const interventions = [splice(site.name, batch, replace)];
    return [tf.tidy(() => unit(clip.forwardImage(pixels, { interventions }).embeds!)), pixels];
  });
}

const imagesOf = (items: Item[], batch: ItemBatch) =>
  items.slice(batch.first, batch.first + batch.items).map(({ image }) => image!);

/** Embeddings [count, dim] batch by batch; `embed` gives those of a batch and what it made them from. */
async function embeddings(
  clip: Clip,
  test: ActivationSet,
  count: number,
  { signal, progress }: ClipOptions,
  note: string,
  embed: (batch: ItemBatch) => Promise<[Tensor2D, Tensor]>,
): Promise<Float32Array> {
  const out = new Float32Array(count * clip.projectionDim);
  for (const batch of itemBatches(test, count, POSITIONS, IMAGES)) {
    signal?.throwIfAborted();
    const [embeds, source] = await embed(batch);
    out.set(await embeds.data(), batch.first * clip.projectionDim);
    tf.dispose([embeds, source]);
    progress(batch.first + batch.items, count, note);
  }
  return out;
}

function unit(x: Tensor2D): Tensor2D {
  return tf.div(x, tf.maximum(tf.norm(x, 2, 1, true), 1e-12)) as Tensor2D;
}

/** Cosines of unit rows: one array of b's rows for each of a's. */
async function cosines(a: Float32Array, b: Float32Array, dim: number): Promise<Float32Array[]> {
  const width = b.length / dim;
  const product = tf.tidy(() =>
    tf.matMul(tf.tensor2d(a, [a.length / dim, dim]), tf.tensor2d(b, [width, dim]), false, true),
  );
  const values = (await product.data()) as Float32Array;
  product.dispose();
  return Array.from({ length: a.length / dim }, (_, i) => values.subarray(i * width, (i + 1) * width));
}

/**
 * Whether each image finds its caption first, and each caption its image. Items with the same caption are right
 * answers for one another.
 */
function retrieved(similarity: Float32Array[], captions: string[]): [Float64Array, Float64Array] {
  const image = Float64Array.from(similarity, (row, i) => (captions[argmax(row)] === captions[i] ? 1 : 0));
  const text = Float64Array.from(captions, (caption, j) => {
    const best = similarity.reduce((top, row, i) => (row[j]! > similarity[top]![j]! ? i : top), 0);
    return captions[best] === caption ? 1 : 0;
  });
  return [image, text];
}

function argmax(values: Float32Array): number {
  return values.reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}

function matrix(data: Float32Array, { projectionDim }: Clip): Arrays[string] {
  return { shape: [data.length / projectionDim, projectionDim], data };
}

const change = (after: string, before: string, over: string) => ({
  top: { [after]: 1, [before]: -1 },
  bottom: { [over]: 1 },
});

/** Numbers of the CLIP, from the sums. */
export const CLIP_RATIOS: Ratios = {
  zero_shot_accuracy: { top: { zero_shot: 1 }, bottom: { classified: 1 } },
  zero_shot_change: change('zero_shot', 'zero_shot_clean', 'classified'),
  logit_change: { top: { logit_change: 1 }, bottom: { items: 1 } },
  retrieval_change_image_to_text: change('r1_image', 'r1_image_clean', 'items'),
  retrieval_change_text_to_image: change('r1_text', 'r1_text_clean', 'items'),
};
