/** @file Tests of atomic writes, canonical JSON and hashes. */

import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { rejection } from '../testing/failing.ts';
import { atomicWrite, atomicWriteFile, atomicWriteJson } from './atomic.ts';
import { sha256, sha256File, sha256Json } from './hash.ts';
import { canonicalJson, readJson, scanJson } from './json.ts';

const test = suite('io/files');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-files-'));
test.after(() => rmSync(folder, { recursive: true }));

test('a write makes folders, replaces the file and leaves nothing else', async () => {
  const path = join(folder, 'a', 'b', 'c.json');
  await atomicWriteJson(path, { b: 1, a: [true, null] });
  assert.is(readFileSync(path, 'utf8'), '{\n  "a": [\n    true,\n    null\n  ],\n  "b": 1\n}\n');
  await atomicWriteFile(path, new Uint8Array([104, 105]));
  assert.is(readFileSync(path, 'utf8'), 'hi');
  assert.equal(readdirSync(join(folder, 'a', 'b')), ['c.json']);
});

test('a failure in the middle keeps the old content and removes the temporary file', async () => {
  const path = join(folder, 'kept', 'x.txt');
  await atomicWriteFile(path, 'old');
  const error = await rejection(
    atomicWrite(path, async (handle) => {
      await handle.writeFile('half of the new');
      throw new Error('interrupted');
    }),
  );
  assert.is(error.message, 'interrupted');
  assert.not.instance(error, UserError);
  assert.is(readFileSync(path, 'utf8'), 'old');
  assert.equal(readdirSync(join(folder, 'kept')), ['x.txt']);
});

test('writers at the same time leave one whole file', async () => {
  const path = join(folder, 'race.txt');
  const texts = Array.from({ length: 8 }, (_, i) => `${i}`.repeat(50_000));
  await Promise.all(texts.map((text) => atomicWriteFile(path, text)));
  assert.ok(texts.includes(readFileSync(path, 'utf8')));
});

test("a full disk, a file for a folder and a folder for a file are the user's errors", async () => {
  if (existsSync('/dev/full')) {
    const full = await rejection(
      atomicWrite(join(folder, 'full.bin'), async () => {
        const device = await open('/dev/full', 'w');
        try {
          await device.writeFile('x');
        } finally {
          await device.close();
        }
      }),
    );
    assert.instance(full, UserError);
    assert.match(full.message, /cannot write .*full.bin: the disk is full: free some space.*ENOSPC/);
  }
  writeFileSync(join(folder, 'plain'), '');
  const below = await rejection(atomicWriteFile(join(folder, 'plain', 'x.txt'), 'x'));
  assert.instance(below, UserError);
  assert.match(below.message, /a part of the path is a file/);
  const over = await rejection(atomicWriteFile(folder, 'x'));
  assert.instance(over, UserError);
  assert.match(over.message, /is a folder/);
});

test('canonical JSON: one text for equal values, nothing that JSON cannot carry', () => {
  assert.is(canonicalJson({ b: { d: 1, c: -0 }, a: undefined, é: 'x"' }), '{"b":{"c":0,"d":1},"é":"x\\""}');
  assert.is(canonicalJson([undefined === null, 'x', 1e21, 0.1]), '[false,"x",1e+21,0.1]');
  assert.throws(() => canonicalJson({ metrics: [1, { auroc: Number.NaN }] }), /\$\.metrics\[1\]\.auroc is NaN/);
  assert.throws(() => canonicalJson([Number.POSITIVE_INFINITY]), /\$\[0\] is Infinity/);
  assert.throws(() => canonicalJson({ a: new Float32Array(1) }), /\$\.a is a Float32Array/);
  assert.throws(() => canonicalJson([undefined]), /\$\[0\] is a undefined/);
});

test('hashes', async () => {
  assert.is(sha256('abc'), 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  const path = join(folder, 'abc');
  writeFileSync(path, 'abc');
  assert.is(await sha256File(path), sha256('abc'));
  assert.is(sha256Json({ a: 1, b: [2, { d: 1, c: 2 }] }), sha256Json({ b: [2, { c: 2, d: 1 }], a: 1, e: undefined }));
  assert.is.not(sha256Json({ a: 1 }), sha256Json({ a: '1' }));
  assert.instance(await rejection(sha256File(join(folder, 'none'))), UserError);
});

test('duplicate keys are found at any depth, in any spelling', () => {
  assert.is(scanJson('{"a":{"x":1},"b":{"x":[{"x":2},{"x":3}]}}').twice, undefined);
  assert.is(scanJson('{"a":"{\\"b\\":1,\\"b\\":2}"}').twice, undefined);
  assert.is(scanJson('{"a":[{"k":1,"\\u006b" : 2}]}').twice, 'k');
});

test('unreadable JSON names the file', async () => {
  const path = join(folder, 'broken.json');
  writeFileSync(path, '{');
  assert.match((await rejection(readJson(path, 'suite'))).message, /suite: .*broken.json is not valid JSON/);
  assert.match(
    (await rejection(readJson(join(folder, 'no.json'), 'suite'))).message,
    /suite: .*no.json does not exist/,
  );
  writeFileSync(path, '\ufeff[1]');
  assert.equal(await readJson(path, 'suite'), [1]);
});

test.run();
