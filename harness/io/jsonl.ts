/** @file Reading JSON lines, streamed. */

import { createReadStream } from 'node:fs';
import { UserError } from '../errors.ts';
import { parseJson, readError, regularFile } from './json.ts';
import { utf8Pieces } from './utf8.ts';

/** Characters of a line: far beyond every document. A file without line breaks would fill the memory. */
const MAX_LINE_CHARS = 16 * 1024 * 1024;

/** The lines of a text that arrives in pieces, without `\n` or `\r\n`; the last one is given also where it is empty. */
async function* linesOf(pieces: AsyncIterable<string>, where: string): AsyncGenerator<string> {
  let parts: string[] = [];
  let length = 0;
  let number = 1;
  const whole = (last: string) => {
    const line = parts.length === 0 ? last : parts.join('') + last;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  };
  for await (const piece of pieces) {
    let from = 0;
    for (let to = piece.indexOf('\n'); to >= 0; to = piece.indexOf('\n', from)) {
      yield whole(piece.slice(from, to));
      parts = [];
      length = 0;
      number += 1;
      from = to + 1;
    }
    parts.push(piece.slice(from));
    length += piece.length - from;
    if (length > MAX_LINE_CHARS) {
      throw new UserError(`${where}: line ${number} has more than ${MAX_LINE_CHARS} characters: no line breaks?`);
    }
  }
  yield whole('');
}

/**
 * The values of a .jsonl file, one a line; empty lines are skipped.
 *
 * @throws UserError for a missing file, and naming the line for one that is not UTF-8, not JSON, too long or too deep.
 */
export async function* readJsonl(path: string): AsyncGenerator<unknown> {
  const where = `jsonl ${path}`;
  await regularFile(path, 'jsonl');
  const stream = createReadStream(path, { highWaterMark: 1 << 18 });
  try {
    let number = 0;
    for await (const line of linesOf(utf8Pieces(stream, where), where)) {
      number += 1;
      if (line.trim() !== '') yield parseJson(line, `${where}: line ${number}`);
    }
  } catch (error) {
    throw readError('jsonl', path, error);
  } finally {
    stream.destroy();
  }
}
