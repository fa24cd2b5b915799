/** @file `validate` of one file of data: what it holds, or one line about what is wrong with it. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeNpy } from '../io/npy.ts';
import { writeSafetensors } from '../io/safetensors-write.ts';
import { mistake } from '../testing/command-line.ts';
import { main } from './main.ts';

const test = suite('validate a file');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-validate-'));
test.after(() => rmSync(folder, { recursive: true }));
const testdata = fileURLToPath(new URL('../io/testdata/', import.meta.url));

async function validated(path: string, ...flags: string[]): Promise<string> {
  let printed = '';
  const print = (text: string) => {
    printed += text;
  };
  assert.is(await main(['validate', path, ...flags], { signal: new AbortController().signal, print, say: print }), 0);
  return printed;
}

const file = (name: string, content: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
};

test('arrays are told with type and shape', async () => {
  const npy = join(folder, 'x.npy');
  await writeNpy(npy, [2, 3], Float32Array.from([1, 2, 3, 4, 5, 6]));
  assert.is(await validated(npy), 'valid: npy: F32 [2, 3], all finite');
  assert.match(
    await validated(join(testdata, 'arrays.golden.npz')),
    /^valid: npz: \d+ arrays, all finite\n {2}\S+: \w+ \[/,
  );
  assert.match(
    await validated(join(testdata, 'state.golden.pt')),
    /^valid: torch: \d+ tensors, all finite\n {2}\S+: \w+ \[/,
  );
  const weights = join(folder, 'x.safetensors');
  await writeSafetensors(weights, { w: { dtype: 'F32', shape: [1, 2], data: Float32Array.of(1, 2) } });
  assert.is(await validated(weights), 'valid: safetensors: 1 tensors, all finite\n  w: F32 [1, 2]');
  const { found } = JSON.parse(await validated(npy, '--json')) as { found: unknown };
  assert.equal(found, { format: 'npy', arrays: [{ name: '', dtype: 'F32', shape: [2, 3] }] });
});

test('tables are told with rows and columns', async () => {
  assert.is(
    await validated(file('x.csv', 'text,label\n"a\nb",1\nc,2\n')),
    'valid: csv: 2 rows, 2 columns: text, label',
  );
  assert.is(await validated(file('x.tsv', 'a\tb\n1\t2\n')), 'valid: tsv: 1 rows, 2 columns: a, b');
  assert.is(await validated(file('x.jsonl', '{"text":"a"}\n{"n":1}\n\n')), 'valid: jsonl: 2 rows, 2 columns: text, n');
  assert.match(await validated(join(testdata, 'plain.golden.parquet')), /^valid: parquet: \d+ rows, \d+ columns: \w+/);
  assert.is(await validated(file('labels.txt', 'a\nb\n')), 'valid: text: 2 lines');
});

test("a subject's folder in OpenCLIP's layout is one", async () => {
  const clip = join(folder, 'clip');
  const from = fileURLToPath(new URL('../../models/subjects/testdata/open-clip/', import.meta.url));
  cpSync(from, clip, { recursive: true });
  rmSync(join(clip, 'golden.safetensors'));
  assert.match(await validated(clip), /^valid: a subject: family open-clip, \d+ parameters/);
  writeFileSync(join(clip, 'open_clip_config.json'), '{}');
  assert.match(await mistake('validate', clip), /open_clip_config\.json, model_cfg: field embed_dim/);
});

test('what is wrong with a file is one line', async () => {
  const npy = join(folder, 'bad.npy');
  await writeNpy(npy, [3], Float32Array.of(1, Number.NaN, 2));
  assert.is(
    await mistake('validate', npy),
    `npy ${npy}: expected finite values, found 1 of 3 NaN or infinite, the first is NaN at index 1.`,
  );
  await writeNpy(npy, [3], Float32Array.of(1, 2, 3));
  assert.match(
    await mistake('validate', file('cut.npy', readFileSync(npy).subarray(0, -1))),
    /cut\.npy: shape \(3\) of F32 needs 12 bytes, found 11/,
  );
  for (const [name, source] of [
    ['cut.npz', 'arrays.golden.npz'],
    ['cut.pt', 'state.golden.pt'],
    ['cut.safetensors', 'tiny.golden.safetensors'],
    ['cut.parquet', 'plain.golden.parquet'],
  ] as const) {
    assert.match(
      await mistake('validate', file(name, readFileSync(join(testdata, source)).subarray(0, -20))),
      new RegExp(name),
    );
  }
  assert.match(await mistake('validate', join(testdata, 'hostile.golden.pt')), /hostile\.golden\.pt/);
  assert.match(await mistake('validate', file('bad.csv', 'a,b\n1\n')), /bad\.csv: line 2: expected 2 fields, found 1/);
  assert.match(
    await mistake('validate', file('latin1.csv', Buffer.from('a\n\xe9\n', 'latin1'))),
    /not valid UTF-8: line 2, byte 2/,
  );
  assert.match(await mistake('validate', file('bad.jsonl', '{"a":1}\n{')), /bad\.jsonl: line 2 is not valid JSON/);
  assert.match(
    await mistake('validate', file('x.bin', 'x')),
    /x\.bin: expected a suite or result \(\.json\), a file of data \(\.npy, /,
  );
});

test.run();
