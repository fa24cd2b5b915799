/** @file JSON from files: a mistake is one line, wherever in the file it is. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readJson } from './json.ts';

const test = suite('json');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-json-'));
test.after(() => rmSync(folder, { recursive: true }));

for (const text of ['', '{"a": 1', '{\n  "value": NaN,\n  "n": 3\n}\n', '{"a":\n\n1,}']) {
  test(`${JSON.stringify(text)} is refused in one line`, async () => {
    const path = join(folder, 'bad.json');
    writeFileSync(path, text);
    const error = await readJson(path, 'result').then(
      () => new Error('it passed'),
      (found: Error) => found,
    );
    assert.match(error.message, /^result: .*bad\.json is not valid JSON: .+\.$/);
    assert.not.match(error.message, /\n/);
  });
}

test.run();
