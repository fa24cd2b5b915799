import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { labelsFile, plannedLabels, readLatentLabels, requireLatents } from './latent-labels.ts';

const test = suite('suite/latent-labels');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-labels-'));
test.after(() => rmSync(folder, { recursive: true }));

const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};

test('the same labels from JSON, JSON lines and CSV; the first description of a latent counts', async () => {
  const wanted = { 0: 'dogs, and cats', 12: 'rain' };
  const records = [
    { modelId: 'm', index: '12', description: 'rain' },
    { index: 0, description: 'dogs, and cats' },
    { index: 12, description: 'snow' },
  ];
  for (const path of [
    file('a.json', JSON.stringify(records)),
    file('b.json', JSON.stringify(wanted)),
    file('c.jsonl', records.map((record) => JSON.stringify(record)).join('\n')),
    file('d.csv', 'feature,label\n12,rain\n0,"dogs, and cats"\n'),
    file('e.tsv', 'latent\texplanation\n12\train\n0\tdogs, and cats\n'),
  ]) {
    assert.equal(await readLatentLabels(path), wanted, path);
    assert.is((await labelsFile(path)).fingerprint.length, 64);
  }
  requireLatents(wanted, 13, 'method a');
  assert.throws(
    () => requireLatents(wanted, 12, 'method a'),
    /method a: labels: expected latents from 0 to 11, found 12/,
  );
  assert.throws(() => requireLatents(wanted, undefined, 'method a'), /no latents/);
});

test('keys have the labels as they are read, so that an edited reader makes others; edited since the plan they are refused', async () => {
  const path = file('n.jsonl', '{"index":0,"description":"dogs"}\n{"index":0,"description":"cats"}');
  const planned = await labelsFile(path);
  assert.equal(await plannedLabels(planned), { 0: 'dogs' });
  assert.is((await labelsFile(file('n.csv', 'index,description\n0,dogs\n'))).fingerprint, planned.fingerprint);
  file('n.jsonl', '{"index":0,"description":"cats"}\n{"index":0,"description":"dogs"}');
  assert.match(await refusal(plannedLabels(planned)), /labels .*n\.jsonl: changed since the run was planned/);
});

test('what is no file of labels is refused by name and record', async () => {
  const hostile: [string, RegExp][] = [
    [
      file('f.jsonl', '{"index":1,"description":"a"}\n{"index":-1,"description":"b"}'),
      /record 2: expected the number of a latent.*-1/,
    ],
    [file('g.jsonl', '{"index":1.5,"description":"a"}'), /record 1: expected the number of a latent/],
    [file('h.jsonl', '{"description":"a"}'), /record 1: expected the number of a latent/],
    [
      file(
        'o.jsonl',
        '{"layer":"6-res-jb","index":1,"description":"a"}\n{"layer":"7-res-jb","index":1,"description":"b"}',
      ),
      /record 2: expected labels of one SAE, of layer '?"?6-res-jb.*7-res-jb/,
    ],
    [file('i.csv', 'index,text\n1,a\n'), /record 1: expected a text in one of description, label, explanation/],
    [file('j.json', '["a"]'), /expected records/],
    [file('k.json', '{}'), /expected descriptions of latents, found none/],
    [file('l.jsonl', '{"index":1,"descri'), /l\.jsonl/],
    [file('m.txt', 'a'), /expected a file named \.json/],
    [join(folder, 'absent.json'), /absent\.json/],
  ];
  for (const [path, message] of hostile) assert.match(await refusal(readLatentLabels(path)), message);
});

test.run();
