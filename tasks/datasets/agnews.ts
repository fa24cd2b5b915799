/** @file AG News: news articles of four topics. */
import { type Concept, defineDataset, UserError } from '../../harness/contract.ts';
import { readCsvRows } from '../../harness/kit/index.ts';
import { labelledTextOptions, type Options, openLabelledTexts } from './parts/labelled-text-dataset.ts';
import type { LabelledText } from './parts/labelled-texts.ts';

const TOPICS: readonly Concept[] = [
  { id: 'world', label: 'world news and politics' },
  { id: 'sports', label: 'sports' },
  { id: 'business', label: 'business' },
  { id: 'science', label: 'science and technology' },
];

/** The four topics are the concepts; a text is title and description. */
export default defineDataset<Options>({
  id: 'agnews',
  title: 'AG News: news texts of four topics',
  paper: 'Zhang et al. 2015, arXiv:1509.01626',
  version: 1,
  modality: 'text',
  options: labelledTextOptions('The CSV file of classes (1 to 4), titles and descriptions'),
  open: (options, context) => openLabelledTexts('agnews', options, context, TOPICS, read),
});

async function read(path: string): Promise<LabelledText[]> {
  const texts: LabelledText[] = [];
  for await (const { fields, line } of readCsvRows(path)) {
    const label = Number(fields[0]);
    if (fields.length !== 3 || !(Number.isInteger(label) && label >= 1 && label <= TOPICS.length)) {
      throw new UserError(
        `dataset agnews: ${path}: line ${line}: expected a class from 1 to 4, a title and a description; found ` +
          `${fields.length} fields, the first '${fields[0]}'.`,
      );
    }
    texts.push({ text: cleaned(`${fields[1]}. ${fields[2]}`), label: label - 1 });
  }
  return texts;
}

/** Undoes the set's own way of writing line breaks (a backslash) and character references (without their ampersand). */
function cleaned(text: string): string {
  return text
    .replaceAll('\\', ' ')
    .replace(/ ?&?#(\d{2,5});/g, (_, code: string) => String.fromCodePoint(Number(code)))
    .replace(/\s+/g, ' ')
    .trim();
}
