/** @file The rows of a table as examples with their labels, in the wide form and in the long one. */
import { UserError, unknownName } from '../errors.ts';
import type { Columns } from './columns.ts';
import { type DomainConcept, type DomainExample, type DomainSettings, LABEL } from './domain.ts';
import { CELL_MEANING, isMissing, labelOfCell, labelOfRole, ROLE_MEANING, type Row } from './labels.ts';
import { cell, type Table } from './table.ts';

/** An example before its image is looked up. */
export type TableExample = Omit<DomainExample, 'image'> & { image?: string };

export interface LabelledRows {
  examples: TableExample[];
  labels: Int8Array[];
}

/** Labels are held by concept and example, a byte each. */
const MAX_LABELS = 2 ** 29;
/** What names an example in reports is no document. */
const MAX_ID = 200;

const SPLITS: ReadonlyMap<string, 'train' | 'test' | undefined> = new Map([
  ['', undefined],
  ['train', 'train'],
  ['test', 'test'],
]);

/** What a row says of its example. */
function exampleOf(row: Row, id: string, where: string, { covariates }: DomainSettings): TableExample {
  const [text, image, group] = [cell(row, 'text'), cell(row, 'image'), cell(row, 'group_id')];
  const given = cell(row, 'split');
  const split = given.toLowerCase();
  if (!SPLITS.has(split)) {
    throw new UserError(`${where}: split: expected train, test or blank (drawn by group); found '${given}'.`);
  }
  const declared = SPLITS.get(split);
  const known = covariates.map((name) => [name, cell(row, name)] as const).filter(([, value]) => !isMissing(value));
  return {
    id,
    ...(text === '' ? {} : { text }),
    ...(image === '' ? {} : { image }),
    ...(group === '' ? {} : { group }),
    ...(declared === undefined ? {} : { split: declared }),
    covariates: Object.fromEntries(known),
  };
}

/** What an example is, by the column that all of them need. */
const contentOf = (row: Row, columns: readonly string[]): string =>
  cell(row, columns.includes('image') ? 'image' : 'text');

/** Id of a row: as given, else by its place. @throws UserError for a blank or a long one. */
function idOf(row: Row, number: number, columns: readonly string[], where: string): string {
  if (!columns.includes('id')) return `row-${number}`;
  const id = cell(row, 'id');
  if (id === '' || id.length > MAX_ID) {
    throw new UserError(
      `${where}: row ${number}: id: expected 1 to ${MAX_ID} characters, found ${id.length}; without a column id, rows are numbered.`,
    );
  }
  return id;
}

function refuseTooMany(examples: number, concepts: number, where: string): void {
  if (examples * concepts <= MAX_LABELS) return;
  throw new UserError(
    `${where}: expected at most ${MAX_LABELS} pairs of an example and a concept, found ${examples} × ${concepts}; take a sample.`,
  );
}

function refuseBlank(row: Row, columns: readonly string[], place: string): void {
  if (contentOf(row, columns) !== '') return;
  throw new UserError(
    `${place}: expected ${columns.includes('image') ? 'the path of an image' : 'a text'}, found nothing.`,
  );
}

function wideRows(
  { where, columns, rows }: Table,
  concepts: readonly DomainConcept[],
  settings: DomainSettings,
): LabelledRows {
  refuseTooMany(rows.length, concepts.length, where);
  const labels = concepts.map(() => new Int8Array(rows.length).fill(LABEL.unknown));
  const places = new Map<string, number>();
  const examples = rows.map((row, i) => {
    const id = idOf(row, i + 1, columns, where);
    const place = `${where}: row ${i + 1}`;
    const before = places.get(id);
    if (before !== undefined) {
      throw new UserError(`${place}: id '${id}' is that of row ${before + 1} too; expected one row an example.`);
    }
    places.set(id, i);
    refuseBlank(row, columns, place);
    concepts.forEach(({ name }, c) => {
      const value = cell(row, name);
      const label = labelOfCell(value);
      if (label === undefined) {
        throw new UserError(`${place}, column '${name}': expected ${CELL_MEANING}; found '${value.slice(0, 80)}'.`);
      }
      labels[c]![i] = label;
    });
    return exampleOf(row, id, place, settings);
  });
  return { examples, labels };
}

