/** @file Edited code of a plug-in is computed anew: the command line in processes of its own, as Node loads files once. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createRng } from '../num/rng.ts';

const test = suite('stale results');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-stale-'));
test.after(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string | Uint8Array) => writeFileSync(join(folder, name), text);

/** A .npy file of standard normal numbers. */
function npy(rows: number, columns: number): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${rows}, ${columns}), }`.padEnd(117).concat('\n');
  const rng = createRng(0);
  const data = Float32Array.from({ length: rows * columns }, () => rng.normal());
  const start = Buffer.from(`\x93NUMPY\x01\x00${String.fromCharCode(header.length)}\x00${header}`, 'latin1');
  return Buffer.concat([start, Buffer.from(data.buffer)]);
}

/** Explained variance of what returns F times its input. */
function run(): { ev: number; said: string } {
  const args = ['run', 's.json', '--plugin', 'half.ts', '--out', 'o', '--store', 'st', '--backend', 'cpu', '--json'];
  const cli = new URL('../cli.ts', import.meta.url).pathname;
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), cli, ...args, '--no-progress'],
    { cwd: folder, encoding: 'utf8' },
  );
  assert.is(status, 0, stderr);
  const { out } = JSON.parse(stdout) as { out: string };
  const csv = readFileSync(join(out, 'results.csv'), 'utf8').split('\n');
  const row = csv.find((line) => line.includes('half') && line.includes('explained_variance'))!.split(',');
  const columns = csv[0]!.split(',');
  return { ev: Number(row[columns.indexOf('value')]), said: stderr };
}

test('an edited helper of a plug-in gives the numbers of the edit, not those of before', () => {
  write(
    'half.ts',
    `import { defineBaseline, tf } from 'saxbench'; import { F } from "./helper.mjs";
    export default defineBaseline({ id: 'half', title: 'half', version: 1, options: {}, needs: 'nothing', seeded: false,
      async fit() { return { tensors: {} }; },
      restore: (_state, { d_in }) => ({ d_in, d_sae: d_in, sparse: false,
        encode: (x) => ({ kind: 'dense', values: tf.mul(x, F) }), decode: (c) => tf.clone(c.values), dispose() {} }) });`,
  );
  write('helper.mjs', 'export const F = 0.5;');
  write('x.npy', npy(400, 8));
  write('activations.json', '{"files":["x.npy"],"modality":"image"}');
  write(
    's.json',
    JSON.stringify({
      id: 's',
      title: 't',
      subjects: [{ sites: ['imported'], activations: { from: '.' } }],
      methods: [{ id: 'half' }],
      tasks: [{ id: 'reconstruction' }],
      seeds: [0],
    }),
  );
  const first = run().ev;
  assert.ok(first > 0.7 && first < 0.8, `${first}`);
  write('helper.mjs', 'export const F = 0.9;');
  const second = run().ev;
  assert.ok(second > 0.98 && second < 1, `${second}`);
});

test.run();
