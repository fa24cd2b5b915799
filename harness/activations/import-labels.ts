/** @file Labels, groups and splits of imported items: from files or tensors, checked. */
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { readJson } from '../io/json.ts';
import { type ColumnFile, checkCount, type Entry, type ImportedLabels, readColumn } from './import-columns.ts';
import type { ImportManifest } from './import-manifest.ts';
import type { ImportRows } from './import-rows.ts';
import { zeroShotLabels } from './import-zero-shot.ts';

export type ImportedSplit = ('train' | 'test')[];

/** What is known of the items beside their rows. */
export interface ItemFacts {
  labels?: ImportedLabels;
  /** Group of each item; null: none. */
  groups?: { names: (string | null)[]; origin: string };
  split?: ImportedSplit;
  /** Columns that nothing reads, in words. */
  unread: string[];
}

/** The number that stands for "no label". */
const NONE = -1;

/** Whether all labels are numbers. @throws UserError for numbers that are not whole: measurements are no classes. */
function areNumbers(where: string, labels: readonly Entry[]): boolean {
  const given = labels.filter((label) => label !== null);
  if (!given.every((label) => typeof label === 'number' || /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(label))) {
    const wrong = labels.findIndex((label) => typeof label === 'number' && !Number.isInteger(label));
    if (wrong >= 0) throw notWhole(where, labels[wrong]!, wrong);
    return false;
  }
  const wrong = labels.findIndex((label) => label !== null && !Number.isSafeInteger(Number(label)));
  if (wrong >= 0) throw notWhole(where, labels[wrong]!, wrong);
  return true;
}

const notWhole = (where: string, label: Entry, item: number) =>
  new UserError(
    `${where}: expected names or whole numbers, found ${label} for item ${item}; give classes, not measurements.`,
  );

/** Names of the classes and the class of each item. */
function classify(
  where: string,
  given: readonly Entry[],
  names?: string[],
): Pick<ImportedLabels, 'classes' | 'classOf'> {
  const numeric = areNumbers(where, given);
  const labels = numeric ? given.map((label) => (Number(label) === NONE ? null : label)) : given;
  if (names && numeric) {
    const wrong = labels.findIndex((label) => label !== null && !(Number(label) >= 0 && Number(label) < names.length));
    if (wrong >= 0) {
      throw new UserError(
        `${where}: unknown label ${labels[wrong]} for item ${wrong}: expected a number from 0 to ${names.length - 1}.`,
      );
    }
    return { classes: names, classOf: Int32Array.from(labels, (label) => (label === null ? -1 : Number(label))) };
  }
  const textOf = numeric ? (label: Entry) => String(Number(label)) : String;
  const found = [...new Set(labels.filter((label) => label !== null).map(textOf))];
  if (numeric && found.length === 1 && found[0] === '1' && given.some((label) => Number(label) === NONE)) {
    throw new UserError(`${where}: found the labels -1 and 1 alone, and -1 means none; write 0 and 1.`);
  }
  if (names) {
    const known = new Set(names);
    const unknown = found.find((label) => !known.has(label));
    if (unknown !== undefined)
      throw new UserError(`${where}: unknown label '${unknown}': expected one of ${names.join(', ')}.`);
  }
  const classes = names ?? found.sort((a, b) => (numeric ? Number(a) - Number(b) : a < b ? -1 : 1));
  const indexOf = new Map(classes.map((name, c) => [name, c]));
  return {
    classes,
    classOf: Int32Array.from(labels, (label) => (label === null ? -1 : indexOf.get(textOf(label))!)),
  };
}

function labelled(where: string, source: string, { entries }: ColumnFile, manifest: ImportManifest): ImportedLabels {
  const found = classify(where, entries, manifest.classes);
  const without = found.classOf.filter((c) => c < 0).length;
  if (without === entries.length) throw new UserError(`${where}: expected at least one label, found none.`);
  const rest = without > 0 ? `; ${without} of ${entries.length} items have none` : '';
  return { ...found, origin: `labels from ${source}${rest}` };
}

/** Entries of a tensor inside of the arrays. */
async function tensorColumn(rows: ImportRows, name: 'labels' | 'groups'): Promise<ColumnFile | undefined> {
  const entries = await rows.column(name);
  return entries && { entries, others: {} };
}

/** @throws UserError unless there is `train` or `test` for every item, and both occur. */
export function checkSplit(path: string, split: unknown, items: number): ImportedSplit {
  const fits =
    Array.isArray(split) && split.length === items && split.every((part) => part === 'train' || part === 'test');
  if (!fits || !split.includes('train') || !split.includes('test')) {
    throw new UserError(`split ${path}: expected ${items} entries, each train or test, and both of them.`);
  }
  return split as ImportedSplit;
}

async function splitOf(folder: string, { split, labels }: ImportManifest, others: ColumnFile['others'], items: number) {
  if (split !== undefined) {
    const path = join(folder, split);
    return checkSplit(path, await readJson(path, 'split'), items);
  }
  return others['split'] && checkSplit(join(folder, String(labels)), others['split'], items);
}

/**
 * What the manifest names, or the arrays hold beside the rows, one entry an item.
 *
 * @throws UserError when the number of entries differs from the items', a label is unknown or not whole.
 */
export async function readItemFacts(
  folder: string,
  manifest: ImportManifest,
  rows: ImportRows,
  items: number,
): Promise<ItemFacts> {
  const facts: ItemFacts = { unread: [] };
  let others: ColumnFile['others'] = {};
  if (typeof manifest.labels === 'object') {
    if (manifest.bounds !== undefined)
      throw new UserError(`labels ${folder}: zero-shot labels need one row an item; leave bounds out.`);
    facts.labels = await zeroShotLabels(folder, manifest.labels, rows, items);
  } else {
    const file = manifest.labels;
    const column = file === undefined ? await tensorColumn(rows, 'labels') : await readColumn(folder, file, 'label');
    if (column) {
      const source = file ?? "the files' tensor labels";
      const where = `labels ${join(folder, file ?? manifest.files[0]!)}`;
      checkCount(where, 'labels', column.entries, items);
      facts.labels = labelled(where, source, column, manifest);
      others = column.others;
    }
  }
  const told = { labels: manifest.labels !== undefined, groups: manifest.groups !== undefined || 'group' in others };
  for (const name of ['labels', 'groups'] as const) {
    if (told[name] && rows.parts.some(({ columns }) => columns[name])) facts.unread.push(`tensor '${name}'`);
  }
  const split = await splitOf(folder, manifest, others, items);
  if (split) facts.split = split;
  const groups = await groupsOf(folder, manifest, rows, others);
  if (groups) {
    checkCount(`groups ${folder}`, 'groups', groups.names, items);
    facts.groups = groups;
  }
  for (const name of Object.keys(others)) {
    const read = name === 'split' ? manifest.split === undefined : name === 'group' && manifest.groups === undefined;
    if (!read) facts.unread.push(`column '${name}' of ${String(manifest.labels)}`);
  }
  return facts;
}

async function groupsOf(
  folder: string,
  { groups, labels }: ImportManifest,
  rows: ImportRows,
  others: ColumnFile['others'],
): Promise<ItemFacts['groups']> {
  const named = (entries: readonly Entry[], origin: string) => ({
    names: entries.map((entry) => (entry === null || entry === '' ? null : String(entry))),
    origin: `groups from ${origin}`,
  });
  if (groups !== undefined) return named((await readColumn(folder, groups, 'group')).entries, groups);
  if (others['group']) return named(others['group'], String(labels));
  const tensor = await tensorColumn(rows, 'groups');
  return tensor && named(tensor.entries, "the files' tensor groups");
}
