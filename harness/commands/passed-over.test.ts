/** @file A run that goes without the native backend says why, before it computes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('passed over');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-passed-over-'));
test.after(() => rmSync(folder, { recursive: true }));

/** What a run told to do nothing says on stderr, in a process of its own: a process tries a backend once. */
function said(addon: string, more: string[] = [], cwd = process.cwd()): string {
  const cli = fileURLToPath(new URL('../cli.ts', import.meta.url));
  const places = ['--out', join(folder, 'out'), '--store', join(folder, 'store')];
  const passed = ['run', 'default', '--only', 'methods=neurons', '--only', 'tasks=reconstruction', '--dry-run'];
  const { stderr, status } = spawnSync(
    process.execPath,
    ['--import', 'tsx', cli, ...passed, ...places, '--no-progress', ...more],
    { cwd, encoding: 'utf8', env: { ...process.env, SAXBENCH_NATIVE_ADDON: addon } },
  );
  assert.is(status, 0, stderr);
  return stderr;
}

test('an addon that is not there: one line with the file and the mend', () => {
  const addon = join(folder, 'nowhere.node');
  const lines = said(addon).split('\n');
  const [line, ...others] = lines.filter((each) => each.includes('backend native'));
  assert.equal(others, []);
  assert.ok(
    line?.endsWith(
      `which is slower: backend native: ${addon} is not built. To mend: run 'node harness/native/build.mjs --force' (needs g++ or clang++).`,
    ),
    line,
  );
  assert.not.ok(lines.some((each) => each.includes('backend tensorflow')));
});

test('the mend names the script from wherever one is', () => {
  const below = fileURLToPath(new URL('..', import.meta.url));
  assert.match(said(join(folder, 'nowhere.node'), [], below), /run 'node native\/build\.mjs --force'/);
});

test('a backend that was asked for by name passes over none', () => {
  assert.not.match(said(join(folder, 'nowhere.node'), ['--backend', 'wasm']), /backend native/);
});

test.run();
