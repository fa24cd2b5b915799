/** @file SST-2: sentences of film reviews, positive or negative. */
import { defineDataset } from '../../harness/contract.ts';
import { labelledTextOptions, type Options, openLabelledTexts } from './parts/labelled-text-dataset.ts';
import { readSst2, SST2_SENTIMENTS } from './parts/sst2-texts.ts';

/** Either sentiment is a concept; each is the other's negatives. */
export default defineDataset<Options>({
  id: 'sst2',
  title: 'SST-2: sentiment of film reviews',
  paper: 'Socher et al. 2013, EMNLP; Wang et al. 2018 (GLUE), arXiv:1804.07461',
  version: 1,
  modality: 'text',
  options: labelledTextOptions(
    'The TSV file of sentences and labels (0 or 1), or a table (.parquet, .jsonl) of `sentence` or `text` and `label`',
  ),
  open: (options, context) => openLabelledTexts('sst2', options, context, SST2_SENTIMENTS, readSst2),
});
