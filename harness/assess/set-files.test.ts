/** @file Ratings and sets as they come back: edited, cut off, mixed up, of others. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../num/rng.ts';
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import { sealedSet, simulatedRatings } from '../testing/assessment.ts';
import { inFolder } from '../testing/failing.ts';
import { openSet } from './open-set.ts';
import { readRatings } from './ratings.ts';

const test = suite('assess/set-files');

const sealed = sealedSet('intruder', ['topk', 'random'], 6);
const key = JSON.parse(sealed.keyText) as AssessmentKey;
const { set } = sealed.header;
const of = { set, protocol: 'intruder' as const, items: sealed.items };
const HEADER = 'set,rater,item,answer,seconds';
const [one, two] = sealed.items.map(({ id }) => id) as [string, string];

async function refused(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  assert.is(error?.name, 'UserError', String(error));
  return error!.message;
}

const written = async (folder: string, ...rows: string[]) => {
  const file = join(folder, 'ratings.csv');
  await writeFile(file, `${rows.join('\n')}\n`);
  return file;
};

test('ratings of several raters, skipped ones left out, as spreadsheets save them too', () =>
  inFolder(async (folder) => {
    const file = await written(
      folder,
      HEADER,
      `${set},"A, ""x""",${one},3,4.5`,
      `${set},"A, ""x""",${two},,1`,
      `${set},B,${two},1,0`,
    );
    const found = await readRatings([file], of);
    assert.equal(found, [
      { rater: 'A, "x"', item: one, answer: '3', seconds: 4.5 },
      { rater: 'B', item: two, answer: '1', seconds: 0 },
    ]);
    await writeFile(file, `\ufeff${HEADER}\r\n${set},B,${two},1,0\r\n`);
    assert.is((await readRatings([file], of)).length, 1);
  }));

for (const [what, rows, expected] of [
  ['nothing', [], /the file is empty/],
  [
    'another header',
    ['rater,item,answer'],
    /line 1: expected the header set,rater,item,answer,seconds; found "rater,item,answer"/,
  ],
  ['a cut line', [HEADER, `${set},A,${one}`], /line 2: expected 5 fields.*\(was the file cut off\?\); found 3/],
  ['another set', [HEADER, `s00,A,${one},1,1`], /expected ratings of the set s[0-9a-f]{15}.*found "s00"/],
  ['an unknown item', [HEADER, `${set},A,zz,1,1`], /expected an item of the set; found "zz"/],
  [
    'an answer beyond',
    [HEADER, `${set},A,${one},6,1`],
    /expected a number of 1 to 5, or nothing for a skipped question; found "6"/,
  ],
  ['a word', [HEADER, `${set},A,${one},yes,1`], /expected a number of 1 to 5/],
  ['no rater', [HEADER, `${set}, ,${one},1,1`], /expected a rater's name/],
  ['negative time', [HEADER, `${set},A,${one},1,-1`], /expected seconds of 0 to a day; found "-1"/],
  ['no number', [HEADER, `${set},A,${one},1,soon`], /expected seconds/],
  [
    'two answers',
    [HEADER, `${set},A,${one},1,1`, `${set},A,${one},2,1`],
    /expected one answer of the rater 'A' .* it has one at .*line 2/,
  ],
] as const) {
  test(`refuses ratings with ${what}`, () =>
    inFolder(async (folder) => {
      const file = join(folder, 'r.csv');
      await writeFile(file, rows.map((row) => `${row}\n`).join(''));
      assert.match(await refused(readRatings([file], of)), expected);
    }));
}

test('one file twice, one rater in two files: refused where an answer is there twice, else joined', () =>
  inFolder(async (folder) => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => join(folder, `${name}.csv`)) as [string, string, string];
    await writeFile(a, `${HEADER}\n${set},A,${one},1,1\n`);
    await writeFile(b, `${HEADER}\n${set},A,${one},1,1\n`);
    await writeFile(c, `${HEADER}\n${set},A,${two},1,1\n`);
    assert.match(await refused(readRatings([a, b], of)), /has the same content as .*a\.csv/);
    await writeFile(b, `${HEADER}\n${set},A,${one},1,2\n`);
    assert.match(await refused(readRatings([a, b], of)), /two people need two names/);
    assert.is((await readRatings([a, c], of)).length, 2);
    assert.match(await refused(readRatings([join(folder, 'none.csv')], of)), /none\.csv/);
  }));

test('a set opens as it was sealed; edited items, another key and files of two sets are refused', () =>
  inFolder(async (folder) => {
    const put = async (name: string, items: string, keyText: string) => {
      const place = join(folder, name);
      await mkdir(place);
      await writeFile(join(place, 'items.jsonl'), items);
      await writeFile(join(place, 'key.json'), keyText);
      return openSet(place);
    };
    const { itemsText, keyText } = sealed;
    const opened = await put('whole', itemsText, keyText);
    assert.equal(opened.key, key);
    assert.equal(opened.items, sealed.items);
    const lines = itemsText.trimEnd().split('\n');
    assert.match(await refused(put('cut', lines.slice(0, -1).join('\n'), keyText)), /expected \d+ items; found \d+/);
    const swapped = [lines[0], lines[2], lines[1], ...lines.slice(3)].join('\n');
    assert.match(await refused(put('order', swapped, keyText)), /was edited/);
    const gold = keyText.replace(/"gold": "\d"/, (text) => (text.endsWith('1"') ? '"gold": "2"' : '"gold": "1"'));
    assert.is.not(gold, keyText);
    assert.match(await refused(put('gold', itemsText, gold)), /is not the key of the set/);
    const other = sealedSet('intruder', ['topk', 'random'], 6, 1);
    assert.match(await refused(put('other', itemsText, other.keyText)), /is not the key of the set/);
    assert.match(await refused(put('text', 'hello\n', keyText)), /items\.jsonl: line 1/);
    assert.match(
      await refused(openSet(join(folder, 'nowhere'))),
      /expected a folder that `saxbench assess export` wrote.*found no items\.jsonl in .*nowhere/,
    );
  }));

test('simulated ratings go through the file', () =>
  inFolder(async (folder) => {
    const ratings = simulatedRatings(key, 5, 2, [1, 0], createRng(0));
    const rows = ratings.map(({ rater, item, answer, seconds }) => [set, rater, item, answer, seconds].join());
    assert.equal(await readRatings([await written(folder, HEADER, ...rows)], of), ratings);
  }));

test.run();
