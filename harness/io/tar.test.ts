/** @file Tar archives: what tar writes, cut off at every block, damaged, and names. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { TAR_END, tarMember } from '../testing/tar.ts';
import { readTar } from './tar.ts';

const test = suite('io/tar');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-tar-'));
test.after(() => rmSync(folder, { recursive: true }));

const archive = Buffer.concat([
  tarMember('./', '', '5'),
  tarMember('./a/one.tsv', 'x\tO\n'),
  tarMember('a/two.txt', 'no'),
  tarMember('b/long.tsv', 'y'.repeat(700)),
  TAR_END,
]);

async function read(bytes: Buffer): Promise<Map<string, string>> {
  const path = join(folder, 'file.tar');
  writeFileSync(path, bytes);
  return readTar(path, (name) => name.endsWith('.tsv'));
}

const complaint = (bytes: Buffer): Promise<string> => refusal(() => read(bytes));

test('the wanted files by name, gzipped or not', async () => {
  for (const bytes of [archive, gzipSync(archive)]) {
    assert.equal(
      [...(await read(bytes))],
      [
        ['a/one.tsv', 'x\tO\n'],
        ['b/long.tsv', 'y'.repeat(700)],
      ],
    );
  }
});

test('cut off anywhere before its end, damaged or no archive at all: an error, never a part', async () => {
  for (let length = 0; length < archive.length - TAR_END.length; length += 256) {
    assert.match(await complaint(archive.subarray(0, length)), /end is missing|cut off/, `${length} bytes`);
  }
  const damaged = Buffer.from(archive);
  damaged[512 + 3]! ^= 1;
  assert.match(await complaint(damaged), /header at byte 512 is damaged/);
  assert.match(await complaint(Buffer.alloc(2048, 65)), /no header at byte 0/);
  assert.match(await complaint(gzipSync(archive).subarray(0, 60)), /unexpected end|archive/);
});

test.run();
