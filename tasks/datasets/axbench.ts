/** @file AxBench's own concepts: instructions with responses that show a concept, written by a language model. */
import { type ConceptSet, defineDataset, type TextJudge } from '../../harness/contract.ts';
import { sha256File, sha256Json } from '../../harness/kit/index.ts';
import { BAG_OF_WORDS_JUDGE, gradesOfSet } from '../judges/parts/bag-of-words.ts';
import { keepsToTopic } from '../judges/parts/word-overlap.ts';
import { AXBENCH_FOLDER, AXBENCH_PAIRS, axbenchConcepts, axbenchTables } from './parts/axbench-concepts.ts';
import { rememberSets } from './parts/concept-set-builder.ts';
import { conversationFormat, type FormatName, formatOption } from './parts/conversation.ts';
import { documentCorpus } from './parts/document-corpus.ts';
import { readDocuments } from './parts/documents.ts';
import { findData, type PathOption, pathOption, sourceNotes } from './parts/files.ts';
import { readInstructions } from './parts/instructions.ts';

interface Options {
  path?: PathOption;
  corpusPath?: PathOption;
  instructionsPath?: PathOption;
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
    instructionsPath: pathOption(
      "AlpacaEval's instructions (the field `instruction`), of which each concept is steered from its own as AxBench draws them; without it all are from beginnings of documents.",
    ),
    negatives: {
      enum: ['genre', 'all'],
      default: 'genre',
      description: "Training negatives: those of the concept's genre (AxBench), or all of them.",
    },
    format: formatOption,
  },
  async open({ path, corpusPath, instructionsPath, negatives, format: name }, context) {
    const { seed } = context;
    const search = { dataset: 'axbench', context };
    const tables = await axbenchTables(search, 'path', path);
    const source = await findData(search, 'corpusPath', corpusPath);
    const corpus = source.path;
    const asked =
      instructionsPath === undefined ? undefined : await findData(search, 'instructionsPath', instructionsPath);
    const files = await Promise.all(
      [tables.train, tables.evaluation, corpus, ...(asked ? [asked.path] : [])].map(sha256File),
    );
    const format = await conversationFormat(name, context);
    const instructions = asked && (await readInstructions(asked.path, format));
    let set: ConceptSet;
    const grades = gradesOfSet(() => set);
    const judge: TextJudge = {
      description: BAG_OF_WORDS_JUDGE,
      async ready() {
        set ??= await axbenchConcepts(tables, negatives === 'all', format, {});
      },
      concept: grades,
      instruction: keepsToTopic,
    };
    return {
      id: 'axbench',
      modality: 'text',
      fingerprint: sha256Json({ files, negatives, seed, format: format.digest }),
      notes: [
        ...sourceNotes([tables.source, source, ...(asked ? [asked] : [])]),
        format.description,
        ...(instructions ? [instructions.description] : []),
      ],
      ...documentCorpus('axbench', () => readDocuments(corpus, 'text')),
      concepts: rememberSets((limits) => axbenchConcepts(tables, negatives === 'all', format, limits)),
      ...(instructions && { conceptPrompts: async (concept, n) => instructions.promptsOf(concept, n) }),
      judge,
      pairing: AXBENCH_PAIRS,
    };
  },
});
