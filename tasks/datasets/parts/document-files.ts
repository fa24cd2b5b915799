/** @file An option that lists files of documents, each with the field that holds the text, or with several places to take it from. */
import type { OptionsSchema } from '../../../harness/contract.ts';
import { findData, type Search, type Source } from './files.ts';

/** A file of documents. */
interface Documents {
  path: string;
  field?: string;
}

export type DocumentFiles = readonly (Documents | readonly Documents[])[];

const DOCUMENTS = {
  type: 'object',
  additionalProperties: false,
  required: ['path'],
  properties: { path: { type: 'string', minLength: 1 }, field: { type: 'string', minLength: 1 } },
} as const;

/** Schema of an option that names them; `description` for what they are. */
export const documentFiles = (description: string): OptionsSchema[string] => ({
  type: 'array',
  default: [],
  description:
    `${description} (.json, .jsonl, .parquet, .csv, or text with empty lines between documents), each with the field that holds ` +
    'the text; a path may be hub:OWNER/REPO/PATH@REVISION or github:OWNER/REPO/PATH@COMMIT. In place of one, a list of which the first is taken that can be had.',
  items: {
    type: ['object', 'array'],
    minItems: 1,
    items: DOCUMENTS,
    ...{ additionalProperties: false, required: DOCUMENTS.required, properties: DOCUMENTS.properties },
  },
});

/** Those of the option `option`, each with the field of its text. */
export async function findDocuments(
  search: Search,
  option: string,
  files: DocumentFiles,
): Promise<(Source & { field: string })[]> {
  const sources: (Source & { field: string })[] = [];
  for (const each of files) {
    const choices = [each].flat();
    const found = await findData(
      search,
      option,
      choices.map(({ path }) => path),
    );
    sources.push({ ...found, field: choices[found.choice]!.field ?? 'text' });
  }
  return sources;
}
