/** @file Settings: flag over variable over file over default; every mistake names its place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { readSettings } from './read.ts';
import { environmentName, SETTINGS } from './settings.ts';

const test = suite('settings');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-config-'));
const file = join(folder, 'config.json');
test.after(() => rmSync(folder, { recursive: true }));

test('precedence', async () => {
  writeFileSync(file, JSON.stringify({ limit: 1, store: 'from-file', backend: 'cpu', out: 'from-file' }));
  const environment = { SAXBENCH_LIMIT: '2', SAXBENCH_STORE: 'from-env' };
  const values = await readSettings('run', { config: file, limit: '3' }, environment);
  assert.is(values['limit'], 3);
  assert.is(values['store'], 'from-env');
  assert.is(values['out'], 'from-file');
  assert.is(values['progress'], true);
  assert.is(values['seed'], undefined);
});

test('every type from text', async () => {
  const environment = { SAXBENCH_PROGRESS: 'false', SAXBENCH_ONLY: 'topk', SAXBENCH_DRY_RUN: '1' };
  const values = await readSettings('run', { only: ['a', 'b'] }, environment);
  assert.equal([values['progress'], values['only'], values['dry-run']], [false, ['a', 'b'], true]);
});

test('mistakes', async () => {
  const cases: [Record<string, unknown>, Record<string, string>, RegExp][] = [
    [{ limit: 'ten' }, {}, /^--limit: expected a whole number of at least 1; found "ten"/],
    [{ limit: '0' }, {}, /at least 1; found "0"/],
    [{ limit: '1.5' }, {}, /whole number/],
    [{ limit: ' ' }, {}, /whole number/],
    [{}, { SAXBENCH_SEED: '-1' }, /^SAXBENCH_SEED: expected a whole number of at least 0/],
    [{ backend: 'wams' }, {}, /unknown value of --backend 'wams'\. Did you mean: wasm\?/],
    [{}, { SAXBENCH_PROGRESS: 'maybe' }, /^SAXBENCH_PROGRESS: expected true or false; found "maybe"/],
    [{ config: join(folder, 'none.json') }, {}, /^config: .*none\.json does not exist/],
  ];
  for (const [flags, environment, expected] of cases) {
    assert.match(await refusal(readSettings('run', flags, environment)), expected);
  }
});

test('a typo in the config file', async () => {
  writeFileSync(file, JSON.stringify({ limt: 1 }));
  assert.match(
    await refusal(readSettings('run', { config: file }, {})),
    /unknown setting in .* 'limt'\. Did you mean: limit\?/,
  );
});

test('names are unique and fit all three places', () => {
  const names = SETTINGS.map(({ name }) => name);
  assert.is(new Set(names).size, names.length);
  for (const setting of SETTINGS) {
    assert.match(setting.name, /^[a-z]+(-[a-z]+)*$/);
    assert.match(environmentName(setting), /^SAXBENCH_[A-Z]+(_[A-Z]+)*$/);
    assert.match(setting.description, /\.$/);
  }
});

test.run();
