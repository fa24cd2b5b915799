/** @file Tests of the PyTorch reader: a real checkpoint, and pickles that want to execute something. */

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { readPickle } from './pickle.ts';
import { openTorch } from './torch.ts';

const test = suite('io/torch');
const testdata = fileURLToPath(new URL('./testdata/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'saxbench-pt-'));
test.after(() => rmSync(folder, { recursive: true }));

test('tensors, strides and values of a checkpoint', async () => {
  const file = await openTorch(join(testdata, 'state.golden.pt'));
  const grid = Array.from({ length: 12 }, (_, i) => i);
  const columns = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11];
  const expected: Record<string, [number[], number[]]> = {
    'state.weight': [
      [3, 2],
      [1, 2, 3, 4, 5, 6],
    ],
    'state.bias': [[3], [0, 0, 0]],
    plain: [[3, 4], grid],
    transposed: [[4, 3], columns],
    slice: [
      [2, 2],
      [5, 6, 9, 10],
    ],
    half: [[3, 4], grid],
    brain: [[3, 4], grid],
    ids: [[3], [1, -2, 2 ** 40]],
    scalar: [[], [2.5]],
    mask: [[2], [1, 0]],
    parameter: [[2], [1, 1]],
    'nested.a.b': [[1], [0]],
  };
  assert.equal(file.names, Object.keys(expected).sort());
  for (const [name, [shape, values]] of Object.entries(expected)) {
    assert.equal(file.info(name).shape, shape, name);
    assert.equal([...(await file.read(name, { expectShape: shape, finite: true }))], values, name);
  }
  assert.is(file.info('brain').dtype, 'BF16');
  assert.equal(
    { ...file.values },
    {
      step: 1000,
      lr: 1e-4,
      name: 'sae',
      done: true,
      nothing: null,
      'sizes.0.0': 3,
      'sizes.0.1': 4,
      'sizes.1.0': 5,
      'sizes.1.1': 6,
    },
  );
  assert.match(
    await refusal(() => file.read('plain', { expectShape: [4, 3] })),
    /expected shape \[4, 3\], found \[3, 4\]/,
  );
  assert.match(await refusal(() => file.read('plane')), /no tensor 'plane'; it holds brain, half/);
});

test('nothing is executed, and whole models are refused', async () => {
  const message = await refusal(() => openTorch(join(testdata, 'hostile.golden.pt')));
  assert.match(message, /refers to (posix|nt|os)\.system; only tensors and plain values are read, nothing is executed/);
  assert.not(existsSync('executed'));
  assert.match(
    await refusal(() => openTorch(join(testdata, 'whole.golden.pt'))),
    /refers to torch\.nn\.modules\.linear\.Linear/,
  );
});

test('other formats, truncated and inconsistent files', async () => {
  const path = join(folder, 'x.pt');
  const good = readFileSync(join(testdata, 'state.golden.pt'));
  const opened = (bytes: Uint8Array) => {
    writeFileSync(path, bytes);
    return refusal(() => openTorch(path));
  };
  assert.match(await opened(Buffer.from('\x80\x02}q\x00.')), /expected an archive of torch.save/);
  assert.match(await opened(good.subarray(0, good.length - 40)), /no end record: truncated/);
  assert.match(await opened(readFileSync(join(testdata, 'arrays.golden.npz'))), /expected a member data.pkl/);
  assert.match(await refusal(() => openTorch(join(folder, 'none.pt'))), /does not exist/);
  // The shape (3, 4) in the pickle becomes (255, 4), which its 12 numbers cannot fill.
  const grown = Buffer.from(good);
  const shapeAt = grown.indexOf(Buffer.of(0x4b, 3, 0x4b, 4, 0x86));
  grown[shapeAt + 1] = 255;
  writeFileSync(path, grown);
  assert.match(await refusal(() => openTorch(path)), /member 'state.golden\/data.pkl' is damaged: its CRC-32 is/);
  // With the checksum of the edited pickle, which is stored as it is.
  const directoryAt = grown.indexOf('PK\u0001\u0002');
  const contentAt = 30 + grown.readUInt16LE(26) + grown.readUInt16LE(28);
  assert.ok(contentAt < shapeAt && shapeAt < contentAt + grown.readUInt32LE(directoryAt + 24));
  grown.writeUInt32LE(
    crc32(grown.subarray(contentAt, contentAt + grown.readUInt32LE(directoryAt + 24))),
    directoryAt + 16,
  );
  writeFileSync(path, grown);
  const file = await openTorch(path);
  const wrong = file.names.find((name) => file.info(name).shape[0] === 255)!;
  assert.match(await refusal(() => file.read(wrong)), /shape \[255, 4\] from element 0 leaves its 12 elements/);
});

test('hostile pickles', async () => {
  const rules = { allows: () => false, call: () => undefined, reference: () => undefined };
  const read = (...bytes: (number | string)[]) =>
    readPickle(
      Buffer.concat(bytes.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.of(part)))),
      rules,
      'p',
    );
  assert.equal(read(0x80, 2, '}q', 0, '(X', 1, 0, 0, 0, 'aK', 7, 'u.'), new Map([['a', 7]]));
  assert.equal(read(0x8a, 2, 0, 0xff, '.'), -256);
  assert.match(await refusal(() => read('cos\nsystem\n.')), /refers to os.system/);
  assert.match(await refusal(() => read('(i__main__\nX\n.')), /opcode 0x69/);
  assert.match(await refusal(() => read('X', 255, 255, 255, 255)), /ends early/);
  assert.match(await refusal(() => read('h', 3, '.')), /nothing remembered under 3/);
  assert.match(await refusal(() => read('.')), /nothing on the stack/);
  assert.match(await refusal(() => read('K', 1, ')R.')), /a call of something that is no name/);
  assert.match(await refusal(() => read('K', 1, 'K', 2, 'a.')), /appended to something that is no list/);
});

test.run();
