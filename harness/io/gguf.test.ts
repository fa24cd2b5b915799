/** @file GGUF: blocks against the reference's dequantisation, and files that are not what they say. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { packageRoot } from '../paths.ts';
import { floats, ggufBytes, ints, type TestGguf, text, texts, u32 } from '../testing/gguf.ts';
import { openGguf } from './gguf.ts';
import { openSafetensors } from './safetensors.ts';

const test = suite('io/gguf');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-gguf-'));
const golden = (name: string) => join(packageRoot, 'harness/io/testdata', name);

const ARCHITECTURE = ['general.architecture', text('llama')] as const;
const TENSOR = { name: 'a.weight', shape: [2, 3] };

let serial = 0;
function write(bytes: Uint8Array): string {
  const path = join(folder, `${serial++}.gguf`);
  writeFileSync(path, bytes);
  return path;
}

async function refusal(bytes: Uint8Array): Promise<string> {
  try {
    await openGguf(write(bytes));
  } catch (error) {
    assert.instance(error, UserError);
    return (error as UserError).message;
  }
  return 'read';
}

const madeOf = (file: Partial<TestGguf>) => ggufBytes({ metadata: [ARCHITECTURE], tensors: [TENSOR], ...file });

test('every type is dequantised to the bits of the reference; other types are refused by name', async () => {
  const file = await openGguf(golden('gguf-blocks.golden.gguf'));
  const reference = await openSafetensors(golden('gguf-blocks.golden.safetensors'));
  assert.is(reference.names.length, 11);
  for (const name of reference.names) {
    const [ours, theirs] = [await file.read(name), await reference.readFloat(name)];
    assert.equal(file.tensors.get(name)!.shape, reference.info(name).shape);
    assert.equal(new Uint32Array(ours.buffer), new Uint32Array(theirs.buffer), name);
  }
  try {
    await file.read('Q3_K');
    assert.unreachable();
  } catch (error) {
    assert.match(
      (error as Error).message,
      /tensor 'Q3_K': expected a type of F32, .*found Q3_K: take another quantisation/,
    );
  }
  assert.equal(file.metadata.get('test.numbers'), [1, 2, 3]);
  assert.is(file.metadata.get('test.text'), 'ß 𝄞');
});

test('versions 2 and 3 are read, others and other formats refused', async () => {
  for (const version of [2, 3]) {
    const file = await openGguf(write(madeOf({ version })));
    assert.equal(file.tensors.get('a.weight')!.shape, [2, 3]);
    assert.equal(await file.read('a.weight'), new Float32Array(6));
  }
  assert.match(await refusal(madeOf({ version: 1 })), /expected version 2 or 3, little-endian; found 1/);
  assert.match(await refusal(madeOf({ version: 0x03000000 })), /found 50331648, of a big-endian file/);
  assert.match(await refusal(Buffer.alloc(100)), /expected a GGUF file, which begins with the letters GGUF/);
  assert.match(await refusal(Buffer.from('GGUF')), /expected a GGUF file, found 4 bytes/);
});

test('a file that is cut off anywhere is refused in one line', async () => {
  const bytes = madeOf({
    metadata: [ARCHITECTURE, ['a', texts(['b', 'c'])], ['d', ints([1, 2])], ['e', floats([0.5])], ['f', u32(7)]],
  });
  const whole = bytes.length - 8; // Behind the last tensor is padding.
  for (let length = 0; length < whole; length++) {
    const message = await refusal(bytes.subarray(0, length));
    assert.match(message, /expected a GGUF file|truncated\?|ends early/, `${length} bytes: ${message}`);
    assert.not.match(message, /\n/);
  }
  assert.is(await refusal(bytes.subarray(0, whole)), 'read');
});

test('names that occur twice, and claims beyond the bounds, are refused before anything is made of them', async () => {
  const cases: [Partial<TestGguf>, RegExp][] = [
    [{ metadata: [ARCHITECTURE, ARCHITECTURE] }, /the key "general.architecture" occurs twice/],
    [{ tensors: [TENSOR, TENSOR] }, /tensor "a.weight" occurs twice/],
    [{ claims: { tensors: 2 ** 40 } }, /expected at most 1000000 tensors/],
    [{ claims: { keys: 2 ** 40 } }, /expected at most 1000000 tensors and 100000 keys/],
    [{ claims: { keys: 2 } }, /the name of tensor 0: expected at most 1024 bytes/],
    [{ tensors: [{ ...TENSOR, shape: [1, 1, 1, 1, 1] }] }, /expected 1 to 4 dimensions, found 5/],
    [
      { tensors: [{ ...TENSOR, shape: [2, 0], data: new Uint8Array(8) }] },
      /expected sizes of 1 or more, found \[2, 0\]/,
    ],
    [{ tensors: [{ ...TENSOR, shape: [2 ** 30, 2 ** 30], data: new Uint8Array(8) }] }, /expected sizes of 1 or more/],
    [{ tensors: [{ ...TENSOR, shape: [2 ** 20, 2 ** 20], data: new Uint8Array(8) }] }, /ends at byte .* truncated\?/],
    [{ tensors: [{ ...TENSOR, type: 99 }] }, /expected a type of ggml, found number 99/],
    [{ tensors: [{ ...TENSOR, type: 2 }] }, /Q4_0 has blocks of 32 numbers, found rows of 3/],
    [{ tensors: [{ ...TENSOR, offset: 8 }] }, /expected an offset that is a multiple of 32, found 8/],
    [{ tensors: [TENSOR, { name: 'b', shape: [9], offset: 0 }] }, /tensor "b" overlaps "a.weight" by 24 bytes/],
    [
      {
        tensors: [
          { ...TENSOR, offset: 64 },
          { name: 'b', shape: [40] },
        ],
      },
      /overlaps|belong to no tensor/,
    ],
    [{ metadata: [['general.alignment', u32(33)]] }, /general.alignment: expected a power of two/],
    [{ metadata: [['general.alignment', u32(0)]] }, /general.alignment: expected a power of two/],
    [{ metadata: [['a', { kind: 13, value: 1 }]] }, /expected a type of value from 0 to 12, found 13/],
    [{ metadata: [['a', { kind: 7, value: 2 }]] }, /expected true \(1\) or false \(0\)/],
  ];
  for (const [file, expected] of cases) assert.match(await refusal(madeOf(file)), expected);
  const deep = Buffer.concat([
    ...[Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(8), Buffer.from([1, 0, 0, 0, 0, 0, 0, 0])],
    ...[Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]), Buffer.from('a'), Buffer.from([9, 0, 0, 0])],
    ...Array.from({ length: 9 }, () => Buffer.from([9, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0])),
  ]);
  assert.match(await refusal(deep), /expected at most 3 lists in a list/);
  const list = ggufBytes({ metadata: [['a', ints([1, 2, 3])]] });
  list.writeBigUInt64LE(2n ** 50n, list.indexOf(Buffer.from([5, 0, 0, 0, 3, 0, 0, 0])) + 4);
  assert.match(await refusal(list), /claims 1125899906842624 values, more than the file holds/);
});

test('a text that is not UTF-8 is refused', async () => {
  const bytes = ggufBytes({ metadata: [['a', text('xx')]] });
  bytes[bytes.indexOf('xx')] = 0xff;
  assert.match(await refusal(bytes), /the value of "a".*UTF-8/);
});

test('a file that shrinks after it was opened is refused', async () => {
  const path = write(madeOf({}));
  const file = await openGguf(path);
  writeFileSync(path, readFileSync(path).subarray(0, 40));
  try {
    await file.read('a.weight');
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /tensor 'a.weight': the file ends early/);
  }
});

test.run();
