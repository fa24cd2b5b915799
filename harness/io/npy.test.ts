/** @file Tests of .npy and .npz: arrays written by NumPy, NumPy's bytes when writing, hostile files. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { openNpy, openNpz, readNpy, writeNpy } from './npy.ts';

const test = suite('io/npy');
const testdata = fileURLToPath(new URL('./testdata/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'saxbench-npy-'));
test.after(() => rmSync(folder, { recursive: true }));

const grid = Array.from({ length: 24 }, (_, i) => i);

function npy(name: string, header: string, dataBytes: number): string {
  const path = join(folder, name);
  const prefix = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8]);
  writeFileSync(path, Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(dataBytes)]));
  return path;
}

test('every type, byte order and element order of a NumPy archive', async () => {
  const npz = await openNpz(join(testdata, 'arrays.golden.npz'));
  const kinds: Record<string, unknown> = { f2: Float32Array, f4: Float32Array, f8: Float64Array, u1: Uint8Array };
  const codes = [
    'f2',
    'f4',
    'f8',
    'i1',
    'i2',
    'i4',
    'i8',
    'u1',
    'u2',
    'u4',
    'u8',
    'f4_big',
    'i8_big',
    'f2_big',
    'fortran',
  ];
  for (const code of codes) {
    const { shape, data } = await npz.read(code);
    assert.equal(shape, [2, 3, 4], code);
    assert.equal([...data], grid, code);
    assert.instance(data, kinds[code] ?? (code.startsWith('f') ? Float32Array : Int32Array), code);
  }
  assert.equal(
    [...(await npz.read('b1')).data],
    grid.map((n) => (n + 1) % 2),
  );
  assert.equal(await npz.read('scalar'), { dtype: 'F64', shape: [], data: Float64Array.of(2.5) });
  assert.equal(await npz.read('empty'), { dtype: 'F32', shape: [0, 3], data: new Float32Array(0) });
  assert.is(npz.names.length, codes.length + 3);
});

test('a compressed archive', async () => {
  const npz = await openNpz(join(testdata, 'deflated.golden.npz'));
  assert.equal(npz.names, ['f2', 'fortran', 'wide']);
  assert.equal([...(await npz.read('fortran')).data], grid);
  assert.equal([...(await npz.read('f2')).data], grid);
  assert.equal((await npz.read('wide')).data, Float64Array.of(2 ** 40, -1));
  assert.match(await refusal(() => npz.read('fortan')), /no array 'fortan'; it holds fortran/);
});

test("type and shape of an archive's arrays by their headers alone", async () => {
  for (const name of ['arrays.golden.npz', 'deflated.golden.npz']) {
    const npz = await openNpz(join(testdata, name));
    for (const array of npz.names) {
      const { dtype, shape } = await npz.read(array);
      assert.equal(await npz.info(array), { dtype, shape }, `${name}: ${array}`);
    }
    assert.match(await refusal(() => npz.info('none')), /no array 'none'/);
  }
  // Elements that are damaged, or too many to unpack, do not matter to a header; reading them refuses.
  const large = join(folder, 'large.npz');
  const bytes = readFileSync(join(testdata, 'deflated.golden.npz'));
  const directory = bytes.readUInt32LE(bytes.length - 22 + 16);
  bytes.writeUInt32LE(2 ** 31, directory + 24);
  writeFileSync(large, bytes);
  const npz = await openNpz(large);
  assert.equal((await Promise.all(npz.names.map((name) => npz.info(name)))).length, 3);
  assert.match(
    await refusal(async () => Promise.all(npz.names.map((name) => npz.read(name)))),
    /claims 2147483648 bytes/,
  );
});

test('writes the bytes of NumPy, and reads rows', async () => {
  const golden = join(testdata, 'plain.golden.npy');
  const { shape, data } = await readNpy(golden);
  assert.equal(shape, [2, 3]);
  const path = join(folder, 'plain.npy');
  await writeNpy(path, shape, data);
  assert.ok(readFileSync(path).equals(readFileSync(golden)));
  assert.equal(await (await openNpy(path)).readRows(1, 2), data.slice(3));
  for (const values of [Float64Array.of(1, 1e-300), Int32Array.of(-1, 5), Uint8Array.of(0, 255)]) {
    await writeNpy(path, [2], values);
    const dtype = { Float64Array: 'F64', Int32Array: 'I32', Uint8Array: 'U8' }[values.constructor.name];
    assert.equal(await readNpy(path), { dtype, shape: [2], data: values });
  }
});

test('hostile files are refused with one clear line', async () => {
  const header = (descr: string, shape: string) => `{'descr': ${descr}, 'fortran_order': False, 'shape': ${shape}, }\n`;
  const text = join(folder, 'text.npy');
  writeFileSync(text, 'hello, this is text');
  const cases: [string, RegExp][] = [
    [join(folder, 'none.npy'), /none.npy does not exist/],
    [text, /expected a .npy array/],
    [npy('object', header("'|O'", '(1,)'), 100), /type \|O.*pickles, which are never executed/],
    [npy('struct', header("[('a', '<f4')]", '(1,)'), 4), /cannot read type a structured type/],
    [npy('complex', header("'<c8'", '(1,)'), 8), /cannot read type <c8/],
    [npy('negative', header("'<f4'", '(-1,)'), 4), /non-negative integers, found \(-1,\)/],
    [npy('truncated', header("'<f4'", '(3,)'), 8), /shape \(3\) of F32 needs 12 bytes, found 8/],
    [npy('overflow', header("'<f4'", '(99999999999, 99999999999)'), 8), /needs .* bytes, found 8/],
    [npy('garbage', 'not a dictionary at all', 8), /expected a header with descr/],
    [npy('long', ' '.repeat(20000), 8), /claims 20000 bytes, expected at most 10000/],
  ];
  for (const [path, expected] of cases) assert.match(await refusal(() => readNpy(path)), expected);
});

test('broken archives are refused', async () => {
  const good = readFileSync(join(testdata, 'deflated.golden.npz'));
  const path = join(folder, 'bad.npz');
  const open = (bytes: Uint8Array) => {
    writeFileSync(path, bytes);
    return refusal(async () => {
      const npz = await openNpz(path);
      for (const name of npz.names) await npz.read(name);
    });
  };
  assert.match(await open(good.subarray(0, 300)), /no end record: truncated/);
  assert.match(await open(good.subarray(0, 10)), /found 10 bytes/);
  const end = good.length - 22;
  const count = Buffer.from(good);
  count.writeUInt16LE(9, end + 10);
  assert.match(await open(count), /member 3 of the archive's directory is broken/);
  const directory = good.readUInt32LE(end + 16);
  const bomb = Buffer.from(good);
  bomb.writeUInt32LE(40, directory + 24);
  assert.match(await open(bomb), /cannot be unpacked|unpacks to/);
  const far = Buffer.from(good);
  far.writeUInt32LE(10_000_000, directory + 42);
  assert.match(await open(far), /beyond the file/);
  const method = Buffer.from(good);
  method.writeUInt16LE(14, directory + 10);
  assert.match(await open(method), /packed by method 14/);
});

test.run();
