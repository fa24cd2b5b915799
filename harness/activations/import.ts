/** @file Activations dumped elsewhere as a source like any other: a folder of .npy, .npz or .safetensors, with labels. */
import { basename, join, resolve } from 'node:path';
import type { ActivationSet, Dataset, Item, Site } from '../contract.ts';
import { UserError } from '../errors.ts';
import { sha256, sha256Json } from '../io/hash.ts';
import { readNpy } from '../io/npy.ts';
import { activationSet } from './activation-set.ts';
import { type ImportNeeds, importedDataset, itemNumber } from './import-dataset.ts';
import { type ImportGroups, importGroups } from './import-groups.ts';
import { type ItemFacts, readItemFacts } from './import-labels.ts';
import { type FoundManifest, type ImportManifest, readManifest } from './import-manifest.ts';
import { type RowColumns, readRowColumns } from './import-positions.ts';
import { type ImportRows, importArray, importRows } from './import-rows.ts';
import { type RowScan, scanRows } from './import-scan.ts';
import { type RowSource, readRows } from './read-rows.ts';

export type Modality = 'text' | 'image';

export interface ImportOptions extends ImportNeeds {
  /** What an item is, where neither the manifest nor the site's name says it. */
  modality?: Modality;
}

export interface ImportedActivations {
  site: Site;
  dataset: Dataset;
  /** Items that may be trained on. */
  trainable: number;
  /** The rows of the given items of `dataset`, in their order: what collecting would have given. */
  activationsFor(items: readonly Item[]): Promise<ActivationSet>;
  /** Over everything that was read. */
  fingerprint: string;
  /** What a reader of results must know: where labels come from, how items were split, what was not read. */
  notes: string[];
}

/** What the headers of a folder's files say. */
export interface ImportHeader {
  manifest: FoundManifest;
  rows: ImportRows;
  site: Omit<Site, 'modality'> & { modality?: Modality };
}

