/** @file `saxbench train` says that it cannot write its `--out` before it computes anything. */
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { mistake } from '../testing/command-line.ts';

const test = suite('train --out');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-train-out-'));
test.after(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'thesis.txt');
writeFileSync(file, 'x');
const nowhere = join(folder, 'nowhere');
symlinkSync('gone', nowhere);

for (const [what, out, told] of [
  ['a file', file, /^cannot write .*thesis\.txt: .* is a file/],
  ['below a file', join(file, 'sae'), /^cannot write .*sae: .* is a file/],
  ['a link to nothing', nowhere, /^cannot write .*nowhere/],
] as const) {
  test(what, async () => {
    const store = join(folder, 'store');
    const subject = ['--subject', 'tiny-lm-planted', '--site', 'blocks.2.hook_resid_post', '--dataset', 'text-world'];
    const small = ['--limit', '8', '--backend', 'cpu', '--no-progress'];
    assert.match(await mistake('train', '--sae', 'topk', ...subject, ...small, '--out', out, '--store', store), told);
    assert.not.ok(existsSync(store));
  });
}

test.run();
