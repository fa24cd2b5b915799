/** @file Small GGUF files for tests, also such as no program would write. */

/** A value by its kind's number in the format. */
export type TestValue = { kind: number; value: unknown; inner?: number };

export const u32 = (value: number): TestValue => ({ kind: 4, value });
export const f32 = (value: number): TestValue => ({ kind: 6, value });
export const flag = (value: boolean): TestValue => ({ kind: 7, value });
export const text = (value: string): TestValue => ({ kind: 8, value });
export const texts = (value: string[]): TestValue => ({ kind: 9, value, inner: 8 });
export const ints = (value: number[]): TestValue => ({ kind: 9, value, inner: 5 });
export const floats = (value: number[]): TestValue => ({ kind: 9, value, inner: 6 });

export interface TestTensor {
  name: string;
  /** Row-major; reversed in the file. */
  shape: number[];
  /** ggml's number; default F32. */
  type?: number;
  /** Default: zeros of float32. */
  data?: Uint8Array;
  /** Default: the next aligned byte. */
  offset?: number;
}

/** What a file is made of. */
export interface TestGguf {
  version?: number;
  metadata: readonly (readonly [string, TestValue])[];
  tensors?: readonly TestTensor[];
  /** Counts that the header claims, where they are to be wrong. */
  claims?: { tensors?: number; keys?: number };
}

const u32Bytes = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const u64Bytes = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const textBytes = (value: string): Buffer<ArrayBuffer> =>
  Buffer.concat([u64Bytes(Buffer.byteLength(value)), Buffer.from(value)]);

function valueBytes({ kind, value, inner }: TestValue): Buffer<ArrayBuffer> {
  if (kind === 8) return textBytes(value as string);
  if (kind === 9) {
    const items = (value as unknown[]).map((item) => valueBytes({ kind: inner!, value: item }));
    return Buffer.concat([u32Bytes(inner!), u64Bytes(items.length), ...items]);
  }
  if (kind === 7) return Buffer.from([Number(value)]);
  const bytes = Buffer.alloc(4);
  if (kind === 6) bytes.writeFloatLE(value as number);
  else bytes.writeInt32LE((value as number) | 0);
  return bytes;
}

const aligned = (size: number) => Math.ceil(size / 32) * 32;

/** The bytes of a file. */
export function ggufBytes({ version = 3, metadata, tensors = [], claims = {} }: TestGguf): Buffer {
  const parts = [Buffer.from('GGUF'), u32Bytes(version)];
  parts.push(u64Bytes(claims.tensors ?? tensors.length), u64Bytes(claims.keys ?? metadata.length));
  for (const [key, value] of metadata) parts.push(textBytes(key), u32Bytes(value.kind), valueBytes(value));
  const data: Buffer[] = [];
  let at = 0;
  for (const { name, shape, type = 0, data: own, offset } of tensors) {
    const bytes = Buffer.from(own ?? new Uint8Array(4 * shape.reduce((product, size) => product * size, 1)));
    parts.push(textBytes(name), u32Bytes(shape.length), ...[...shape].reverse().map(u64Bytes), u32Bytes(type));
    parts.push(u64Bytes(offset ?? at));
    data.push(bytes, Buffer.alloc(aligned(bytes.length) - bytes.length));
    at += aligned(bytes.length);
  }
  const header = Buffer.concat(parts);
  return Buffer.concat([header, Buffer.alloc(aligned(header.length) - header.length), ...data]);
}
