/** @file SST-2: sentences of film reviews, positive or negative. */
import { type Concept, defineDataset, UserError } from '../../harness/contract.ts';
import { readCsvRows } from '../../harness/kit/index.ts';
import { labelledTextOptions, type Options, openLabelledTexts } from './parts/labelled-text-dataset.ts';
import type { LabelledText } from './parts/labelled-texts.ts';

const SENTIMENTS: readonly Concept[] = [
  { id: 'negative', label: 'negative sentiment' },
  { id: 'positive', label: 'positive sentiment' },
];

/** Either sentiment is a concept; each is the other's negatives. */
export default defineDataset<Options>({
  id: 'sst2',
  title: 'SST-2: sentiment of film reviews',
  paper: 'Socher et al. 2013, EMNLP; Wang et al. 2018 (GLUE), arXiv:1804.07461',
  version: 1,
  modality: 'text',
  options: labelledTextOptions('The TSV file of sentences and labels (0 or 1)'),
  open: (options, context) => openLabelledTexts('sst2', options, context, SENTIMENTS, read),
});

async function read(path: string): Promise<LabelledText[]> {
  const texts: LabelledText[] = [];
  for await (const { fields, line } of readCsvRows(path)) {
    // GLUE's own files begin with a line of column names.
    if (line === 1 && fields.join() === 'sentence,label') continue;
    if (fields.length !== 2 || !/^[01]$/.test(fields[1]!)) {
      throw new UserError(
        `dataset sst2: ${path}: line ${line}: expected a sentence, a tab and 0 or 1; found ${fields.length} fields.`,
      );
    }
    texts.push({ text: fields[0]!.trim(), label: Number(fields[1]) });
  }
  return texts;
}
