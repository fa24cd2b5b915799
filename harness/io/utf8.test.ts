/** @file Bytes that are no UTF-8 are told by line and byte, in every reader of text, wherever a piece ends. */
import { isUtf8 } from 'node:buffer';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readColumn } from '../activations/import-columns.ts';
import { source } from '../testing/against-cpu.ts';
import { readCsvRecords } from './csv.ts';
import { readText } from './json.ts';
import { readJsonl } from './jsonl.ts';
import { utf8, utf8Pieces } from './utf8.ts';

const test = suite('io/utf8');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-utf8-'));
test.after(() => rmSync(folder, { recursive: true }));

const messageOf = (call: () => unknown): Promise<string> =>
  Promise.resolve()
    .then(call)
    .then(
      () => 'none',
      (error: Error) => `${error.name}: ${error.message}`,
    );
const exhaust = async (items: AsyncIterable<unknown>) => {
  for await (const _ of items);
};
const piecesOf = async (bytes: Buffer, size: number) => {
  const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
    bytes.subarray(i * size, (i + 1) * size),
  );
  let text = '';
  for await (const piece of utf8Pieces(Readable.from(chunks, { objectMode: true }), 'x')) text += piece;
  return text;
};

const GOOD = Buffer.from('\ufeffé\n日本語 😀\r\nö end');

test('text comes back whole, in pieces of any size', async () => {
  assert.is(utf8(GOOD, 'x'), GOOD.toString());
  for (let size = 1; size <= GOOD.length; size++) assert.is(await piecesOf(GOOD, size), GOOD.toString());
});

const WRONG: readonly [bytes: number[], line: number, byte: number, found: string][] = [
  [[0x61, 0x0a, 0x62, 0xe9], 2, 3, '0xe9'],
  [[0xe9, 0x20, 0x61], 1, 0, '0xe9'],
  [[0x61, 0x80], 1, 1, '0x80'],
  [[0xc0, 0xaf], 1, 0, '0xc0'],
  [[0x0a, 0x0a, 0xed, 0xa0, 0x80, 0x61], 3, 2, '0xed'],
  [[0xf4, 0x90, 0x80, 0x80], 1, 0, '0xf4'],
  [[0x61, 0xf0, 0x9f, 0x98], 1, 1, '0xf0'],
  [[0xff], 1, 0, '0xff'],
];

for (const [bytes, line, byte, found] of WRONG) {
  test(`${Buffer.from(bytes).toString('hex')} is refused at line ${line}, byte ${byte}`, async () => {
    const expected = `UserError: x is not valid UTF-8: line ${line}, byte ${byte}: found ${found}: convert the file to UTF-8.`;
    assert.is(await messageOf(() => utf8(Buffer.from(bytes), 'x')), expected);
    for (let size = 1; size <= bytes.length; size++) {
      assert.is(await messageOf(() => piecesOf(Buffer.from(bytes), size)), expected, `pieces of ${size}`);
    }
  });
}

test('whatever the bytes, the place is the first that makes them wrong', async () => {
  const from = source(5);
  for (let i = 0; i < 3000; i++) {
    const bytes = Buffer.concat([GOOD, GOOD]);
    for (let n = 1 + from.int(3); n > 0; n--) bytes[3 + from.int(bytes.length - 3)] = 1 + from.int(255);
    const message = await messageOf(() => utf8(bytes, 'x'));
    const at = Number(/byte (\d+)/.exec(message)?.[1] ?? bytes.length);
    assert.is(message === 'none', isUtf8(bytes));
    assert.ok(isUtf8(bytes.subarray(0, at)));
    for (let end = at + 1; end <= at + 4; end++) if (end <= bytes.length) assert.not.ok(isUtf8(bytes.subarray(0, end)));
    assert.is(await messageOf(() => piecesOf(bytes, 1 + from.int(9))), message);
  }
});

test('UTF-16 is named, with its mark or without', async () => {
  const utf16 = Buffer.from('\ufefflabel\na\n', 'utf16le');
  assert.match(
    await messageOf(() => utf8(utf16, 'x')),
    /^UserError: x is UTF-16.*expected UTF-8: convert the file to UTF-8\.$/,
  );
  assert.match(await messageOf(() => utf8(Buffer.from(utf16).swap16(), 'x')), /x is UTF-16/);
  assert.match(
    await messageOf(() => utf8(utf16.subarray(2), 'x')),
    /x: line 1, byte 1: found a NUL byte; expected text: UTF-16 without a mark\?/,
  );
});

const file = (name: string, bytes: Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const latin1 = (text: string) => Buffer.from(text, 'latin1');

test('CSV, TSV, JSON lines, JSON and text refuse Latin-1 by file, line and byte', async () => {
  const csv = file('x.csv', latin1('text,label\nna\xefve,a\n'));
  assert.is(
    await messageOf(() => exhaust(readCsvRecords(csv))),
    `UserError: csv ${csv} is not valid UTF-8: line 2, byte 13: found 0xef: convert the file to UTF-8.`,
  );
  const tsv = file('x.tsv', latin1('text\tlabel\na\tb\nna\xefve\ta\n'));
  assert.match(await messageOf(() => exhaust(readCsvRecords(tsv))), /x\.tsv is not valid UTF-8: line 3, byte 17/);
  const jsonl = file('x.jsonl', latin1('{"text":"a"}\n{"text":"\xe9"}\n'));
  assert.match(await messageOf(() => exhaust(readJsonl(jsonl))), /x\.jsonl is not valid UTF-8: line 2, byte 22/);
  const text = file('labels.txt', latin1('a\nb\nd\xe9j\xe0\n'));
  assert.match(
    await messageOf(() => readText(text, 'documents', 100)),
    /labels\.txt is not valid UTF-8: line 3, byte 5/,
  );
  assert.match(
    await messageOf(() => readColumn(folder, 'labels.txt', 'label')),
    /labels\.txt is not valid UTF-8: line 3/,
  );
  const wide = file('wide.csv', Buffer.from('\ufefftext,label\na,b\n', 'utf16le'));
  assert.match(await messageOf(() => exhaust(readCsvRecords(wide))), /csv .*wide\.csv is UTF-16/);
});

test('a piece that ends within a character is no fault', async () => {
  const rows = Array.from({ length: 60_000 }, (_, i) => `日本${i},é`);
  const path = file('long.csv', Buffer.from(`text,label\n${rows.join('\n')}\n`));
  let count = 0;
  for await (const { text, label } of readCsvRecords(path)) {
    assert.is(`${text},${label}`, rows[count]);
    count++;
  }
  assert.is(count, rows.length);
});

test.run();
