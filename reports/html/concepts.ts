/** @file What each method reached on each concept, and by what: the data of the HTML report's browser of concepts. */
import { mean } from '../../harness/num/stats/law-form.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { scriptJson } from '../escape.ts';
import { axesLabel, metricTitle } from '../format.ts';
import { headlines } from '../overview/bands.ts';
import type { Place } from '../overview/places.ts';
import { resultsAt } from '../plots/parts.ts';
import type { Table, TableRow } from '../table.ts';
import { taskTitle } from '../withheld.ts';
import { kindOf } from './table-view.ts';

/** A text that a method steered, with its ratings in words. */
interface Example {
  prompt?: string;
  text: string;
  ratings: string;
}

/** An image that a method steered: the nearest other image and the answer, at each factor that was tried. */
interface Picture {
  item: string;
  answer: string;
  steered: { factor: number; item: string; answer: string; overall: number }[];
}

/** What a method used for a concept, of the first seed that tells. */
interface Used {
  label?: string;
  /** E.g. `latent 473, sign 1, factor 0.5`. */
  by?: string;
  examples?: Example[];
  pictures?: Picture[];
}

export interface ConceptTable {
  title: string;
  metric: string;
  /** Why nothing here ranks. */
  withheld?: string;
  concepts: { id: string; label: string }[];
  /** Thumbnails of the images that pictures name, by id. */
  images: Record<string, string>;
  methods: {
    name: string;
    kind: string;
    axes: string;
    /** By concept, the mean over seeds; null where it has none. */
    scores: (number | null)[];
    used: (Used | null)[];
  }[];
}

/** Texts or images of one concept and method that are tried, until all fits; the result files have them all. */
const EXAMPLES = [2, 1, 0];
/** Of the page: scores of many concepts may need more, and are never cut. */
const MOST_BYTES = 700_000;
/** Of a text that is shown. */
const MOST_CHARACTERS = 400;
/** Fields of a record that say what a method used, in the words of tasks. */
const USED = ['latent', 'sign', 'factor'] as const;

type Fields = Record<string, unknown>;
const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value.slice(0, MOST_CHARACTERS) : undefined;

function exampleOf(given: unknown): Example[] {
  if (!isFields(given)) return [];
  const id = textOf(given['prompt_id']);
  const text = textOf(given['text']) ?? (id && `(the text after ${id} is private: --include-texts shows it)`);
  if (text === undefined) return [];
  const prompt = textOf(given['prompt']);
  const ratings = Object.entries(given).filter(([name, value]) => typeof value === 'number' && name !== 'latent');
  return [
    {
      ...(prompt === undefined ? {} : { prompt }),
      text,
      ratings: ratings.map(([name, value]) => `${metricTitle(name)} ${value}`).join(', '),
    },
  ];
}

function pictureOf(given: unknown): Picture[] {
  if (!isFields(given) || !Array.isArray(given['steered'])) return [];
  const [item, answer] = [textOf(given['item']), textOf(given['answer'])];
  if (item === undefined || answer === undefined) return [];
  const steered = given['steered'].flatMap((each: unknown): Picture['steered'] => {
    if (!isFields(each) || typeof each['factor'] !== 'number' || typeof each['overall'] !== 'number') return [];
    const [nearest, after] = [textOf(each['item']), textOf(each['answer'])];
    if (nearest === undefined || after === undefined) return [];
    const overall = Number(each['overall'].toPrecision(3));
    return [{ factor: Number(each['factor'].toPrecision(3)), item: nearest, answer: after, overall }];
  });
  return [{ item, answer, steered }];
}

/** A picture in base64, and nothing that could end the attribute it is put into. */
const isThumbnail = (value: unknown): value is string => typeof value === 'string' && /^[A-Za-z0-9+/]+=*$/.test(value);

/** Thumbnails that the results have of the images that are named. */
function imagesOf(methods: ConceptTable['methods'], results: readonly Result[]): Record<string, string> {
  const pictures = methods.flatMap(({ used }) => used.flatMap((each) => each?.pictures ?? []));
  const named = new Set(pictures.flatMap(({ item, steered }) => [item, ...steered.map((each) => each.item)]));
  const all = results.flatMap(({ details }) => {
    const images = (details as Fields | undefined)?.['images'];
    return isFields(images) ? Object.entries(images) : [];
  });
  return Object.fromEntries(
    all.filter((entry): entry is [string, string] => named.has(entry[0]) && isThumbnail(entry[1])),
  );
}

