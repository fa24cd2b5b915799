/** @file AG News: news articles of four topics. */
import { defineDataset } from '../../harness/contract.ts';
import { AG_NEWS_TOPICS, readAgNews } from './parts/agnews-texts.ts';
import { labelledTextOptions, type Options, openLabelledTexts } from './parts/labelled-text-dataset.ts';

/** The four topics are the concepts; a text is title and description. */
export default defineDataset<Options>({
  id: 'agnews',
  title: 'AG News: news texts of four topics',
  paper: 'Zhang et al. 2015, arXiv:1509.01626',
  version: 1,
  modality: 'text',
  options: labelledTextOptions(
    'The CSV file of classes (1 to 4), titles and descriptions, or a table (.parquet, .jsonl) of `text` and `label` (0 to 3)',
  ),
  open: (options, context) => openLabelledTexts('agnews', options, context, AG_NEWS_TOPICS, readAgNews),
});
