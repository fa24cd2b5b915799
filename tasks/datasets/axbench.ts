/** @file AxBench's own concepts: instructions with responses that show a concept, written by a language model. */
import { join } from 'node:path';
import {
  type Concept,
  type ConceptSet,
  defineDataset,
  type Item,
  type Role,
  UserError,
} from '../../harness/contract.ts';
import { readParquet, sha256File, sha256Json } from '../../harness/kit/index.ts';
import { conceptSetBuilder, rememberSets } from './parts/concept-set-builder.ts';
import { type ConversationFormat, conversationFormat, type FormatName, formatOption } from './parts/conversation.ts';
import { documentCorpus } from './parts/document-corpus.ts';
import { readDocuments } from './parts/documents.ts';
import { pathOption, requiredPath } from './parts/files.ts';

interface Options {
  path?: string;
  corpusPath?: string;
  negatives: 'genre' | 'all';
  format: FormatName;
}

interface Row {
  input: string;
  output: string;
  output_concept: string;
  concept_genre: string;
  category: string;
  concept_id: number;
}

const COLUMNS = ['input', 'output', 'output_concept', 'concept_genre', 'category', 'concept_id'] as const;
const TRAIN = 'generate/train_data.parquet';
const EVAL = 'inference/latent_eval_data.parquet';
/** `concept_id` of the training negatives, which all concepts share. */
const SHARED = -1;

/**
 * A folder as AxBench publishes it. Texts are whole conversations in the subject's chat format, or that of the option `format`; the
 * response begins at `responseStart`. Negatives for training are those of the concept's genre (text, code or math), as in AxBench.
 */
export default defineDataset<Options>({
  id: 'axbench',
  title: 'AxBench concepts (CONCEPT10, CONCEPT500, ConceptFD)',
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 2,
  modality: 'text',
  options: {
    path: pathOption(`The folder that holds ${TRAIN} and ${EVAL}.`),
    corpusPath: pathOption('Unlabelled documents for training and held-out activations (.json, .jsonl or text).'),
    negatives: {
      enum: ['genre', 'all'],
      default: 'genre',
      description: "Training negatives: those of the concept's genre (AxBench), or all of them.",
    },
    format: formatOption,
  },
  async open({ path, corpusPath, negatives, format: name }, context) {
    const { seed, baseDir } = context;
    const folder = requiredPath('axbench', 'path', path, baseDir);
    const corpus = requiredPath('axbench', 'corpusPath', corpusPath, baseDir);
    const [train, evaluation] = [TRAIN, EVAL].map((file) => {
      return requiredPath('axbench', 'path', join(folder, file), baseDir);
    }) as [string, string];
    const files = await Promise.all([train, evaluation, corpus].map(sha256File));
    const format = await conversationFormat(name, context);
    return {
      id: 'axbench',
      modality: 'text',
      fingerprint: sha256Json({ files, negatives, seed, format: format.digest }),
      notes: [format.description],
      ...documentCorpus('axbench', () => readDocuments(corpus, 'text')),
      concepts: rememberSets(async (limits) =>
        conceptSet(await rows(train), await rows(evaluation), negatives === 'all', format, limits),
      ),
    };
  },
});

async function rows(path: string): Promise<Row[]> {
  const table = await readParquet(path, { columns: COLUMNS });
  return table.map((row, i) => {
    if (isRow(row)) return row;
    const wrong = wrongColumn(row)!;
    throw new UserError(`dataset axbench: ${path}: row ${i}: ${wrong}: expected a value, found ${String(row[wrong])}.`);
  });
}

const wrongColumn = (row: Record<string, unknown>) =>
  COLUMNS.find((name) => typeof row[name] !== (name === 'concept_id' ? 'number' : 'string'));

function isRow(row: Record<string, unknown>): row is Record<string, unknown> & Row {
  return wrongColumn(row) === undefined;
}

function conceptSet(
  train: readonly Row[],
  evaluation: readonly Row[],
  allNegatives: boolean,
  format: ConversationFormat,
  { concepts: most, perClass = Number.POSITIVE_INFINITY }: { concepts?: number; perClass?: number },
): ConceptSet {
  const ids = [...new Set(train.map(({ concept_id }) => concept_id))].filter((id) => id !== SHARED).slice(0, most);
  const items = (split: string, all: readonly Row[]) =>
    all.map((row, i) => ({ row, item: { id: `${split}-${i}`, ...format.write(row.input, row.output) } as Item }));
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
