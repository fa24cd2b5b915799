/** @file Reading CSV (RFC 4180) and TSV, streamed row by row. */

import { createReadStream } from 'node:fs';
import { someOf, UserError } from '../errors.ts';
import { readError, regularFile } from './json.ts';
import { utf8Pieces } from './utf8.ts';

/** How the fields are written. */
export interface CsvOptions {
  /** Default: a tab for files named `.tsv`, otherwise a comma. */
  delimiter?: string;
  /** Whether `"` quotes fields. Default: yes, but not for tabs, where text sets write quotes as they are. */
  quotes?: boolean;
}

/** Characters of a row. One quote without its partner would swallow the rest of the file into one field. */
const MAX_ROW_CHARS = 16 * 1024 * 1024;
/** Beyond every table of labelled text. */
const MAX_COLUMNS = 100_000;

type State = 'start' | 'plain' | 'quoted' | 'after-quote';

/** A push parser: `feed` gives the rows that a piece of text completes, `end` the last one. */
function csvParser(where: string, delimiter: string, quotes: boolean) {
  let state: State = 'start';
  let field = '';
  let row: string[] = [];
  /** Characters of the fields in `row`. */
  let length = 0;
  let line = 1;
  let rowLine = 1;
  let afterReturn = false;
  const rows: { fields: string[]; line: number }[] = [];

  const endField = () => {
    if (row.length >= MAX_COLUMNS)
      throw new UserError(`${where}: line ${rowLine}: expected at most ${MAX_COLUMNS} columns.`);
    row.push(field);
    length += field.length;
    field = '';
    state = 'start';
  };
  const endRow = () => {
    const empty = row.length === 0 && field === '' && state === 'start';
    if (!empty) {
      endField();
      rows.push({ fields: row, line: rowLine });
    }
    row = [];
    length = 0;
    rowLine = line;
  };

  /** Index after the run of characters from `from` that need no decision. */
  const run = (text: string, from: number): number => {
    let to = from;
    if (state === 'quoted') {
      while (to < text.length && text[to] !== '"' && text[to] !== '\n') to += 1;
    } else if (state === 'plain') {
      while (to < text.length && text[to] !== delimiter && text[to] !== '\n' && text[to] !== '\r') to += 1;
    }
    return to;
  };

  const step = (char: string) => {
    if (char === '\n') line += 1;
    if (state === 'quoted') {
      if (char === '"') state = 'after-quote';
      else field += char;
    } else if (char === '\n') {
      if (!afterReturn) endRow();
      rowLine = line;
    } else if (char === '\r') endRow();
    else if (char === delimiter) endField();
    else if (state === 'after-quote') {
      if (char !== '"') {
        throw new UserError(
          `${where}: line ${line}: expected ${JSON.stringify(delimiter)} or the end of the line after a closing quote, found ${JSON.stringify(char)}.`,
        );
      }
      field += '"';
      state = 'quoted';
    } else if (char === '"' && quotes && state === 'start') state = 'quoted';
    else {
      field += char;
      state = 'plain';
    }
    afterReturn = char === '\r' && state !== 'quoted';
  };

  return {
    feed(text: string) {
      for (let i = 0; i < text.length; ) {
        const to = run(text, i);
        if (to > i) {
          field += text.slice(i, to);
          afterReturn = false;
          if (length + field.length > MAX_ROW_CHARS) {
            throw new UserError(
              `${where}: line ${rowLine}: a row of more than ${MAX_ROW_CHARS} characters: a quote without its partner, or no line breaks?`,
            );
          }
          i = to;
        } else {
          step(text[i]!);
          i += 1;
        }
      }
      return rows.splice(0);
    },
    end() {
      if (state === 'quoted') throw new UserError(`${where}: line ${rowLine}: a quote is opened and never closed.`);
      endRow();
      return rows.splice(0);
    },
  };
}

async function* parseChunks(
  where: string,
  chunks: AsyncIterable<string> | Iterable<string>,
  delimiter: string,
  quotes: boolean,
) {
  const parser = csvParser(where, delimiter, quotes);
  let first = true;
  for await (const chunk of chunks) {
    yield* parser.feed(first && chunk.charCodeAt(0) === 0xfeff ? chunk.slice(1) : chunk);
    first = false;
  }
  yield* parser.end();
}

/**
 * The rows of a CSV or TSV file as lists of fields, with the line where each starts. Empty lines are skipped; rows may
 * differ in length.
 *
 * @throws UserError for a missing file, for bytes that are not UTF-8 and for quotes that do not pair.
 */
export async function* readCsvRows(
  path: string,
  options: CsvOptions = {},
): AsyncGenerator<{ fields: string[]; line: number }> {
  const delimiter = options.delimiter ?? (path.endsWith('.tsv') ? '\t' : ',');
  await regularFile(path, 'csv');
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  try {
    const pieces = utf8Pieces(stream, `csv ${path}`);
    yield* parseChunks(`csv ${path}`, pieces, delimiter, options.quotes ?? delimiter !== '\t');
  } catch (error) {
    throw readError('csv', path, error);
  } finally {
    stream.destroy();
  }
}

/**
 * The rows of a file with a header line, as objects by column name.
 *
 * @param required Columns that must be there.
 * @throws UserError for a missing column, a column named twice, a row of another length than the header.
 */
export async function* readCsvRecords(
  path: string,
  required: readonly string[] = [],
  options: CsvOptions = {},
): AsyncGenerator<Record<string, string>> {
  let header: string[] | undefined;
  for await (const { fields, line } of readCsvRows(path, options)) {
    if (header === undefined) {
      header = fields;
      const names = new Set<string>();
      const twice = header.find((name) => names.size === names.add(name).size);
      if (twice !== undefined) throw new UserError(`csv ${path}: column '${twice}' occurs twice.`);
      const missing = required.filter((name) => !names.has(name));
      if (missing.length > 0) {
        throw new UserError(`csv ${path}: expected column ${missing.join(', ')}, found ${someOf(header)}.`);
      }
    } else {
      if (fields.length !== header.length) {
        throw new UserError(`csv ${path}: line ${line}: expected ${header.length} fields, found ${fields.length}.`);
      }
      yield Object.fromEntries(header.map((name, i) => [name, fields[i]!]));
    }
  }
  if (header === undefined) throw new UserError(`csv ${path}: expected a header line, found an empty file.`);
}
