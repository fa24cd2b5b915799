/** @file Remarks for readers of results come from a subject's card, and from nothing else in it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import { inFolder, refusal } from '../testing/failing.ts';
import { cardRemarks } from './subject-card.ts';

const test = suite('suite/subject-card');

const remarksOf = async (card: string | Buffer): Promise<string[]> => {
  let remarks: string[] = [];
  await inFolder(async (folder) => {
    await writeFile(join(folder, 'README.md'), card);
    remarks = await cardRemarks(folder);
  });
  return remarks;
};

test('lines that begin with the mark are remarks, in order, without their full stop', async () => {
  const card = '# m\n\n> saxbench: one.\r\n> other\n\nsay `> saxbench: no`\n> saxbench:  two | <b>\n';
  assert.equal(await remarksOf(card), ['one', 'two | <b>']);
  assert.equal(await remarksOf('# a model\n> quoted\n'), []);
});

test('no card, a folder of its name, another encoding and a huge one: nothing is declared, nothing fails', async () => {
  await inFolder(async (folder) => {
    assert.equal(await cardRemarks(folder), []);
    await mkdir(join(folder, 'README.md'));
    assert.equal(await cardRemarks(folder), []);
  });
  assert.equal(await remarksOf(Buffer.from([0xff, 0xfe, 0x80, 0x0a])), []);
  assert.equal(await remarksOf(`> saxbench: x\n${' '.repeat(1_000_001)}`), []);
});

test('an empty or a long remark is refused, naming card and length', async () => {
  assert.match(await refusal(remarksOf('> saxbench:\n')), /README\.md: .*expected 1 to 400 characters, found 0/);
  assert.match(await refusal(remarksOf(`> saxbench: ${'x'.repeat(401)}\n`)), /expected 1 to 400 characters, found 401/);
});

test('tiny-lm declares what its training put at its site', async () => {
  const [remark, ...more] = await cardRemarks(join(packageRoot, 'models/pretrained/tiny-lm'));
  assert.match(remark!, /supervised direction .* after blocks\.2\.hook_resid_post/);
  assert.equal(more, []);
  assert.equal(await cardRemarks(join(packageRoot, 'models/pretrained/tiny-clip')), []);
});

test.run();
