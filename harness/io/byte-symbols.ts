/** @file The printable symbols that byte-level BPE vocabularies use for the 256 bytes (GPT-2's table). */

const printable = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
].flatMap(([from, to]) => Array.from({ length: to! - from! + 1 }, (_, i) => from! + i));
const others = Array.from({ length: 256 }, (_, byte) => byte).filter((byte) => !printable.includes(byte));

/**
 * The 256 symbols in the order of CLIP's and GPT-2's vocabularies: the 188 printable bytes as themselves, then the
 * other 68 as the code points from 256 on.
 */
export const BYTE_SYMBOLS: readonly string[] = [
  ...printable.map((byte) => String.fromCodePoint(byte)),
  ...others.map((_, i) => String.fromCodePoint(256 + i)),
];

/** The symbol of each byte, from 0 to 255. */
export const BYTE_ALPHABET: readonly string[] = [...printable, ...others]
  .map((byte, i) => ({ byte, symbol: BYTE_SYMBOLS[i]! }))
  .sort((a, b) => a.byte - b.byte)
  .map(({ symbol }) => symbol);

/** The byte that a symbol stands for. */
export const SYMBOL_BYTES: ReadonlyMap<string, number> = new Map(
  [...printable, ...others].map((byte, i) => [BYTE_SYMBOLS[i]!, byte]),
);