/** The parts of two rows of one example that must agree. A blank agrees with anything. */
function joinedExample(a: TableExample, b: TableExample, place: string): TableExample {
  for (const key of ['text', 'image', 'group', 'split'] as const) {
    if (a[key] === undefined || b[key] === undefined || a[key] === b[key]) continue;
    const values = key === 'text' ? '' : `, '${a[key]}' and '${b[key]}'`;
    throw new UserError(`${place}: expected one ${key} of the example '${a.id}', found two${values}.`);
  }
  for (const [name, value] of Object.entries(b.covariates)) {
    if (!Object.hasOwn(a.covariates, name) || a.covariates[name] === value) continue;
    throw new UserError(
      `${place}: expected one ${name} of the example '${a.id}', found '${a.covariates[name]}' and '${value}'.`,
    );
  }
  return { ...b, ...a, covariates: { ...b.covariates, ...a.covariates } };
}

/** Concept and label of a row; undefined where both are blank: an example of which nothing is said. */
function saidBy(
  row: Row,
  places: ReadonlyMap<string, number>,
  place: string,
): { concept: number; label: number } | undefined {
  const [name, role] = [cell(row, 'concept'), cell(row, 'role')];
  if (name === '' && role === '') return undefined;
  const concept = places.get(name);
  if (concept === undefined) throw unknownName(`concept in ${place}`, name, [...places.keys()]);
  const label = labelOfRole(role);
  if (label === undefined)
    throw new UserError(`${place}: role: expected ${ROLE_MEANING}; found '${role.slice(0, 80)}'.`);
  return { concept, label };
}

function longRows(
  { where, columns, rows }: Table,
  concepts: readonly DomainConcept[],
  settings: DomainSettings,
): LabelledRows {
  const conceptPlaces = new Map(concepts.map(({ name }, c) => [name, c]));
  const hasIds = columns.includes('id');
  const places = new Map<string, number>();
  const examples: TableExample[] = [];
  const said: { concept: number; label: number; example: number; place: string }[] = [];
  rows.forEach((row, i) => {
    const id = idOf(row, i + 1, columns, where);
    const place = `${where}: row ${i + 1}`;
    const key = hasIds ? id : contentOf(row, columns);
    const before = places.get(key);
    if (before === undefined) refuseBlank(row, columns, place);
    const own = exampleOf(row, before === undefined ? id : examples[before]!.id, place, settings);
    const example = before ?? examples.push(own) - 1;
    if (before !== undefined) examples[before] = joinedExample(examples[before]!, own, place);
    places.set(key, example);
    const says = saidBy(row, conceptPlaces, place);
    if (says) said.push({ ...says, example, place });
  });
  refuseTooMany(examples.length, concepts.length, where);
  const labels = concepts.map(() => new Int8Array(examples.length).fill(LABEL.unknown));
  for (const { concept, label, example, place } of said) {
    const before = labels[concept]![example]!;
    if (before !== LABEL.unknown && before !== label) {
      throw new UserError(
        `${place}: the example '${examples[example]!.id}' has another role for '${concepts[concept]!.name}' in an earlier row.`,
      );
    }
    labels[concept]![example] = label;
  }
  return { examples, labels };
}

/**
 * Examples and, by concept, the label of each.
 *
 * @throws UserError naming the row: for blank texts, ids that occur twice, cells that say no label, and rows that contradict each other.
 */
export function labelledRows(
  table: Table,
  { form }: Columns,
  concepts: readonly DomainConcept[],
  settings: DomainSettings,
): LabelledRows {
  const found = (form === 'wide' ? wideRows : longRows)(table, concepts, settings);
  const splitOf = new Map<string, TableExample>();
  for (const example of found.examples) {
    const { group, split, id } = example;
    if (group === undefined || split === undefined) continue;
    const first = splitOf.get(group);
    if (first === undefined) splitOf.set(group, example);
    else if (first.split !== split) {
      throw new UserError(
        `${table.where}: group '${group}': expected its examples in one split; found '${first.id}' in ${first.split} and '${id}' in ${split}.`,
      );
    }
  }
  return found;
}
