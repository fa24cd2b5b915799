/** @file Activations dumped elsewhere as a source like any other: a folder of .npy or .safetensors, with labels. */
import { basename, join, resolve } from 'node:path';
import type { ActivationSet, Dataset, Item, Site } from '../contract.ts';
import { UserError } from '../errors.ts';
import { sha256File, sha256Json } from '../io/hash.ts';
import { readJson } from '../io/json.ts';
import { readNpy } from '../io/npy.ts';
import { activationSet } from './activation-set.ts';
import { importedDataset } from './import-dataset.ts';
import { checkSplit, importLabels } from './import-labels.ts';
import { type ImportManifest, readManifest } from './import-manifest.ts';
import { importArray, importRows } from './import-rows.ts';
import { type RowSource, readRows } from './read-rows.ts';

export interface ImportedActivations {
  /** Name of the model that they come from. */
  subject: string;
  site: Site;
  dataset: Dataset;
  /** The rows of the given items of `dataset`, in their order: what collecting would have given. */
  activationsFor(items: readonly Item[]): Promise<ActivationSet>;
  /** Over the files and the manifest. */
  fingerprint: string;
  /** What a reader of results must know, e.g. that labels are pseudo-labels. */
  notes: string[];
}

async function readBounds(folder: string, manifest: ImportManifest, rows: number): Promise<Uint32Array> {
  if (manifest.bounds === undefined) return Uint32Array.from({ length: rows + 1 }, (_, i) => i);
  const path = join(folder, manifest.bounds);
  const { data } = await readNpy(path);
  const ascending = data.every((bound, i) => Number.isInteger(bound) && (i === 0 ? bound === 0 : bound > data[i - 1]!));
  if (data.length < 2 || !ascending || data[data.length - 1] !== rows) {
    throw new UserError(
      `bounds ${path}: expected ascending whole numbers from 0 to the ${rows} rows of the activations.`,
    );
  }
  return Uint32Array.from(data);
}

async function readEmbeddings(folder: string, file: string, items: number) {
  const { x, rows, width } = await importArray(folder, file);
  if (rows !== items) {
    throw new UserError(`embeddings ${join(folder, file)}: expected ${items} rows, one an item, found ${rows}.`);
  }
  return { x, width, description: `imported ${file}` };
}

async function fingerprintOf(folder: string, manifest: ImportManifest): Promise<string> {
  const { files, labels, embeddings, split, bounds } = manifest;
  const others = [typeof labels === 'object' ? [labels.prompts, labels.map] : labels, embeddings, split, bounds];
  const names = [...files, ...others.flat().filter((name) => name !== undefined)];
  const hashes: string[] = [];
  for (const name of names) hashes.push(await sha256File(join(folder, name)));
  return sha256Json({ manifest, hashes });
}

/** The set of the items at `chosen`, as rows of the whole. */
function subset(
  rows: RowSource,
  itemBounds: Uint32Array,
  chosen: number[],
  policy: string,
  key: string,
): ActivationSet {
  const bounds = new Uint32Array(chosen.length + 1);
  for (const [i, item] of chosen.entries()) bounds[i + 1] = bounds[i]! + itemBounds[item + 1]! - itemBounds[item]!;
  const n = bounds[chosen.length]!;
  const rowOf = new Uint32Array(n);
  const positions = new Uint32Array(n);
  for (const [i, item] of chosen.entries()) {
    for (let row = bounds[i]!; row < bounds[i + 1]!; row++) {
      positions[row] = row - bounds[i]!;
      rowOf[row] = itemBounds[item]! + positions[row]!;
    }
  }
  const { d_in } = rows;
  return activationSet({
    d_in,
    n,
    bounds,
    tokenIds: new Int32Array(n).fill(-1),
    positions,
    keep: new Uint8Array(n).fill(1),
    policy,
    key,
    read: (start, end) => readRows(rows, rowOf.subarray(start, end), new Float32Array((end - start) * d_in)),
  });
}

/**
 * Opens a folder of activations dumped elsewhere. What it may hold is said at `ImportManifest`.
 *
 * @throws UserError for a missing or malformed file, widths or counts that do not fit one another, NaN or infinite
 * values, unknown labels.
 */
export async function openImport(folder: string): Promise<ImportedActivations> {
  const manifest = await readManifest(resolve(folder));
  const rows = await importRows(folder, manifest.files);
  const itemBounds = await readBounds(folder, manifest, rows.n);
  const n = itemBounds.length - 1;
  const labels = await importLabels(folder, manifest, rows, n);
  const fingerprint = await fingerprintOf(folder, manifest);
  const { subject = basename(resolve(folder)), site: name = 'imported', modality = 'image' } = manifest;
  const { dataset, items, notes } = importedDataset({
    name: `imported ${subject}`,
    fingerprint,
    modality,
    n,
    ...(labels && { labels }),
    ...(manifest.split && {
      split: checkSplit(join(folder, manifest.split), await readJson(join(folder, manifest.split), 'split'), n),
    }),
    ...(manifest.embeddings && { embeddings: await readEmbeddings(folder, manifest.embeddings, n) }),
  });
  const indexOf = new Map(items.map((item, i) => [item.id, i]));
  const kind = manifest.bounds === undefined ? 'pooled' : 'tokens';
  return {
    subject,
    site: { name, d: rows.d_in, modality, kind },
    dataset,
    fingerprint,
    notes,
    async activationsFor(chosen) {
      const indices = chosen.map(({ id }) => {
        const index = indexOf.get(id);
        if (index === undefined) throw new UserError(`activations ${folder}: no item '${id}' was imported.`);
        return index;
      });
      const key = sha256Json({ fingerprint, items: indices });
      return subset(rows, itemBounds, indices, 'imported: every row kept', key);
    },
  };
}
