/** @file Labelled texts in a table with names of columns, as the hub has them: parquet or JSON lines. */
import { UserError } from '../../../harness/contract.ts';
import { readJsonl, readParquet } from '../../../harness/kit/index.ts';
import type { LabelledText } from './labelled-texts.ts';

/** What a table of a set holds. */
export interface LabelledColumns {
  /** The dataset's id, for errors. */
  dataset: string;
  /** Names of the column of the text, of which the first that a row has is taken; `label` has the class, 0 to `classes` − 1. */
  text: readonly string[];
  classes: number;
}

/** Whether a file is such a table. */
export const isTable = (path: string): boolean => /\.(parquet|jsonl)$/.test(path);

/** Its rows, one after another. */
export async function* rowsOf(path: string): AsyncGenerator<unknown> {
  if (path.endsWith('.parquet')) yield* await readParquet(path);
  else yield* readJsonl(path);
}

/** Texts with their classes. @throws UserError naming the file and the first row that is none. */
export async function readLabelledTable(
  path: string,
  { dataset, text: columns, classes }: LabelledColumns,
): Promise<LabelledText[]> {
  const texts: LabelledText[] = [];
  let row = 0;
  for await (const entry of rowsOf(path)) {
    const values = (typeof entry === 'object' && entry !== null ? entry : {}) as Record<string, unknown>;
    const text = values[columns.find((name) => Object.hasOwn(values, name)) ?? ''];
    const { label } = values;
    if (typeof text !== 'string' || !(Number.isInteger(label) && Number(label) >= 0 && Number(label) < classes)) {
      throw new UserError(
        `dataset ${dataset}: ${path}: row ${row}: expected a text under '${columns.join("' or '")}' and under 'label' a class from 0 to ` +
          `${classes - 1}; found ${typeof text} and ${String(label)}.`,
      );
    }
    texts.push({ text, label: Number(label) });
    row += 1;
  }
  return texts;
}
