/**
 * @file Measures tiny-clip on held-out images and writes its model card:
 * `node --import tsx models/pretrained/tiny-clip/make/measure.ts`.
 */
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Clip, type Tensor2D, tf } from '../../../../harness/contract.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { createRng } from '../../../../harness/num/rng.ts';
import type { WorldImage } from '../../../../tasks/worlds/image-world/world.ts';
import { zeroShotClasses } from '../../../../tasks/worlds/image-world/zero-shot.ts';
import clip from '../../../subjects/clip.ts';
import { unitRows } from '../../../subjects/contrastive.ts';
import { writeCard } from '../../headroom.ts';
import { drawImages } from './pairs.ts';

const BATCH = 100;
/** Size of the pools in which an image looks for its caption: chance is 1 / 100. */
const POOL = 100;

async function embedImages(subject: Clip, images: readonly WorldImage[]): Promise<Tensor2D> {
  const parts: Tensor2D[] = [];
  for (let start = 0; start < images.length; start += BATCH) {
    const pixels = await subject.preprocess(images.slice(start, start + BATCH));
    parts.push(tf.tidy(() => unitRows(subject.forwardImage(pixels).embeds!)));
    pixels.dispose();
  }
  const all = tf.concat(parts, 0);
  tf.dispose(parts);
  return all;
}

function embedTexts(subject: Clip, texts: string[]): Tensor2D {
  return tf.tidy(() => unitRows(subject.forwardText(subject.tokenize(texts)).embeds!));
}

/** Share of right answers with its 95 % interval (normal approximation), in percent. */
function percent(right: number, n: number): string {
  const p = right / n;
  const half = 1.96 * Math.sqrt((p * (1 - p)) / n);
  return `${(100 * p).toFixed(1)} % ± ${(100 * half).toFixed(1)}`;
}

/** Loads the folder as any user would, scores `heldOut` fresh images and writes README.md. */
export async function measure(folder: string, options: { heldOut: number; training?: string }): Promise<void> {
  const subject = (await clip.load(folder, { id: 'tiny-clip' })) as Clip;
  // A stream that training never draws from.
  const images = drawImages(options.heldOut, createRng('tiny-clip').fork('held-out'));
  const embeds = await embedImages(subject, images);
  const rows: string[] = [];
  for (const { id, classes, classOf } of zeroShotClasses) {
    const centres = tf.tidy(() =>
      unitRows(tf.stack(classes.map(({ prompts }) => tf.mean(embedTexts(subject, [...prompts]), 0))) as Tensor2D),
    );
    const guesses = tf.tidy(() => tf.argMax(tf.matMul(embeds, centres, false, true), 1).dataSync());
    centres.dispose();
    let right = 0;
    let asked = 0;
    images.forEach(({ attributes }, i) => {
      const truth = classOf(attributes);
      if (truth === undefined) return;
      asked++;
      if (guesses[i] === truth) right++;
    });
    rows.push(
      `| zero-shot ${id} (${classes.length} classes, ${asked} images) | ${percent(right, asked)} | ${(100 / classes.length).toFixed(1)} % |`,
    );
  }
  for (const [direction, label] of [
    [0, 'image → text'],
    [1, 'text → image'],
  ] as const) {
    let right = 0;
    let n = 0;
    for (let start = 0; start + POOL <= images.length; start += POOL) {
      const texts = embedTexts(
        subject,
        images.slice(start, start + POOL).map(({ caption }) => caption),
      );
      const best = tf.tidy(() => {
        const cosines = tf.matMul(tf.slice(embeds, [start, 0], [POOL, -1]), texts, false, true);
        return tf.argMax(cosines, direction === 0 ? 1 : 0).dataSync();
      });
      texts.dispose();
      for (let i = 0; i < POOL; i++) if (best[i] === i) right++;
      n += POOL;
    }
    rows.push(`| retrieval R@1 among ${POOL}, ${label} | ${percent(right, n)} | ${(100 / POOL).toFixed(1)} % |`);
  }
  const bytes = statSync(`${folder}model.safetensors`).size;
  const lines = [
    '# tiny-clip',
    '',
    'A small CLIP in Hugging Face layout, trained from nothing on the image world by `make/train.ts` in the repository.',
    'It exists so that the benchmark runs anywhere with nothing to download and with exact ground truth.',
    '',
    `${subject.parameters.toLocaleString('en')} parameters (${(bytes / 1e6).toFixed(1)} MB float32).${options.training ? ` Training: ${options.training}.` : ''}`,
    `Measured on ${options.heldOut} held-out images, intervals are 95 %:`,
    '',
    '| what | tiny-clip | chance |',
    '|---|---|---|',
    ...rows,
    '',
    'Retrieval is harder than it looks: captions leave attributes out, so several captions of a pool may fit an image.',
    'Measured by `make/measure.ts`, which loads the folder like any other Hugging Face folder.',
    '',
  ];
  writeCard(folder, lines.join('\n'));
  console.log(lines.slice(5, -4).join('\n'));
  tf.dispose(embeds);
  subject.dispose();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await initBackend();
  await measure(fileURLToPath(new URL('..', import.meta.url)), { heldOut: 2000 });
}
