/** @file AG News as it is published, a CSV file of classes, titles and descriptions; or a table of texts and labels as on the hub. */
import { type Concept, UserError } from '../../../harness/contract.ts';
import { readCsvRows } from '../../../harness/kit/index.ts';
import { isTable, type LabelledColumns, readLabelledTable } from './labelled-table.ts';
import type { LabelledText } from './labelled-texts.ts';

/** The classes, 1 to 4 in the file. */
export const AG_NEWS_TOPICS: readonly Concept[] = [
  { id: 'world', label: 'world news and politics' },
  { id: 'sports', label: 'sports' },
  { id: 'business', label: 'business' },
  { id: 'science', label: 'science and technology' },
];

const COLUMNS: LabelledColumns = { dataset: 'agnews', text: ['text'], classes: AG_NEWS_TOPICS.length };

/** Titles and descriptions with the place of their class. @throws UserError naming file and line. */
export async function readAgNews(path: string): Promise<LabelledText[]> {
  if (isTable(path)) {
    return (await readLabelledTable(path, COLUMNS)).map(({ text, label }) => ({ text: cleaned(text), label }));
  }
  const texts: LabelledText[] = [];
  for await (const { fields, line } of readCsvRows(path)) {
    const label = Number(fields[0]);
    if (fields.length !== 3 || !(Number.isInteger(label) && label >= 1 && label <= AG_NEWS_TOPICS.length)) {
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
