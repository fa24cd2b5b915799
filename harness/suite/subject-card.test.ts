/** @file Remarks for readers of results come from a subject's card, and from nothing else in it. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../paths.ts';
import { inFolder, refusal } from '../testing/failing.ts';
import { loadSuite } from './load.ts';
import { type CardDeclarations, cardDeclarations } from './subject-card.ts';
import { embeddedSubjectIds, subjectFolder } from './subjects.ts';

const test = suite('suite/subject-card');

const declared = async (card: string | Buffer): Promise<CardDeclarations> => {
  let found: CardDeclarations = { remarks: [] };
  await inFolder(async (folder) => {
    await writeFile(join(folder, 'README.md'), card);
    found = await cardDeclarations(folder);
  });
  return found;
};
const remarksOf = async (card: string | Buffer): Promise<string[]> => (await declared(card)).remarks;

test('lines that begin with the mark are remarks, in order, without their full stop', async () => {
  const card = '# m\n\n> saxbench: one.\r\n> other\n\nsay `> saxbench: no`\n> saxbench:  two | <b>\n';
  assert.equal(await remarksOf(card), ['one', 'two | <b>']);
  assert.equal(await remarksOf('# a model\n> quoted\n'), []);
});

test('no card, a folder of its name, another encoding and a huge one: nothing is declared, nothing fails', async () => {
  await inFolder(async (folder) => {
    assert.equal(await cardDeclarations(folder), { remarks: [] });
    await mkdir(join(folder, 'README.md'));
    assert.equal(await cardDeclarations(folder), { remarks: [] });
  });
  assert.equal(await remarksOf(Buffer.from([0xff, 0xfe, 0x80, 0x0a])), []);
  assert.equal(await remarksOf(`> saxbench: x\n${' '.repeat(1_000_001)}`), []);
});

test('an empty or a long remark is refused, naming card and length', async () => {
  assert.match(await refusal(remarksOf('> saxbench:\n')), /README\.md: .*expected 1 to 400 characters, found 0/);
  assert.match(await refusal(remarksOf(`> saxbench: ${'x'.repeat(401)}\n`)), /expected 1 to 400 characters, found 401/);
});

test('interventions of the training are declared once, in a line of their own; another word is no declaration', async () => {
  const card = '# m\n\n> saxbench: one.\n> saxbench-planted: a vector added after blocks.0.\r\n';
  assert.equal(await declared(card), { remarks: ['one'], planted: 'a vector added after blocks.0' });
  assert.match(
    await refusal(declared(`${card}> saxbench-planted: x\n`)),
    /README\.md: expected one line '> saxbench-planted: …'.*found 2/,
  );
  assert.match(
    await refusal(declared('> saxbench-planted:\n')),
    /saxbench-planted: …': expected 1 to 400 characters, found 0/,
  );
  assert.match(
    await refusal(declared('> saxbench-plnted: x\n')),
    /'> saxbench-plnted: …': expected .* or '> saxbench-planted: …'/,
  );
});

test('the models that learned vectors in their training declare it, and no other does', async () => {
  for (const id of embeddedSubjectIds()) {
    const { planted } = await cardDeclarations(join(packageRoot, 'models/pretrained', id));
    if (/^tiny-lm-(planted|d\d+)$/.test(id))
      assert.match(planted!, /one vector a theme.* after blocks\.2\.hook_resid_post/);
    else assert.is(planted, undefined, id);
  }
});

test('what was trained to be steered stands in no suite whose results rank', async () => {
  for (const id of ['default', 'variants', 'nightly', 'real', 'axbench'])
    for (const { id: subject = '' } of (await loadSuite(id)).suite.subjects)
      if (embeddedSubjectIds().includes(subject))
        assert.is(
          (await cardDeclarations(await subjectFolder({ id: subject }, ''))).planted,
          undefined,
          `${id} ${subject}`,
        );
});

test.run();
