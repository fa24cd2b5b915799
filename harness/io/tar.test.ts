/** @file Tar archives: what tar writes, cut off at every block, damaged, and names. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { readTar } from './tar.ts';

const test = suite('io/tar');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-tar-'));
test.after(() => rmSync(folder, { recursive: true }));

/** A member as `tar` writes it. */
function member(name: string, content: string, type = '0'): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write(type, 156);
  header.write('ustar\0', 257);
  header.write('        ', 148);
  header.write(
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, '0')}\0 `,
    148,
  );
  const body = Buffer.alloc(Math.ceil(content.length / 512) * 512);
  body.write(content);
  return Buffer.concat([header, body]);
}

const END = Buffer.alloc(1024);
const archive = Buffer.concat([
  member('./', '', '5'),
  member('./a/one.tsv', 'x\tO\n'),
  member('a/two.txt', 'no'),
  member('b/long.tsv', 'y'.repeat(700)),
  END,
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
  for (let length = 0; length < archive.length - END.length; length += 256) {
    assert.match(await complaint(archive.subarray(0, length)), /end is missing|cut off/, `${length} bytes`);
  }
  const damaged = Buffer.from(archive);
  damaged[512 + 3]! ^= 1;
  assert.match(await complaint(damaged), /header at byte 512 is damaged/);
  assert.match(await complaint(Buffer.alloc(2048, 65)), /no header at byte 0/);
  assert.match(await complaint(gzipSync(archive).subarray(0, 60)), /unexpected end|archive/);
});

test.run();
