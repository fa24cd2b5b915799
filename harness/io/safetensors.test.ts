/** @file Tests of the safetensors reader and writer: reference bytes, round trips, hostile files. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import type { ElementType } from './elements.ts';
import { openSafetensors } from './safetensors.ts';
import { type TensorToWrite, writeSafetensors } from './safetensors-write.ts';
import { openWeights } from './weights.ts';

const test = suite('io/safetensors');
const golden = fileURLToPath(new URL('./testdata/tiny.golden.safetensors', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'saxbench-st-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A file of a raw header text and a number of data bytes. */
function raw(name: string, header: string | object, dataBytes: number, claimed?: bigint): string {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(claimed ?? BigInt(text.length));
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat([prefix, text, Buffer.alloc(dataBytes)]));
  return path;
}

const f32 = (shape: unknown, start: unknown, end: unknown) => ({ dtype: 'F32', shape, data_offsets: [start, end] });

test('reads every element type of a file written by the Python package', async () => {
  const file = await openSafetensors(golden);
  assert.equal(file.metadata, { format: 'pt' });
  assert.equal(file.info('ids'), { dtype: 'I64', shape: [2, 2] });
  assert.equal(await file.read('w'), Float32Array.of(1.5, -2.25, 3, 0.1, 1e-8, 65504));
  assert.equal(
    await file.read('half'),
    Float32Array.of(1, -0.3330078125, 6.0975551605224609e-5, 5.9604644775390625e-8, 65504),
  );
  const brain = await file.read('brain');
  assert.instance(brain, Float32Array);
  assert.equal(brain[1], -0.33203125);
  assert.ok(Math.abs(brain[2]! / 3e38 - 1) < 2 ** -8 && Math.abs(brain[3]! / 1e-40 - 1) < 0.5);
  assert.equal(await file.read('double'), Float32Array.of(0.1, Number.NEGATIVE_INFINITY));
  assert.equal(await file.read('ids'), Int32Array.of(0, -1, 2 ** 31 - 1, 5));
  assert.equal(await file.read('long'), Float64Array.of(2 ** 53 - 1, -(2 ** 40)));
  assert.equal(await file.read('count'), Int32Array.of(7, -8));
  assert.equal(await file.read('bytes'), Uint8Array.of(0, 255, 3));
  assert.equal(await file.read('mask'), Uint8Array.of(1, 0));
  assert.equal(await file.read('scalar', { expectShape: [] }), Float32Array.of(2.5));
  assert.equal((await file.read('empty', { expectShape: [0, 4] })).length, 0);
  assert.equal(await file.readFloat('é.名'), Float32Array.of(1));
  assert.equal(await file.readRows('w', 1, 2), Float32Array.of(0.1, 1e-8, 65504));
  assert.equal(Object.keys(await file.readAll()), file.names);
});

test('writes the bytes that the Python package writes', async () => {
  const file = await openSafetensors(golden);
  const tensors: Record<string, TensorToWrite> = {};
  for (const name of [...file.names].reverse()) {
    const { dtype, shape } = file.info(name);
    const data = name === 'double' ? [0.1, -1e300] : await file.read(name);
    tensors[name] = { dtype: dtype as ElementType, shape, data };
  }
  const path = join(folder, 'again.safetensors');
  await writeSafetensors(path, tensors, { format: 'pt' });
  assert.ok(readFileSync(path).equals(readFileSync(golden)));
});

test('round trip of values and shapes over several chunks', async () => {
  const path = join(folder, 'round', 'trip.safetensors');
  const n = (1 << 20) * 2 + 3;
  const data = Float32Array.from({ length: n }, (_, i) => Math.fround(Math.sin(i)));
  await writeSafetensors(path, {
    a: { dtype: 'F32', shape: [n], data },
    10: { dtype: 'F64', shape: [n], data },
    2: { dtype: 'I64', shape: [3], data: [1, 2, -3] },
  });
  assert.equal((await openWeights(join(folder, 'round'))).names, ['10', '2', 'a']);
  const file = await openSafetensors(path);
  for (const name of ['a', '10']) {
    const back = await file.read(name, { expectShape: [n], finite: true });
    assert.ok(back.every((value, i) => value === data[i]));
  }
  assert.equal(await file.readRows('a', n - 2, n), data.slice(n - 2));
  assert.equal(await file.read('2'), Int32Array.of(1, 2, -3));
});

test('shards are read through the index', async () => {
  const shards = join(folder, 'shards');
  await writeSafetensors(join(shards, 'model-00001-of-00002.safetensors'), {
    a: { dtype: 'F32', shape: [1], data: [1] },
  });
  await writeSafetensors(join(shards, 'model-00002-of-00002.safetensors'), {
    b: { dtype: 'F16', shape: [1], data: [2] },
  });
  const index = (map: object) =>
    writeFileSync(join(shards, 'model.safetensors.index.json'), JSON.stringify({ weight_map: map }));
  index({ b: 'model-00002-of-00002.safetensors', a: 'model-00001-of-00002.safetensors' });
  const weights = await openWeights(shards);
  assert.equal(weights.names, ['a', 'b']);
  assert.equal((await weights.readFloat('b'))[0], 2);
  index({ a: 'model-00002-of-00002.safetensors' });
  assert.match(await refusal(openWeights(shards)), /tensor 'a' should be in model-00002/);
  index({ a: '../secret.safetensors' });
  assert.match(await refusal(openWeights(shards)), /expected a .safetensors file name/);
  index({ a: 'absent.safetensors' });
  assert.match(await refusal(openWeights(shards)), /absent.safetensors does not exist/);
});

