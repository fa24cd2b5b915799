/** @file Whether a PNG file is whole. Decoders fill up what is missing at the end and pass over damage. */

import { crc32 } from 'node:zlib';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** What is wrong with the chunks of a PNG, in words, or undefined. Other formats pass. */
export function pngDamage(bytes: Uint8Array): string | undefined {
  const png = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (!png.subarray(0, SIGNATURE.length).equals(SIGNATURE)) return undefined;
  for (let at = SIGNATURE.length; at + 12 <= png.length; ) {
    const end = at + 8 + png.readUInt32BE(at);
    const type = png.toString('latin1', at + 4, at + 8);
    if (end + 4 > png.length) return `its part ${type} at ${at} is cut off`;
    if (crc32(png.subarray(at + 4, end)) !== png.readUInt32BE(end)) return `its part ${type} at ${at} has another CRC`;
    if (type === 'IEND') return undefined;
    at = end + 4;
  }
  return `it ends after ${png.length} bytes without its end mark`;
}
