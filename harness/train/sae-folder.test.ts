/** @file The folder of a trained SAE: another in it is refused, and one that was killed while writing is known. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { clearSaeFolder, refuseOtherSae, TRAINING_RECORD } from './sae-folder.ts';

const test = suite('train/sae-folder');
const root = mkdtempSync(join(tmpdir(), 'saxbench-sae-folder-'));
test.after(() => rmSync(root, { recursive: true }));

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

test('what training did not write is neither taken over nor cleared', async () => {
  const folder = folderWith('thesis.txt');
  assert.match(await refusal(() => refuseOtherSae(folder, 'new', true)), /found thesis\.txt in it/);
  await clearSaeFolder(folder);
  assert.equal(readdirSync(folder), ['thesis.txt']);
});

test.run();
