/** @file The images of a folder, and which of them are held out. */
import { readdir } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { UserError } from '../../../harness/contract.ts';
import { createRng, sha256File } from '../../../harness/kit/index.ts';

export interface ImageFile {
  /** Path within the folder, with `/`. */
  name: string;
  path: string;
  hash: string;
}

const IMAGE = /\.(png|jpe?g|webp|tiff?|gif)$/i;
/** Part of the images that is held out. */
const HELD_OUT = 0.2;
/** Two for training and one held out. */
const LEAST = 3;

/** All images under a folder, sorted by name. @throws UserError where there are hardly any. */
export async function imageFiles(folder: string): Promise<ImageFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && IMAGE.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  if (paths.length < LEAST) {
    throw new UserError(
      `dataset pixels: path ${folder}: expected at least ${LEAST} images (PNG, JPEG, WebP, TIFF, GIF), found ${paths.length}.`,
    );
  }
  const named = paths.map((path) => ({ path, name: relative(folder, path).split(sep).join('/') }));
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  const files: ImageFile[] = [];
  for (const file of named) files.push({ ...file, hash: await sha256File(file.path) });
  const different = new Set(files.map(({ hash }) => hash)).size;
  if (different < LEAST) {
    throw new UserError(
      `dataset pixels: path ${folder}: expected at least ${LEAST} different images, found ${different} in ${files.length} files.`,
    );
  }
  return files;
}

/** A fifth of the images, drawn by the seed, is held out; copies of one image are on one side. */
export function splitFiles(files: readonly ImageFile[], seed: number): Record<'train' | 'test', ImageFile[]> {
  const rng = createRng(seed).fork('pixel files');
  const hashes = rng.shuffle([...new Set(files.map(({ hash }) => hash))].sort());
  const held = new Set(hashes.slice(0, Math.max(1, Math.floor(HELD_OUT * hashes.length))));
  const shuffled = rng.shuffle([...files]);
  return {
    train: shuffled.filter(({ hash }) => !held.has(hash)),
    test: shuffled.filter(({ hash }) => held.has(hash)),
  };
}
