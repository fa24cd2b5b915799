/** @file Whether a PNG or GIF file is whole. Decoders fill up what is missing at the end and pass over damage. */

import { crc32 } from 'node:zlib';

const PNG = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
const GIF = Buffer.from('GIF8', 'latin1');

const unended = (bytes: Buffer) => `it ends after ${bytes.length} bytes without its end mark`;

function pngDamage(png: Buffer): string | undefined {
  for (let at = PNG.length; at + 12 <= png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    if (end + 4 > png.length) return `its part ${type} at ${at} is cut off`;
    if (crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end)) return `its part ${type} at ${at} has another CRC`;
    if (type === 'IEND') return undefined;
    at = end + 4;
  }
  return unended(png);
}

/** Marks of the parts of a GIF. */
const [EXTENSION, PICTURE, TRAILER] = [0x21, 0x2c, 0x3b];

/** Bytes of the colour table that a byte of flags announces. */
const tableSize = (flags: number) => (flags & 0x80 ? 3 << ((flags & 7) + 1) : 0);

function gifDamage(gif: Buffer): string | undefined {
  for (let at = 13 + tableSize(gif[10] ?? 0); at < gif.length; ) {
    const mark = gif[at];
    if (mark === TRAILER) return undefined;
    if (mark !== EXTENSION && mark !== PICTURE) return `it has no part that begins with ${mark} (at ${at})`;
    at += mark === EXTENSION ? 2 : 11 + tableSize(gif[at + 9] ?? 0);
    // Blocks of up to 255 bytes, the last of none.
    for (let size = gif[at]; size !== undefined && size > 0; size = gif[at]) at += 1 + size;
    at += 1;
  }
  return unended(gif);
}

/** What is wrong with the parts of a PNG or GIF, in words, or undefined. Other formats pass: their decoders refuse. */
export function imageDamage(bytes: Uint8Array): string | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (file.subarray(0, PNG.length).equals(PNG)) return pngDamage(file);
  return file.subarray(0, GIF.length).equals(GIF) ? gifDamage(file) : undefined;
}