/** What all values of a folder say. */
export interface ImportContent {
  bounds: Uint32Array;
  scan: RowScan;
  facts: ItemFacts;
  columns: RowColumns;
  together: ImportGroups;
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

/** Sites are named as TransformerLens does, a vision tower's with `vision.` before. */
function modalityOf(site: string): Modality | undefined {
  if (site.startsWith('vision.')) return 'image';
  return /^(text|blocks)\./.test(site) ? 'text' : undefined;
}

/**
 * The manifest and the files' headers: no value is read.
 *
 * @throws UserError for a missing or malformed file, parts that do not fit one another or whose order would be a guess,
 * a modality that contradicts the manifest's.
 */
export async function openHeader(folder: string, { modality: told }: ImportOptions = {}): Promise<ImportHeader> {
  const manifest = await readManifest(resolve(folder));
  const rows = await importRows(folder, manifest.files);
  const { site: name = 'imported', modality: given = modalityOf(name) } = manifest;
  if (told !== undefined && given !== undefined && told !== given) {
    throw new UserError(`activations ${folder}: modality: expected ${given}, as the folder says, found ${told}.`);
  }
  const modality = given ?? told;
  const kind = manifest.bounds === undefined ? 'pooled' : 'tokens';
  return { manifest, rows, site: { name, d: rows.d_in, kind, ...(modality && { modality }) } };
}

/** The site. @throws UserError where nothing says whether items are texts or images. */
export function siteOfImport(folder: string, { site }: ImportHeader): Site & { modality: Modality } {
  const { modality, ...rest } = site;
  if (modality !== undefined) return { ...rest, modality };
  throw new UserError(
    `activations ${folder}: modality: expected text or image, and nothing says which; add --modality to --activations, activations.modality to a suite, or write ` +
      '"modality" into activations.json.',
  );
}

/**
 * Goes through all values once.
 *
 * @throws UserError for values that are not finite, counts that do not fit, labels that cannot be read.
 */
export async function readContent(folder: string, { manifest, rows }: ImportHeader): Promise<ImportContent> {
  const bounds = await readBounds(folder, manifest, rows.n);
  const items = bounds.length - 1;
  const facts = await readItemFacts(folder, manifest, rows, items);
  const columns = await readRowColumns(folder, manifest, bounds);
  const scan = await scanRows(rows, bounds);
  return { bounds, scan, facts, columns, together: importGroups(scan.itemHash, facts.groups?.names, columns.texts) };
}

const bytesOf = (x: Float32Array | Int32Array | Uint32Array | Uint8Array) =>
  new Uint8Array(x.buffer, x.byteOffset, x.byteLength);

function columnsDigest({ texts, ...ofRows }: RowColumns) {
  const digests = Object.entries(ofRows).map(([name, data]) => [name, sha256(bytesOf(data))]);
  if (texts) digests.push(['texts', sha256Json(texts)]);
  return digests.length === 0 ? undefined : Object.fromEntries(digests);
}

/** The set of the items at `chosen`, as rows of the whole; `unitOf` numbers the items' groups. */
function subset(
  rows: RowSource,
  { bounds: itemBounds, unitOf, columns }: { bounds: Uint32Array; unitOf?: Uint32Array; columns: RowColumns },
  chosen: number[],
  policy: string,
  key: string,
): ActivationSet {
  const bounds = new Uint32Array(chosen.length + 1);
  for (const [i, item] of chosen.entries()) bounds[i + 1] = bounds[i]! + itemBounds[item + 1]! - itemBounds[item]!;
  const n = bounds[chosen.length]!;
  const rowOf = new Uint32Array(n);
  const counted = new Uint32Array(n);
  for (const [i, item] of chosen.entries()) {
    for (let row = bounds[i]!; row < bounds[i + 1]!; row++) {
      counted[row] = row - bounds[i]!;
      rowOf[row] = itemBounds[item]! + counted[row]!;
    }
  }
  const { tokenIds, positions, keep } = columns;
  const { d_in } = rows;
  return activationSet({
    d_in,
    n,
    bounds,
    tokenIds: tokenIds ? Int32Array.from(rowOf, (row) => tokenIds[row]!) : new Int32Array(n).fill(-1),
    positions: positions ? Uint32Array.from(rowOf, (row) => positions[row]!) : counted,
    keep: keep ? Uint8Array.from(rowOf, (row) => keep[row]!) : new Uint8Array(n).fill(1),
    ...(unitOf && { groups: numbered(chosen.map((item) => unitOf[item]!)) }),
    policy,
    key,
    read: (start, end) => readRows(rows, rowOf.subarray(start, end), new Float32Array((end - start) * d_in)),
  });
}

/** Numbers from 0 on, in order of appearance, for equal values. */
function numbered(values: readonly number[]): Uint32Array {
  const numbers = new Map<number, number>();
  return Uint32Array.from(values, (value) => {
    if (!numbers.has(value)) numbers.set(value, numbers.size);
    return numbers.get(value)!;
  });
}

/** Files of the folder that look like what a person means to be read. */
const LOOKS_MEANT = /label|target|class|group|split|^y\b|\.(npy|npz|safetensors|csv)$/i;

/**
 * Opens a folder of activations dumped elsewhere. What it may hold is said in activations.schema.json.
 *
 * @throws UserError for a missing or malformed file, widths or counts that do not fit one another, NaN or infinite
 * values, unknown labels, an unknown modality.
 */
export async function openImport(folder: string, options: ImportOptions = {}): Promise<ImportedActivations> {
  const header = await openHeader(folder, options);
  const { manifest, rows } = header;
  const site = siteOfImport(folder, header);
  const { bounds, scan, facts, columns, together } = await readContent(folder, header);
  const n = bounds.length - 1;
  const embeddings = manifest.embeddings && (await readEmbeddings(folder, manifest.embeddings, n));
  const { subject = basename(resolve(folder)) } = manifest;
  const { labels, groups, split } = facts;
  const fingerprint = sha256Json({
    ...{ subject, site, rows: scan.digest, bounds: sha256(bytesOf(bounds)) },
    labels: labels && { classes: labels.classes, of: sha256(bytesOf(labels.classOf)), origin: labels.origin },
    ...{ groups: groups?.names, split },
    embeddings: embeddings && sha256(bytesOf(embeddings.x)),
    // undefined, and so no part of the hash, where the folder has none.
    columns: columnsDigest(columns),
  });
  const ignored = manifest.ignored.filter((name) => LOOKS_MEANT.test(name)).map((name) => `file ${name}`);
  const tensors = rows.parts.flatMap(({ path, unread }) =>
    unread.map((name) => `tensor '${name}' of ${basename(path)}`),
  );
  const { dataset, trainable, notes } = importedDataset(
    {
      ...{ name: `imported ${subject}`, fingerprint, modality: site.modality, n, groups, together },
      ...(labels && { labels }),
      ...(split && { split }),
      ...(columns.texts && { texts: columns.texts }),
      unread: [...facts.unread, ...tensors, ...ignored],
      ...(embeddings && { embeddings }),
    },
    options,
  );
  return {
    site,
    dataset,
    trainable,
    fingerprint,
    notes,
    async activationsFor(chosen) {
      const indices = chosen.map(({ id }) => itemNumber(id, n));
      const key = sha256Json({ fingerprint, items: indices });
      const units = groups ? { bounds, columns, unitOf: together.unitOf } : { bounds, columns };
      const policy = columns.keep ? 'imported: rows kept as the folder says' : 'imported: every row kept';
      return subset(rows, units, indices, policy, key);
    },
  };
}
