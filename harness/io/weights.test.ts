/** @file Weights of folders in PyTorch's format: whole, in shards, and files that are no weights. */
import { copyFileSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { packageRoot } from '../paths.ts';
import { writeSafetensors } from './safetensors-write.ts';
import { openWeights } from './weights.ts';

const test = suite('io/weights');
const golden = (name: string) => join(packageRoot, 'harness/io/testdata', name);
const empty = () => mkdtempSync(join(tmpdir(), 'saxbench-weights-'));

async function refusal(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    assert.instance(error, UserError);
    return (error as UserError).message;
  }
  return 'no error';
}

test('pytorch_model.bin is read where there are no safetensors, or the only .pt; states of a training are no weights', async () => {
  for (const name of ['pytorch_model.bin', 'checkpoint.pt', 'checkpoint.pth']) {
    const folder = empty();
    copyFileSync(golden('state.golden.pt'), join(folder, name));
    for (const other of ['training_args.bin', 'optimizer.pt']) writeFileSync(join(folder, other), '');
    const weights = await openWeights(folder);
    assert.equal(weights.info('state.weight'), { dtype: 'F32', shape: [3, 2] });
    assert.equal([...(await weights.readFloat('state.weight', { expectShape: [3, 2] }))], [1, 2, 3, 4, 5, 6]);
    assert.equal((await weights.readFloat('brain')).length, 12);
    assert.match(await refusal(weights.readFloat('ids')), /'ids': expected a floating type.*found I64/);
    assert.match(await refusal(weights.readFloat('plain', { expectShape: [4, 3] })), /expected shape \[4, 3\]/);
    await writeSafetensors(join(folder, 'model.safetensors'), { a: { dtype: 'F32', shape: [1], data: [1] } });
    assert.equal((await openWeights(folder)).names, ['a']);
  }
});

test('shards of PyTorch files by their index, with the faults of one', async () => {
  const folder = empty();
  copyFileSync(golden('state.golden.pt'), join(folder, 'pytorch_model-00001-of-00001.bin'));
  const index = (map: object) =>
    writeFileSync(join(folder, 'pytorch_model.bin.index.json'), JSON.stringify({ weight_map: map }));
  index({ plain: 'pytorch_model-00001-of-00001.bin' });
  const weights = await openWeights(folder);
  assert.equal(weights.names, ['plain']);
  assert.is((await weights.readFloat('plain'))[11], 11);
  index({ other: 'pytorch_model-00001-of-00001.bin' });
  assert.match(await refusal(openWeights(folder)), /tensor 'other' should be in pytorch_model-00001/);
  index({ plain: '../secret.bin' });
  assert.match(await refusal(openWeights(folder)), /expected a .bin file name, found "..\/secret.bin"/);
});

test('a file that would run code, several files and none are refused', async () => {
  const folder = empty();
  copyFileSync(golden('hostile.golden.pt'), join(folder, 'pytorch_model.bin'));
  assert.match(await refusal(openWeights(folder)), /pytorch_model.bin/);
  const two = empty();
  for (const name of ['a.pt', 'b.pt']) copyFileSync(golden('state.golden.pt'), join(two, name));
  assert.match(await refusal(openWeights(two)), /found a.pt, b.pt of .safetensors and .bin/);
  const quantised = empty();
  for (const name of ['config.json', 'm.gguf']) writeFileSync(join(quantised, name), '{}');
  assert.match(await refusal(openWeights(quantised)), /It holds m.gguf: to read that, name the file/);
});

test.run();
