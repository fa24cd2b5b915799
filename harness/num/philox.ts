/**
 * @file Philox4x32-10, the counter-based generator of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"
 * (SC 2011): a keyed bijection on 128-bit counters, so any position of any stream can be computed directly.
 */

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** High 32 bits of the unsigned product, by 16-bit halves (Math.imul gives only the low 32); every sum is below 2^32. */
function mulHigh(a: number, b: number): number {
  const aHigh = a >>> 16;
  const aLow = a & 0xffff;
  const bHigh = b >>> 16;
  const bLow = b & 0xffff;
  const middle = (Math.imul(aHigh, bLow) + (Math.imul(aLow, bLow) >>> 16)) | 0;
  const carry = ((middle & 0xffff) + Math.imul(aLow, bHigh)) | 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (carry >>> 16)) | 0;
}

/**
 * Ten rounds of Philox4x32 on `counter` (4 words) under `key` (2 words), written to `out` (4 words; may be `counter`).
 * Checked against the known-answer vectors of Random123.
 */
export function philox4x32(counter: Uint32Array, key: Uint32Array, out: Uint32Array): void {
  // Signed words throughout: the engine keeps them in registers, and storing makes them unsigned again.
  let c0 = counter[0]! | 0;
  let c1 = counter[1]! | 0;
  let c2 = counter[2]! | 0;
  let c3 = counter[3]! | 0;
  let k0 = key[0]! | 0;
  let k1 = key[1]! | 0;
  for (let round = 0; round < 10; round++) {
    const high0 = mulHigh(M0, c0);
    const low0 = Math.imul(M0, c0);
    const high1 = mulHigh(M1, c2);
    const low1 = Math.imul(M1, c2);
    c0 = high1 ^ c1 ^ k0;
    c1 = low1;
    c2 = high0 ^ c3 ^ k1;
    c3 = low0;
    k0 = (k0 + W0) | 0;
    k1 = (k1 + W1) | 0;
  }
  out[0] = c0;
  out[1] = c1;
  out[2] = c2;
  out[3] = c3;
}

/**
 * A new 64-bit key from `key` and a text: the UTF-8 bytes, closed by their length, absorbed 16 at a time. Not a
 * cryptographic hash; labels that differ give independent streams for any practical purpose.
 */
export function deriveKey(key: Uint32Array, text: string): Uint32Array {
  const bytes = new TextEncoder().encode(text);
  const padded = new Uint8Array(Math.ceil((bytes.length + 4) / 16) * 16);
  padded.set(bytes);
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length, true);
  const derived = Uint32Array.from(key);
  const block = new Uint32Array(4);
  for (let offset = 0; offset < padded.length; offset += 16) {
    for (let word = 0; word < 4; word++) block[word] = view.getUint32(offset + word * 4, true);
    const [b0, b1] = [block[0]!, block[1]!];
    philox4x32(block, derived, block);
    derived[0] = (block[0]! ^ b0) >>> 0;
    derived[1] = (block[1]! ^ b1) >>> 0;
  }
  return derived;
}
