/** @file Tests of the table readers: CSV, TSV, JSON lines, Parquet. */

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { readCsvRecords, readCsvRows } from './csv.ts';
import { readJsonl } from './jsonl.ts';
import { readParquet } from './parquet.ts';

const test = suite('io/tables');
const data = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'saxbench-tables-'));
test.after(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const out: T[] = [];
  for await (const item of items) out.push(item);
  return out;
}

const rows = async (path: string) => (await all(readCsvRows(path))).map((row) => row.fields);

test('CSV: quotes, line ends, empty fields', async () => {
  const cases: [string, string[][]][] = [
    [
      'a,b\r\n1,2\r\n',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      'a,b\n1,2',
      [
        ['a', 'b'],
        ['1', '2'],
      ],
    ],
    [
      '"a ""x""","1,2"\n"line\r\nbreak",\n',
      [
        ['a "x"', '1,2'],
        ['line\r\nbreak', ''],
      ],
    ],
    [',\n\n""\n', [['', ''], ['']]],
    ['\ufeffa\rb\r', [['a'], ['b']]],
    ['5" disk,x\n', [['5" disk', 'x']]],
    ['', []],
  ];
  for (const [text, expected] of cases) assert.equal(await rows(file('x.csv', text)), expected, JSON.stringify(text));
});

test('CSV: what a writer quotes comes back, across read buffers', async () => {
  const pieces = ['', 'a', '"', ',', '\n', '\r\n', 'é😀', 'long'.repeat(3000), ' x '];
  const table = Array.from({ length: 300 }, (_, i) => [pieces[i % 9]!, pieces[(i * 7 + 3) % 9]!, `${i}`]);
  const text = table.map((row) => row.map((field) => `"${field.replaceAll('"', '""')}"`).join(',')).join('\r\n');
  assert.equal(await rows(file('round.csv', text)), table);
});

test('CSV: line numbers count the lines of the file', async () => {
  const found = await all(readCsvRows(file('lines.csv', 'a\n"b\nb"\r\n\r\nc\n')));
  assert.equal(
    found.map((row) => row.line),
    [1, 2, 5],
  );
});

test('TSV keeps quotes; records need their columns', async () => {
  assert.equal(await rows(file('x.tsv', '"hi" he said\t1\n')), [['"hi" he said', '1']]);
  const path = file('records.csv', 'text,label\nhello,1\n');
  assert.equal(await all(readCsvRecords(path, ['label'])), [{ text: 'hello', label: '1' }]);
  assert.match(await refusal(all(readCsvRecords(path, ['lable']))), /expected column lable, found text, label/);
  assert.match(await refusal(all(readCsvRecords(file('r.csv', 'a,b\n1\n')))), /line 2: expected 2 fields, found 1/);
  assert.match(await refusal(all(readCsvRecords(file('t.csv', 'a,a\n')))), /column 'a' occurs twice/);
  assert.match(await refusal(all(readCsvRecords(file('e.csv', '')))), /expected a header line/);
  assert.match(await refusal(rows(file('q.csv', 'a\n"b\n'))), /line 2: a quote is opened and never closed/);
  assert.match(await refusal(rows(file('s.csv', '"b"c\n'))), /after a closing quote, found "c"/);
  assert.match(await refusal(rows(join(folder, 'none.csv'))), /none.csv does not exist/);
});

test('JSON lines', async () => {
  assert.equal(await all(readJsonl(file('a.jsonl', '{"a":1}\r\n\n[2]'))), [{ a: 1 }, [2]]);
  assert.match(await refusal(all(readJsonl(file('b.jsonl', '{}\n{"a":\n')))), /line 2 is not valid JSON/);
  assert.match(await refusal(all(readJsonl(join(folder, 'none.jsonl')))), /does not exist/);
});

test('real text sets are read whole', async () => {
  if (!existsSync(join(data, 'agnews'))) return console.log('  skipped: ../shared/data is absent');
  const news = await rows(join(data, 'agnews/test.csv'));
  assert.is(news.length, 7600);
  assert.ok(news.every((row) => row.length === 3 && /^[1-4]$/.test(row[0]!)));
  const labels = await all(readCsvRecords(join(data, 'medical-abstracts/medical_tc_labels.csv')));
  assert.is(labels[3]!['condition_name'], 'cardiovascular diseases');
  assert.ok((await rows(join(data, 'sst2/dev.tsv'))).every((row) => row.length === 2));
});

test('Parquet: columns, ranges and errors', async () => {
  assert.match(await refusal(readParquet(join(folder, 'none.parquet'))), /none.parquet does not exist/);
  assert.match(await refusal(readParquet(file('bad.parquet', 'this is not a table at all'))), /cannot be read/);
  const path = join(data, 'axbench/concept10_2b_l20');
  if (!existsSync(path)) return console.log('  skipped: ../shared/data/axbench is absent');
  const train = await readParquet(join(path, 'generate/train_data.parquet'));
  assert.is(train.length, 936);
  assert.ok(train.every((row) => Object.values(row).every((value) => typeof value !== 'bigint')));
  const some = await readParquet(join(path, 'generate/train_data.parquet'), { columns: ['output'], from: 2, to: 4 });
  assert.equal(
    some,
    train.slice(2, 4).map((row) => ({ output: row['output'] })),
  );
  const evaluation = await readParquet(join(path, 'inference/latent_eval_data.parquet'));
  assert.is(evaluation.length, 755);
  assert.match(
    await refusal(readParquet(join(path, 'generate/train_data.parquet'), { columns: ['outputs'] })),
    /expected column outputs, found .*output/,
  );
});

test.run();
