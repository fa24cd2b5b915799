/** @file What validate says of a domain: counts, copies, leaks and contradictions are found, named by id, and no text is told. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../num/rng.ts';
import { csv, withDomain } from '../testing/domain-folder.ts';
import { findingsInLines, findingsOf } from './findings.ts';
import { nearCopies } from './near-copies.ts';
import { readDomain } from './read.ts';
import { splitDomain } from './splits.ts';

const test = suite('domain/findings');

const rng = createRng('findings');
const words = (n: number) => Array.from({ length: n }, () => `w${rng.int(500)}`).join(' ');

test('texts with a word changed are near copies across parts; texts by chance alike are not', () => {
  const texts = Array.from({ length: 200 }, () => words(40));
  const changed = texts.slice(0, 5).map((text) => text.replace(/^\S+/, 'other'));
  const keys = [...texts, ...changed, texts[7]!];
  const found = nearCopies(keys, (place) => place >= 200);
  assert.equal(
    found,
    [0, 1, 2, 3, 4].map((i) => [i, 200 + i]),
  );
  assert.equal(
    nearCopies(keys, () => true),
    [],
  );
});

test('counts, copies, torn labels, leaks, lengths, parents: in words with ids, without texts', async () => {
  const long = words(30);
  const rows = [
    ['a1', `patient says ${long}`, 'train', 1, 0, 1],
    ['a2', `patient says ${long}`, 'test', 0, 1, ''],
    ['b1', `patient told ${long} now`, 'train', 1, 1, 0],
    ...Array.from({ length: 20 }, (_, i) => {
      const positive = i % 2;
      return [`c${i}`, `note ${words(positive ? 20 : 5)}`, i < 10 ? 'train' : 'test', positive, 1, ''];
    }),
  ];
  const files = {
    'examples.csv': csv([['id', 'text', 'split', 'gull', 'bird', 'rare'], ...rows]),
    'concepts.csv': csv([
      ['name', 'parent'],
      ['gull', 'bird'],
      ['bird', ''],
      ['rare', ''],
    ]),
  };
  await withDomain(files, async (folder) => {
    const domain = await readDomain(folder);
    const found = findingsOf(domain, splitDomain(domain, 0, 0.4));
    assert.equal(found.parts, { train: 11, test: 11, leftOut: 1 });
    const [gull, , rare] = found.concepts;
    assert.equal(gull!.train, { positives: 6, negatives: 5, hardNegatives: 0 });
    assert.is(gull!.prevalence, 12 / 23);
    assert.ok(gull!.lengthAuroc! > 0.9);
    assert.is(rare!.unknown, 21);
    const lines = findingsInLines(found).join('\n');
    for (const told of [
      /too small: rare: 0 positives in the train part, needs 2/,
      /too small: gull: fewer than 10 positives or negatives in a part/,
      /length: the number of words alone tells gull with AUROC 0\.9/,
      /1 texts repeat another \(of a1\)/,
      /1 texts are labelled positive in one row and negative in another \(a1\)/,
      /leak: 1 training examples have their copy or group in the test part as declared/,
      /leak: 1 pairs of nearly equal texts lie in different parts \(a2 and b1\)/,
      /1 examples show gull and not its parent bird \(a1\)/,
      /no column group_id/,
    ])
      assert.match(lines, told);
    assert.not.match(JSON.stringify(found), /patient (says|told)|w\d/);
  });
});

test('a hundred thousand rows are read, split and told of in seconds', async () => {
  const head = 'id,text,group_id,gull\n';
  const rows = Array.from(
    { length: 100_000 },
    (_, i) => `r${i},a note of number ${i} about ${i % 977},g${i >> 2},${i % 3 ? '' : i % 2}`,
  );
  await withDomain({ 'examples.csv': head + rows.join('\n') }, async (folder) => {
    const before = process.cpuUsage();
    const domain = await readDomain(folder);
    const { partOf } = splitDomain(domain, 0, 0.4);
    const { user, system } = process.cpuUsage(before);
    assert.ok(Math.abs(partOf.filter((part) => part === 'test').length - 40_000) < 500);
    assert.ok(user + system < 20e6, `${(user + system) / 1e6} s`);
  });
});

test.run();
