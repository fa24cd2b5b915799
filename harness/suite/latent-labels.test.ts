import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { labelsFile, readLatentLabels, requireLatents } from './latent-labels.ts';

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

test('what is no file of labels is refused by name and record', async () => {
  const hostile: [string, RegExp][] = [
    [
      file('f.jsonl', '{"index":1,"description":"a"}\n{"index":-1,"description":"b"}'),
      /record 2: expected the number of a latent.*-1/,
    ],
    [file('g.jsonl', '{"index":1.5,"description":"a"}'), /record 1: expected the number of a latent/],
    [file('h.jsonl', '{"description":"a"}'), /record 1: expected the number of a latent/],
    [file('i.csv', 'index,text\n1,a\n'), /record 1: expected a text in one of description, label, explanation/],
    [file('j.json', '["a"]'), /expected records/],
    [file('k.json', '{}'), /expected descriptions of latents, found none/],
    [file('l.jsonl', '{"index":1,"descri'), /l\.jsonl/],
    [
      file(
        'n.jsonl',
        '{"modelId":"m","layer":"6-res","index":1,"description":"a"}\n{"index":2,"description":"b"}\n' +
          '{"modelId":"m","layer":"7-res","index":1,"description":"c"}',
      ),
      /record 3: expected latents of one SAE, of layer "6-res"; found "7-res"/,
    ],
    [
      file('o.csv', 'sae_id,index,label\na,1,x\nb,2,y\n'),
      /record 2: expected latents of one SAE, of sae_id "a"; found "b"/,
    ],
    [file('m.txt', 'a'), /expected a file named \.json/],
    [join(folder, 'absent.json'), /absent\.json/],
  ];
  for (const [path, message] of hostile) assert.match(await refusal(readLatentLabels(path)), message);
});

test.run();
