/** @file Kept digests serve while nothing that they were made of changes, and never a moment longer. */
import { existsSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { DigestedCode } from './bundle.ts';
import { keptDigests } from './kept-digests.ts';

const test = suite('code/kept-digests');
const root = mkdtempSync(join(tmpdir(), 'saxbench-kept-'));
test.after(() => rmSync(root, { recursive: true }));

const kept = join(root, 'deep/er/kept.json');
let made = 0;

/** Writes a source as if a while ago. */
function write(name: string, text: string): void {
  writeFileSync(join(root, name), text);
  utimesSync(join(root, name), 1, 1);
}

/** "Digests" that are the sources' own texts. */
async function make(): Promise<DigestedCode> {
  made++;
  const text = ['a.ts', 'b.ts'].map((name) => readFileSync(join(root, name), 'utf8')).join();
  return { codes: { all: { sha256: text, packages: ['p'] } }, inputs: ['a.ts', 'b.ts'] };
}

/** The text that is digested, and how often it was made for it. */
async function digest(by = 'maker', file = kept): Promise<[string, number]> {
  const before = made;
  return [(await keptDigests(file, root, by, make))['all']!.sha256, made - before];
}

test('made once; anew for an edited or lost source, another maker, a file that is cut', async () => {
  write('a.ts', 'one');
  write('b.ts', 'two');
  assert.equal(await digest(), ['one,two', 1]);
  assert.equal(await digest(), ['one,two', 0]);
  write('b.ts', 'TWO');
  assert.equal(await digest(), ['one,TWO', 1], 'of the same size and time');
  assert.equal(await digest(), ['one,TWO', 0]);
  assert.equal(await digest('another'), ['one,TWO', 1]);
  writeFileSync(kept, readFileSync(kept, 'utf8').slice(0, 40));
  assert.equal(await digest('another'), ['one,TWO', 1]);
  assert.equal(await digest('another'), ['one,TWO', 0]);
});

test('what was edited while they were made is not kept; nor where nothing can be written', async () => {
  rmSync(kept);
  writeFileSync(join(root, 'a.ts'), 'later');
  const now = Date.now() / 1000 + 5;
  utimesSync(join(root, 'a.ts'), now, now);
  assert.equal(await digest(), ['later,TWO', 1]);
  assert.not.ok(existsSync(kept));
  write('a.ts', 'one');
  assert.equal(await digest('maker', join(root, 'a.ts/kept.json')), ['one,TWO', 1]);
});

test.run();
