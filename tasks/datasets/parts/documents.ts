/** @file Documents of a file: a JSON list, JSON lines, a table, or plain text. */
import { UserError } from '../../../harness/contract.ts';
import {
  MAX_TEXT_BYTES,
  readCsvRecords,
  readJson,
  readJsonl,
  readParquet,
  readText,
} from '../../../harness/kit/index.ts';

/** Beyond every set that is held in memory. */
const MAX_DOCUMENTS = 2_000_000;

/**
 * The documents of a file, without empty ones. `.json`: a list of strings, or of objects with a text (or a list of texts,
 * its paragraphs) under `field`, or an object of such entries by id; `.jsonl`: the same, one a line; `.parquet`, and `.csv` and `.tsv`
 * with a header: the column `field`; anything else: documents divided by empty lines. `a.b` is the field b of a, where there is no `a.b`.
 *
 * @throws UserError naming the file and the first entry that is no text.
 */
export async function readDocuments(path: string, field: string): Promise<string[]> {
  const documents: string[] = [];
  const add = (entry: unknown, place: string): void => {
    const found = typeof entry === 'object' && entry !== null ? fieldOf(entry, field) : entry;
    const text = Array.isArray(found) && found.every((part) => typeof part === 'string') ? found.join('\n') : found;
    if (typeof text !== 'string') {
      throw new UserError(`documents ${path}: ${place}: expected a text or an object with a text under '${field}'.`);
    }
    if (text.trim() !== '') documents.push(text.trim());
    if (documents.length > MAX_DOCUMENTS) {
      throw new UserError(`documents ${path}: expected at most ${MAX_DOCUMENTS} documents; divide the file.`);
    }
  };
  if (path.endsWith('.jsonl')) {
    let line = 0;
    for await (const entry of readJsonl(path)) add(entry, `entry ${++line}`);
  } else if (path.endsWith('.json')) {
    const list = await readJson(path, 'documents');
    if (!Array.isArray(list) && !isById(list)) {
      throw new UserError(`documents ${path}: expected a list of texts, found ${typeof list}.`);
    }
    for (const [name, entry] of Object.entries(list)) add(entry, `entry ${name}`);
  } else if (path.endsWith('.parquet')) {
    const columns = field.includes('.') ? {} : { columns: [field] };
    for (const [i, row] of (await readParquet(path, columns)).entries()) add(row, `row ${i}`);
  } else if (/\.[ct]sv$/.test(path)) {
    let row = 0;
    for await (const entry of readCsvRecords(path, [field])) add(entry, `row ${row++}`);
  } else {
    for (const [i, entry] of (await readText(path, 'documents', MAX_TEXT_BYTES)).split(/\n\s*\n/).entries())
      add(entry, `document ${i}`);
  }
  if (documents.length === 0) throw new UserError(`documents ${path}: expected at least one document, found none.`);
  return documents;
}

/** What an entry has under a name, else under names one within the other. */
function fieldOf(entry: object, field: string): unknown {
  if (Object.hasOwn(entry, field)) return (entry as Record<string, unknown>)[field];
  let value: unknown = entry;
  for (const name of field.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
    value = (value as Record<string, unknown>)[name];
  }
  return value;
}

/** Entries by their ids, as PubMedQA has them: objects one and all. */
function isById(value: unknown): value is Record<string, object> {
  if (typeof value !== 'object' || value === null) return false;
  const entries = Object.values(value);
  return entries.length > 0 && entries.every((entry) => typeof entry === 'object' && entry !== null);
}
