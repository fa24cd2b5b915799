/** @file SST-2 as GLUE publishes it, a TSV file of sentences and labels; or a table of them as on the hub. */
import { type Concept, UserError } from '../../../harness/contract.ts';
import { readCsvRows } from '../../../harness/kit/index.ts';
import { isTable, type LabelledColumns, readLabelledTable } from './labelled-table.ts';
import type { LabelledText } from './labelled-texts.ts';

/** The classes, 0 and 1 in the file. */
export const SST2_SENTIMENTS: readonly Concept[] = [
  { id: 'negative', label: 'negative sentiment' },
  { id: 'positive', label: 'positive sentiment' },
];

const COLUMNS: LabelledColumns = { dataset: 'sst2', text: ['sentence', 'text'], classes: SST2_SENTIMENTS.length };

/** Sentences with the place of their class. @throws UserError naming file and line. */
export async function readSst2(path: string): Promise<LabelledText[]> {
  if (isTable(path)) {
    return (await readLabelledTable(path, COLUMNS)).map(({ text, label }) => ({ text: text.trim(), label }));
  }
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