test('hostile files are refused with one clear line', async () => {
  const ok = f32([2], 0, 8);
  writeFileSync(join(folder, 'short'), 'abc');
  const cases: [string, string, RegExp][] = [
    ['missing', join(folder, 'missing.safetensors'), /does not exist/],
    ['short', join(folder, 'short'), /at least 8 bytes, found 3/],
    [
      'huge header',
      raw('huge', { a: ok }, 8, 2n ** 63n),
      /claims 9223372036854775808 bytes, expected at most 100000000/,
    ],
    ['header past the end', raw('past', { a: ok }, 8, 5000n), /claims 5000 bytes.*truncated/],
    ['not json', raw('json', '{"a":', 8), /not valid JSON/],
    ['not an object', raw('list', '[]', 0), /expected a JSON object/],
    ['not utf-8', raw('utf', Buffer.from([0x7b, 0xff, 0x7d]).toString('latin1'), 0), /not valid JSON|UTF-8/],
    ['duplicate key', raw('twice', `{"a":${JSON.stringify(ok)},"\\u0061":${JSON.stringify(ok)}}`, 8), /key "a" twice/],
    ['unknown dtype', raw('dtype', { a: { ...ok, dtype: 'F31' } }, 8), /tensor 'a': unknown dtype "F31"/],
    ['prototype dtype', raw('proto', { a: { ...ok, dtype: 'constructor' } }, 8), /unknown dtype/],
    ['negative dimension', raw('negative', { a: f32([-2], 0, 8) }, 8), /non-negative integers, found \[-2\]/],
    ['fractional dimension', raw('fraction', { a: f32([1.5], 0, 6) }, 8), /non-negative integers, found \[1.5\]/],
    ['overflowing shape', raw('overflow', { a: f32([2 ** 40, 2 ** 40], 0, 8) }, 8), /needs .* bytes/],
    ['rank', raw('rank', { a: f32(Array(17).fill(1), 0, 4) }, 4), /at most 16 dimensions, found 17/],
    ['no offsets', raw('nooff', { a: { dtype: 'F32', shape: [2] } }, 8), /data_offsets of two/],
    ['backwards', raw('back', { a: f32([2], 8, 0) }, 8), /run backwards/],
    ['out of the file', raw('out', { a: f32([4], 0, 16) }, 8), /end at 16, but the file holds 8.*truncated/],
    ['wrong size', raw('size', { a: f32([3], 0, 8) }, 8), /shape \[3\] of F32 needs 12 bytes, data_offsets give 8/],
    ['overlap', raw('overlap', { a: f32([2], 0, 8), b: f32([2], 4, 12) }, 12), /'b' overlaps 'a' by 4/],
    ['gap', raw('gap', { a: f32([1], 0, 4), b: f32([1], 8, 12) }, 12), /4 bytes between 'a' and 'b'/],
    ['rest', raw('rest', { a: ok }, 12), /4 bytes after the last tensor/],
    ['metadata', raw('meta', { __metadata__: { n: 1 }, a: ok }, 8), /must map strings to strings/],
  ];
  for (const [name, path, expected] of cases) assert.match(await refusal(openSafetensors(path)), expected, name);
});

test('what a reader needs is checked: name, shape, type, finite values', async () => {
  const path = join(folder, 'nan.safetensors');
  await writeSafetensors(path, {
    'layers.0.weight': { dtype: 'F16', shape: [2, 2], data: [1, Number.NaN, Number.POSITIVE_INFINITY, 0] },
    ids: { dtype: 'I32', shape: [1], data: [4] },
  });
  const file = await openSafetensors(path);
  assert.match(
    await refusal(file.read('layers.0.weights')),
    /no tensor 'layers.0.weights'; did you mean layers.0.weight\?/,
  );
  assert.match(await refusal(file.read('ids', { expectShape: [2] })), /'ids': expected shape \[2\], found \[1\]/);
  assert.match(await refusal(file.readFloat('ids')), /expected a floating type.*found I32/);
  assert.match(
    await refusal(file.read('layers.0.weight', { finite: true })),
    /nan.safetensors: tensor 'layers.0.weight': .*2 of 4 NaN or infinite, the first is NaN at index 1/,
  );
  writeFileSync(path, readFileSync(path).subarray(0, -4));
  assert.match(await refusal(file.read('layers.0.weight')), /ends early/);
});

test('a folder without weights says what was looked for', async () => {
  const empty = mkdtempSync(join(folder, 'empty-'));
  assert.match(
    await refusal(openWeights(empty)),
    /expected model.safetensors, model.safetensors.index.json or pytorch_model.bin, found none/,
  );
  writeFileSync(join(empty, 'pytorch_model.bin'), '');
  assert.match(await refusal(openWeights(empty)), /pytorch_model.bin: expected an archive of torch.save/);
});

test.run();
