/** @file The folder of a trained SAE: another in it is refused, and one that was killed while writing is known. */
import { mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { atomicWrite } from '../io/atomic.ts';
import { refusal } from '../testing/failing.ts';
import { clearSaeFolder, refuseOtherSae, TRAINING_RECORD } from './sae-folder.ts';

const test = suite('train/sae-folder');
const root = mkdtempSync(join(tmpdir(), 'saxbench-sae-folder-'));
test.after(() => rmSync(root, { recursive: true }));

/** What lies there of a file whose writer was killed: the name of its temporary file. */
async function killedWhileWriting(path: string): Promise<string> {
  let name = '';
  await atomicWrite(path, async () => {
    [name] = readdirSync(dirname(path)) as [string];
    writeFileSync(join(dirname(path), `${name}.copy`), '');
  });
  rmSync(path);
  renameSync(join(dirname(path), `${name}.copy`), join(dirname(path), name));
  return name;
}

function folderWith(...names: string[]): string {
  const folder = mkdtempSync(join(root, 'sae-'));
  for (const name of names) writeFileSync(join(folder, name), JSON.stringify({ key: 'old' }));
  return folder;
}

test('cleared, it keeps its record: killed then, it is still one that training knows', async () => {
  const folder = folderWith('cfg.json', 'sae_weights.safetensors', TRAINING_RECORD);
  mkdirSync(join(folder, 'deep'));
  await clearSaeFolder(folder);
  assert.equal(readdirSync(folder), [TRAINING_RECORD]);
  await refuseOtherSae(folder, 'new', true);
  await refuseOtherSae(folder, 'old', false);
  assert.match(await refusal(() => refuseOtherSae(folder, 'new', false)), /holds another SAE/);
});

test('killed while it wrote its very first file, a folder is as good as empty', async () => {
  const folder = folderWith();
  const killed = await killedWhileWriting(join(folder, TRAINING_RECORD));
  assert.equal(readdirSync(folder), [killed]);
  await refuseOtherSae(folder, 'new', false);
  await clearSaeFolder(folder);
  assert.equal(readdirSync(folder), []);
});

test('what training did not write is neither taken over nor cleared', async () => {
  const folder = folderWith('thesis.txt');
  assert.match(await refusal(() => refuseOtherSae(folder, 'new', true)), /found thesis\.txt in it/);
  await clearSaeFolder(folder);
  assert.equal(readdirSync(folder), ['thesis.txt']);
});

test.run();
