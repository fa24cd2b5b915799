/** @file A dataset over labelled real texts: what AG News and SST-2 have in common. */
import type { Concept, Dataset, DatasetContext, OptionsSchema, TextJudge } from '../../../harness/contract.ts';
import { sha256File, sha256Json } from '../../../harness/kit/index.ts';
import { BAG_OF_WORDS_JUDGE, bagOfWordsGrades } from '../../judges/parts/bag-of-words.ts';
import { keepsToTopic } from '../../judges/parts/word-overlap.ts';
import { rememberSets } from './concept-set-builder.ts';
import { documentCorpus } from './document-corpus.ts';
import { readDocuments } from './documents.ts';
import { findData, type PathOption, pathOption, sourceNotes } from './files.ts';
import {
  judgeTexts,
  LABELLED_PAIRS,
  type LabelledText,
  type LabelledTextOptions,
  labelledConcepts,
} from './labelled-texts.ts';

export interface Options extends LabelledTextOptions {
  path?: PathOption;
  corpusPath?: PathOption;
}

/** Options of such a dataset. */
export function labelledTextOptions(file: string): OptionsSchema {
  return {
    path: pathOption(`${file}.`),
    corpusPath: pathOption(
      'Unlabelled documents for training and held-out activations (.json, .jsonl, .parquet, .csv or text).',
    ),
    train: { type: 'integer', minimum: 1, maximum: 10000, default: 72, description: 'Training items of a class.' },
    eval: { type: 'integer', minimum: 1, maximum: 10000, default: 36, description: 'Evaluation items of a class.' },
  };
}

/** Opens it: `read` gives the labelled texts, `concepts` one concept a class. */
export async function openLabelledTexts(
  id: string,
  options: Options,
  context: DatasetContext,
  concepts: readonly Concept[],
  read: (path: string) => Promise<LabelledText[]>,
): Promise<Dataset> {
  const search = { dataset: id, context };
  const sources = [
    await findData(search, 'path', options.path),
    await findData(search, 'corpusPath', options.corpusPath),
  ] as const;
  const [path, corpusPath] = [sources[0].path, sources[1].path];
  const { train, eval: held } = options;
  const files = [await sha256File(path), await sha256File(corpusPath)];
  let texts: LabelledText[] | undefined;
  const load = async () => {
    texts ??= await read(path);
    return texts;
  };
  const grades = bagOfWordsGrades((concept) => {
    const label = concepts.findIndex((entry) => entry.id === concept.id);
    return { train: judgeTexts(texts!, 'train', label), heldOut: judgeTexts(texts!, 'eval', label) };
  });
  const judge: TextJudge = {
    description: BAG_OF_WORDS_JUDGE,
    ready: load,
    concept: (text, concept) => grades(text, concept),
    instruction: keepsToTopic,
  };
  return {
    id,
    modality: 'text',
    fingerprint: sha256Json({ files, train, held, seed: context.seed }),
    notes: sourceNotes(sources),
    ...documentCorpus(id, () => readDocuments(corpusPath, 'text')),
    concepts: rememberSets(async (limits) =>
      labelledConcepts(id, await load(), concepts, { train, eval: held }, limits, context.seed),
    ),
    judge,
    pairing: LABELLED_PAIRS,
  };
}