function usedOf(record: Fields, most: number): Used {
  const { ci95, verdict } = record;
  const by = [
    ...USED.filter((name) => typeof record[name] === 'number').map((name) => `${name} ${record[name]}`),
    ...(Array.isArray(ci95) && ci95.every((end) => typeof end === 'number')
      ? [`95 % [${ci95.map((end: number) => Number(end.toPrecision(2))).join(', ')}]`]
      : []),
    ...(typeof verdict === 'string' ? [verdict] : []),
  ];
  const given = Array.isArray(record['examples']) ? record['examples'] : [];
  const examples = given.slice(0, most).flatMap(exampleOf);
  const label = textOf(record['label']);
  const pictures = Array.isArray(record['pictures']) ? record['pictures'].slice(0, most).flatMap(pictureOf) : [];
  return {
    ...(label === undefined ? {} : { label }),
    ...(by.length > 0 ? { by: by.join(', ') } : {}),
    ...(examples.length > 0 ? { examples } : {}),
    ...(pictures.length > 0 ? { pictures } : {}),
  };
}

/** Records by concept of a row, where the details of its first result that has them are lists named by the row's axes. */
function recordsOf({ method, axes }: TableRow, results: readonly Result[], most: number): Map<string, Used> {
  const named = (words: readonly string[]) => [...words].sort().join('/');
  const wanted = named(Object.values(axes));
  const lists = results
    .filter((result) => result.method.name === method.name)
    .flatMap(({ details = {} }) => Object.entries(details as Fields))
    .flatMap(([key, value]) => (named(key.split('/')) === wanted ? [value] : []));
  const records = lists.find(Array.isArray) ?? [];
  return new Map(
    records.flatMap((record: unknown): [string, Used][] =>
      isFields(record) && typeof record['id'] === 'string' ? [[record['id'], usedOf(record, most)]] : [],
    ),
  );
}

const isByConcept = (results: readonly Result[]): boolean =>
  results.some(({ rows }) => rows.some(({ samples }) => samples?.unit === 'concept' && samples.ids !== undefined));

function conceptTable(table: Table, { subject, site }: Place, results: readonly Result[], most: number): ConceptTable {
  const rows = headlines(table).filter(({ sampled }) => sampled.some(({ units }) => units));
  const ids = [...new Set(rows.flatMap(({ sampled }) => sampled.flatMap(({ units }) => [...(units?.keys() ?? [])])))];
  const methods = rows.map((row) => {
    const records = recordsOf(row, results, most);
    const scores = ids.map((id) => {
      const values = row.sampled.flatMap(({ units }) => units?.get(id) ?? []);
      return values.length === 0 ? null : Number(mean(values).toPrecision(4));
    });
    return {
      name: row.method.name,
      kind: kindOf(row.method, row.control !== undefined),
      axes: axesLabel(row.axes),
      scores,
      used: ids.map((id) => records.get(id) ?? null),
    };
  });
  const labelOf = (i: number, id: string) => methods.flatMap(({ used }) => used[i]?.label ?? [])[0] ?? id;
  return {
    title: `${taskTitle(table)}: ${subject.id}, ${site.name}`,
    metric: metricTitle(table.main!),
    ...(table.withheld === undefined ? {} : { withheld: table.withheld }),
    concepts: ids.map((id, i) => ({ id, label: labelOf(i, id) })),
    images: imagesOf(methods, results),
    methods,
  };
}

function tablesWith(most: number, places: readonly Place[], results: readonly Result[]): ConceptTable[] {
  return places.flatMap((place) =>
    place.tables.flatMap((table) => {
      const own = resultsAt(place, results).filter(({ task }) => task.id === table.task.id);
      if (table.main === undefined || !isByConcept(own)) return [];
      const found = conceptTable(table, place, own, most);
      return found.concepts.length > 0 ? [found] : [];
    }),
  );
}

/** A table for each place and task whose numbers are means over named concepts; `cut` says where examples are left out. */
export function conceptTables(
  places: readonly Place[],
  results: readonly Result[],
): { tables: ConceptTable[]; cut?: string } {
  for (const most of EXAMPLES) {
    const tables = tablesWith(most, places, results);
    if (most > 0 && Buffer.byteLength(scriptJson(tables)) > MOST_BYTES) continue;
    const shown = most === 0 ? 'None' : `At most ${most}`;
    const cut = `${shown} of the texts or images that a method steered for a concept are here; the result files have them all.`;
    return { tables, ...(most < EXAMPLES[0]! ? { cut } : {}) };
  }
  return { tables: [] };
}
