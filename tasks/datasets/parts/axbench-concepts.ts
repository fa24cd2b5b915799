/** @file AxBench's concepts as they are published: two tables of instructions with responses, and the examples of each. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Concept,
  type ConceptSet,
  type Item,
  type Role,
  type TextPairing,
  UserError,
} from '../../../harness/contract.ts';
import { readParquet } from '../../../harness/kit/index.ts';
import { conceptSetBuilder } from './concept-set-builder.ts';
import type { ConversationFormat } from './conversation.ts';
import { findData, type PathOption, type Search, type Source } from './files.ts';

interface Row {
  input: string;
  output: string;
  output_concept: string;
  concept_genre: string;
  category: string;
  concept_id: number;
}

const COLUMNS = ['input', 'output', 'output_concept', 'concept_genre', 'category', 'concept_id'] as const;
/** The two tables, as the project's own runs leave them and as the sets on the hub have them. */
const TABLES: readonly (readonly [string, string])[] = [
  ['generate/train_data.parquet', 'inference/latent_eval_data.parquet'],
  ['train/data.parquet', 'test/data.parquet'],
];
/** Schema's description of the option that names the folder. */
export const AXBENCH_FOLDER = `The folder that holds ${TABLES.map((set) => set.join(' and ')).join(', or ')}.`;
/** The label of an item that says whether it is text, code or math. */
const GENRE = 'genre';
/** `concept_id` of the training negatives, which all concepts share. */
const SHARED = -1;

/** Where the tables of a folder lie, for a dataset that is named in errors. */
export interface AxbenchTables {
  dataset: string;
  train: string;
  evaluation: string;
  source: Source;
}

async function rows(dataset: string, path: string): Promise<Row[]> {
  const table = await readParquet(path, { columns: COLUMNS });
  return table.map((row, i) => {
    if (isRow(row)) return row;
    const wrong = wrongColumn(row)!;
    throw new UserError(
      `dataset ${dataset}: ${path}: row ${i}: ${wrong}: expected a value, found ${String(row[wrong])}.`,
    );
  });
}

const wrongColumn = (row: Record<string, unknown>) =>
  COLUMNS.find((name) => typeof row[name] !== (name === 'concept_id' ? 'number' : 'string'));

function isRow(row: Record<string, unknown>): row is Record<string, unknown> & Row {
  return wrongColumn(row) === undefined;
}

/** The tables of a folder. @throws UserError where one is missing, for the option that named the folder. */
export async function axbenchTables(
  search: Search,
  option: string,
  folder: PathOption | undefined,
): Promise<AxbenchTables> {
  const source = await findData(search, option, folder, () => TABLES);
  const pairs = TABLES.map((pair) => pair.map((file) => join(source.path, file)) as [string, string]);
  const [train, evaluation] = pairs.find((pair) => pair.every(existsSync))!;
  return { dataset: search.dataset, train, evaluation, source };
}

/** The concepts of a folder, with conversations written in a format. `allNegatives`: those of other genres too. */
export async function axbenchConcepts(
  tables: AxbenchTables,
  allNegatives: boolean,
  format: ConversationFormat,
  limits: { concepts?: number; perClass?: number },
): Promise<ConceptSet> {
  const { dataset, train, evaluation } = tables;
  const [training, heldOut] = [await rows(dataset, train), await rows(dataset, evaluation)];
  requireSameConcepts(tables, training, heldOut);
  return conceptSet(training, heldOut, allNegatives, format, limits);
}

/** @throws UserError where an id stands for several concepts: every set counts its own from 0, so that tables of two would fit. */
function requireSameConcepts(
  { dataset, train, evaluation }: AxbenchTables,
  training: readonly Row[],
  heldOut: readonly Row[],
): void {
  const concepts = new Map<number, string>();
  for (const [path, table] of [
    [train, training],
    [evaluation, heldOut],
  ] as const) {
    for (const [i, { concept_id: id, category, output_concept: concept }] of table.entries()) {
      if (id === SHARED || category !== 'positive') continue;
      const known = concepts.get(id) ?? concept;
      concepts.set(id, known);
      if (known === concept) continue;
      throw new UserError(
        `dataset ${dataset}: ${path}: row ${i}: expected texts with '${known}' for concept_id ${id}, as in the rows before; found ` +
          `'${concept}': are the tables those of one set?`,
      );
    }
  }
}

/**
 * Of the held-out negatives a concept's own are of all genres, a sixth each of code and math: partners of its positives are
 * those of its genre, of all concepts. All were written to avoid some concept, as those of AxBench's 1 % setting are.
 */
export const AXBENCH_PAIRS: TextPairing = {
  description:
    "a held-out response that shows the concept beside a held-out negative of the same genre, the concept's own or another's, matched in length; instructions differ, and are not scored",
  partners(set, concept) {
    const own = set.examples.find((example) => example.concept === concept && example.role === 'positive');
    const genre = own && set.items[own.item]!.labels?.[GENRE];
    const places = set.examples
      .filter(({ split, role, item }) => {
        return split === 'eval' && role === 'negative' && set.items[item]!.labels?.[GENRE] === genre;
      })
      .map(({ item }) => item);
    return [...new Set(places)];
  },
};

const textItem = (id: string, row: Row, format: ConversationFormat): Item => ({
  id,
  ...format.write(row.input, row.output),
  labels: { [GENRE]: row.concept_genre },
});

function conceptSet(
  train: readonly Row[],
  evaluation: readonly Row[],
  allNegatives: boolean,
  format: ConversationFormat,
  { concepts: most, perClass = Number.POSITIVE_INFINITY }: { concepts?: number; perClass?: number },
): ConceptSet {
  const ids = [...new Set(train.map(({ concept_id }) => concept_id))].filter((id) => id !== SHARED).slice(0, most);
  const items = (split: string, all: readonly Row[]) =>
    all.map((row, i) => ({ row, item: textItem(`${split}-${i}`, row, format) }));
  const [trainItems, evalItems] = [items('train', train), items('eval', evaluation)];
  const genres = ids.map((id) => train.find(({ concept_id }) => concept_id === id)!);
  const builder = conceptSetBuilder(
    genres.map(
      (row): Concept => ({ id: `concept-${row.concept_id}`, label: row.output_concept, domain: row.concept_genre }),
    ),
  );
  ids.forEach((id, c) => {
    const add = (split: 'train' | 'eval', role: Role, from: typeof trainItems, wanted: (row: Row) => boolean) => {
      const chosen = from.filter(({ row }) => wanted(row)).slice(0, perClass);
      builder.add(
        c,
        split,
        role,
        chosen.map(({ item }) => item),
      );
    };
    add('train', 'positive', trainItems, (row) => row.concept_id === id);
    add('train', 'negative', trainItems, ({ concept_id, concept_genre }) => {
      return concept_id === SHARED && (allNegatives || concept_genre === genres[c]!.concept_genre);
    });
    for (const role of ['positive', 'negative', 'hard-negative'] as const) {
      add('eval', role, evalItems, (row) => row.concept_id === id && row.category.replace(' ', '-') === role);
    }
  });
  return builder.build();
}
