/** @file AxBench's own concepts: instructions with responses that show a concept, written by a language model. */
import { defineDataset } from '../../harness/contract.ts';
import { sha256File, sha256Json } from '../../harness/kit/index.ts';
import { AXBENCH_FOLDER, AXBENCH_PAIRS, axbenchConcepts, axbenchTables } from './parts/axbench-concepts.ts';
import { rememberSets } from './parts/concept-set-builder.ts';
import { conversationFormat, type FormatName, formatOption } from './parts/conversation.ts';
import { documentCorpus } from './parts/document-corpus.ts';
import { readDocuments } from './parts/documents.ts';
import { findData, type PathOption, pathOption, sourceNotes } from './parts/files.ts';

interface Options {
  path?: PathOption;
  corpusPath?: PathOption;
  negatives: 'genre' | 'all';
  format: FormatName;
}

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
    path: pathOption(AXBENCH_FOLDER),
    corpusPath: pathOption(
      'Unlabelled documents for training and held-out activations (.json, .jsonl, .parquet, .csv or text).',
    ),
    negatives: {
      enum: ['genre', 'all'],
      default: 'genre',
      description: "Training negatives: those of the concept's genre (AxBench), or all of them.",
    },
    format: formatOption,
  },
  async open({ path, corpusPath, negatives, format: name }, context) {
    const { seed } = context;
    const search = { dataset: 'axbench', context };
    const tables = await axbenchTables(search, 'path', path);
    const source = await findData(search, 'corpusPath', corpusPath);
    const corpus = source.path;
    const files = await Promise.all([tables.train, tables.evaluation, corpus].map(sha256File));
    const format = await conversationFormat(name, context);
    return {
      id: 'axbench',
      modality: 'text',
      fingerprint: sha256Json({ files, negatives, seed, format: format.digest }),
      notes: [...sourceNotes([tables.source, source]), format.description],
      ...documentCorpus('axbench', () => readDocuments(corpus, 'text')),
      concepts: rememberSets((limits) => axbenchConcepts(tables, negatives === 'all', format, limits)),
      pairing: AXBENCH_PAIRS,
    };
  },
});
