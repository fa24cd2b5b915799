/** @file What a folder of imported activations holds, for `saxbench validate`. */
import { basename } from 'node:path';
import { openHeader, readContent } from './import.ts';

export interface ImportDescription {
  /** In the order in which their rows follow one another. */
  files: { name: string; rows: number }[];
  rows: number;
  items: number;
  width: number;
  dtype: string;
  site: string;
  /** null: nothing says it, and a run must be told. */
  modality: 'text' | 'image' | null;
  /** Euclidean norms of the rows. */
  norms: { min: number; median: number; max: number };
  /** Where labels come from, and the items of each class. */
  labels: { origin: string; classes: { name: string; items: number }[]; without: number } | null;
  /** Named groups. */
  groups: number;
  /** Items whose rows equal an earlier item's. */
  duplicates: number;
  split: { train: number; test: number } | null;
  /** Files and tensors of the folder that nothing reads. */
  unread: string[];
}

/**
 * Reads the whole folder.
 *
 * @throws UserError for whatever a run would stumble over, but an unknown modality.
 */
export async function describeImport(folder: string): Promise<ImportDescription> {
  const header = await openHeader(folder);
  const { manifest, rows, site } = header;
  const { bounds, scan, facts, together } = await readContent(folder, header);
  const { labels, split } = facts;
  const counts = new Map<number, number>();
  for (const c of labels?.classOf ?? []) counts.set(c, (counts.get(c) ?? 0) + 1);
  const inPart = (part: string) => split!.filter((own) => own === part).length;
  return {
    files: rows.parts.map(({ path, rows: own }) => ({ name: basename(path), rows: own })),
    rows: rows.n,
    items: bounds.length - 1,
    width: rows.d_in,
    dtype: rows.dtype,
    site: site.name,
    modality: site.modality ?? null,
    norms: scan.norms,
    labels: labels
      ? {
          origin: labels.origin,
          classes: labels.classes.map((name, c) => ({ name, items: counts.get(c) ?? 0 })),
          without: counts.get(-1) ?? 0,
        }
      : null,
    groups: together.groups,
    duplicates: together.copies,
    split: split ? { train: inPart('train'), test: inPart('test') } : null,
    unread: [
      ...facts.unread,
      ...rows.parts.flatMap(({ path, unread }) => unread.map((name) => `tensor '${name}' of ${basename(path)}`)),
      ...manifest.ignored,
    ],
  };
}

/** Lines that a list is cut to. */
const MAX_LINES = 50;

const cut = (lines: string[]) =>
  lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), `  … and ${lines.length - MAX_LINES} more`] : lines;

/** The description as lines for a person. */
export function describedInLines(found: ImportDescription): string[] {
  const { files, rows, items, width, dtype, site, modality, norms, labels, groups, duplicates, split, unread } = found;
  const { min, median, max } = norms;
  const shown = (norm: number) => norm.toPrecision(4);
  return [
    `activations: ${rows} rows of width ${width} (${dtype}), ${items} items, site ${site}`,
    `modality: ${modality ?? 'not said; a run needs --modality text or image'}`,
    'files, in this order:',
    ...cut(files.map((file) => `  ${file.name}: ${file.rows} rows`)),
    `norms: least ${shown(min)}, median ${shown(median)}, greatest ${shown(max)}`,
    labels ? `${labels.origin}; ${labels.classes.length} classes, ${labels.without} items without:` : 'labels: none',
    ...cut((labels?.classes ?? []).map(({ name, items: own }) => `  ${name}: ${own}`)),
    `groups: ${groups === 0 ? 'none named' : groups}`,
    `duplicates: ${duplicates} items repeat another`,
    `split: ${split ? `${split.train} train, ${split.test} test` : 'none given, drawn by a run'}`,
    `not read: ${unread.length === 0 ? 'nothing' : unread.slice(0, MAX_LINES).join(', ')}`,
  ];
}
