/** @file Files that pass, fail, die, hang on a hook or forget to run, beside each other in two processes. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';

const test = suite('run-tests');

const RUN = fileURLToPath(new URL('run-tests.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

/** A file of tests with that body. */
const file = (body: string) =>
  `import { suite } from 'uvu'; import * as assert from 'uvu/assert'; const test = suite(); ${body}`;

const FILES: Record<string, string> = {
  a: file("test('one', () => assert.is(1, 1)); test.skip('two', () => {}); test.run();"),
  b: file("test('three', () => assert.is(1, 2)); test('four', () => {}); test.run();"),
  c: file("test('dies', () => process.exit(0)); test.run();"),
  d: file("test.before(() => { throw new Error('no folder'); }); test('five', () => {}); test.run();"),
  e: file("test('never', () => assert.unreachable());"),
  f: "throw new Error('cannot be imported');",
  g: file("test('six', () => {}); test.run();"),
  h: file("test('seven', () => assert.unreachable()); console.log('skipped: no PyTorch');"),
};

async function runFiles(folder: string, ...args: string[]): Promise<{ code: number; printed: string }> {
  const command = [`--import=${TSX}`, RUN, '--jobs', '2', ...args];
  try {
    const { stdout } = await promisify(execFile)(process.execPath, command, { cwd: folder });
    return { code: 0, printed: stdout };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, printed: stdout + stderr };
  }
}

test('what fails, dies, is never run or cannot be imported is told, and all others are run', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'saxbench-run-tests-'));
  try {
    await symlink(resolve('node_modules'), join(folder, 'node_modules'));
    for (const name of ['a', 'g', 'h']) await writeFile(join(folder, `${name}.test.ts`), FILES[name]!);
    const good = await runFiles(folder);
    assert.is(good.code, 0, good.printed);
    assert.match(good.printed, /Total: +2\n +Passed: +2\n +Skipped: +1\n/);

    for (const [name, body] of Object.entries(FILES)) await writeFile(join(folder, `${name}.test.ts`), body);
    const { code, printed } = await runFiles(folder);
    assert.is(code, 1);
    assert.match(printed, /Passed: +3\n/);
    assert.match(printed, /FAIL.*three/);
    assert.match(printed, /FAIL {2}c\.test\.ts: its process ended by exit code/);
    assert.match(printed, /FAIL {2}d\.test\.ts: a hook failed/);
    assert.match(printed, /FAIL {2}e\.test\.ts: no test ran/);
    assert.match(printed, /FAIL {2}f\.test\.ts: ended before its tests did/);
    assert.match(printed, /cannot be imported/);

    const none = await runFiles(folder, 'nothing-of-this-name');
    assert.is(none.code, 1);
    assert.match(none.printed, /no file of tests matches 'nothing-of-this-name'/);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.run();
