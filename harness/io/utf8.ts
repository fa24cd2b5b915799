/** @file Text out of files: UTF-8 and nothing else, refused at the byte that is none. */
import { isUtf8 } from 'node:buffer';
import { UserError } from '../errors.ts';

/** Bytes that a character needs by its first byte; 1 for what is none, which then is refused. */
function lengthOf(first: number): number {
  return first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
}

/** Where the whole characters of the first `end` bytes end: a last one may be cut off. */
function wholeEnd(bytes: Uint8Array, end: number): number {
  for (let at = end - 1; at >= Math.max(0, end - 3); at--) {
    const continues = (bytes[at]! & 0xc0) === 0x80;
    if (!continues) return at + lengthOf(bytes[at]!) > end ? at : end;
  }
  return end;
}

/** Place of the first byte that is no UTF-8, of bytes that are not. */
function firstWrong(bytes: Uint8Array): number {
  let [good, bad] = [0, bytes.length];
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    if (isUtf8(bytes.subarray(0, wholeEnd(bytes, middle)))) good = middle;
    else bad = middle;
  }
  return wholeEnd(bytes, good);
}

const MEND = 'convert the file to UTF-8';
const NEWLINE = 0x0a;

function countLines(bytes: Uint8Array): number {
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

/** What a text begins with, in `before` bytes and `lines` lines ahead of the piece in hand. */
interface Place {
  before: number;
  lines: number;
}

/** The text of a piece of whole characters. @throws UserError with line and byte when it is none. */
function pieceText(bytes: Buffer, where: string, { before, lines }: Place): string {
  const [a, b] = bytes;
  if (before === 0 && ((a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff))) {
    throw new UserError(`${where} is UTF-16, as its first two bytes say; expected UTF-8: ${MEND}.`);
  }
  const nul = bytes.indexOf(0);
  const wrong = isUtf8(bytes) ? nul : firstWrong(bytes);
  if (wrong < 0) return bytes.toString('utf8');
  const line = lines + countLines(bytes.subarray(0, wrong)) + 1;
  const place = `line ${line}, byte ${before + wrong}`;
  if (wrong === nul) {
    throw new UserError(`${where}: ${place}: found a NUL byte; expected text: UTF-16 without a mark? If so, ${MEND}.`);
  }
  const byte = `0x${bytes[wrong]!.toString(16).padStart(2, '0')}`;
  throw new UserError(`${where} is not valid UTF-8: ${place}: found ${byte}: ${MEND}.`);
}

/** The text of UTF-8 bytes, a byte-order mark included. @throws UserError with line and byte when they are not UTF-8. */
export function utf8(bytes: Uint8Array, where: string): string {
  return pieceText(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), where, { before: 0, lines: 0 });
}

/** The text of a stream of UTF-8 bytes, piece by piece. @throws UserError with line and byte where it is not UTF-8. */
export async function* utf8Pieces(chunks: AsyncIterable<Buffer>, where: string): AsyncGenerator<string> {
  let rest: Buffer = Buffer.alloc(0);
  let place: Place = { before: 0, lines: 0 };
  for await (const chunk of chunks) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const whole = bytes.subarray(0, wholeEnd(bytes, bytes.length));
    rest = bytes.subarray(whole.length);
    yield pieceText(whole, where, place);
    place = { before: place.before + whole.length, lines: place.lines + countLines(whole) };
  }
  if (rest.length > 0) pieceText(rest, where, place);
}
