/** @file Half precision (IEEE binary16) and bfloat16 to and from float32, rounding to nearest, ties to even. */

let halfTable: Float32Array | undefined;

/** The float32 value of each of the 65,536 half-precision bit patterns: one look-up a number is the fastest way. */
export function halfValues(): Float32Array {
  if (halfTable === undefined) {
    halfTable = new Float32Array(65536);
    for (let bits = 0; bits < 65536; bits++) {
      const exponent = (bits >> 10) & 31;
      const fraction = bits & 1023;
      const magnitude =
        exponent === 31
          ? fraction === 0
            ? Number.POSITIVE_INFINITY
            : Number.NaN
          : exponent === 0
            ? fraction * 2 ** -24
            : (1 + fraction / 1024) * 2 ** (exponent - 15);
      halfTable[bits] = bits & 0x8000 ? -magnitude : magnitude;
    }
  }
  return halfTable;
}

/** Half-precision bit patterns to float32, exactly. */
export function halfToFloat(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const table = halfValues();
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i]!]!;
  return out;
}

/** bfloat16 bit patterns to float32, exactly: they are the upper 16 bits. */
export function bfloatToFloat(bits: Uint16Array, out: Float32Array = new Float32Array(bits.length)): Float32Array {
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length);
  for (let i = 0; i < bits.length; i++) words[i] = bits[i]! << 16;
  return out;
}

/** float32 to half precision; beyond ±65,504 (after rounding) becomes an infinity, NaN stays NaN. */
export function floatToHalf(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fffffff;
    let half: number;
    if (magnitude > 0x7f800000) half = 0x7e00;
    else if (magnitude >= 0x477ff000) half = 0x7c00;
    else if (magnitude >= 0x38800000) {
      // Normal: rebias the exponent from 127 to 15 and drop 13 bits, rounding on what is dropped.
      half = (magnitude - 0x38000000 + 0x0fff + ((magnitude >>> 13) & 1)) >>> 13;
    } else {
      // Subnormal: the value in units of 2^-24, exact in double precision, rounded to even.
      const units = Math.abs(values[i]!) * 2 ** 24;
      const floor = Math.floor(units);
      const rest = units - floor;
      half = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
    }
    out[i] = sign | half;
  }
  return out;
}

/** float32 to bfloat16; NaN stays NaN. */
export function floatToBfloat(values: Float32Array): Uint16Array {
  const words = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const out = new Uint16Array(values.length);
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    const nan = (word & 0x7fffffff) > 0x7f800000;
    out[i] = nan ? (word >>> 16) | 0x40 : (word + 0x7fff + ((word >>> 16) & 1)) >>> 16;
  }
  return out;
}
