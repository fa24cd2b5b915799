/**
 * @file Every layout against the program that writes it: folders that the original libraries saved (`testdata/make_*.py`),
 * read here to their codes and reconstructions; and the same folders cut short, misshapen and hostile.
 */
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Codes } from '../contract.ts';
import { UserError } from '../errors.ts';
import { reconstruct } from '../kit/reconstruct.ts';
import { allclose } from '../num/allclose.ts';
import { initBackend } from '../num/backend.ts';
import { tf } from '../num/tf.ts';
import { packageRoot } from '../paths.ts';
import { rejection } from '../testing/failing.ts';
import { checkpointMethod } from './method.ts';
import { openCheckpoint } from './open.ts';

const test = suite('checkpoint layouts');
const DATA = join(packageRoot, 'harness/checkpoints/testdata');
const TOLERANCE = { atol: 1e-5, rtol: 1e-5 };
const scratch = mkdtempSync(join(tmpdir(), 'saxbench-layouts-'));
test.before(async () => {
  await initBackend('wasm');
});
test.after(() => rmSync(scratch, { recursive: true }));

interface Expected {
  x: number[];
  codes: number[];
  reconstruction: number[];
  facts: Record<string, unknown>;
  given?: Record<string, unknown>;
  /** The place within the case's folder that is named. */
  at?: string;
}

const foldersIn = (path: string) =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== '__pycache__')
    .map(({ name }) => name);

const layouts = foldersIn(DATA);
const casesOf = (layout: string) => foldersIn(join(DATA, layout)).filter((name) => !name.startsWith('wrong_'));
const expectedOf = (layout: string, name: string) =>
  JSON.parse(readFileSync(join(DATA, layout, `${name}.expected.json`), 'utf8')) as Expected;

/** A copy of a case: `[the place that is named, its folder]`. */
function copyOf(layout: string, name: string, as: string): { place: string; folder: string } {
  const folder = join(scratch, `${layout}-${name}-${as}`);
  cpSync(join(DATA, layout, name), folder, { recursive: true });
  const { at } = name.startsWith('wrong_') ? ({} as Partial<Expected>) : expectedOf(layout, name);
  return { place: at === undefined ? folder : join(folder, at), folder };
}

async function readAt(place: string, given?: Record<string, unknown>) {
  const found = await openCheckpoint(place, given);
  if (found.own) throw new Error('a golden case is of another program');
  return { found, checkpoint: await found.read() };
}

function dense(codes: Codes): number[] {
  if (codes.kind === 'dense') return [...codes.values.dataSync()];
  const [n, k] = codes.values.shape;
  const out = new Array<number>(n * codes.d_sae).fill(0);
  const [values, indices] = [codes.values.dataSync(), codes.indices.dataSync()];
  for (let p = 0; p < n * k; p++) if (values[p] !== 0) out[Math.floor(p / k) * codes.d_sae + indices[p]!] = values[p]!;
  return out;
}

for (const layout of layouts) {
  test(`${layout}: codes and reconstructions are the original's`, async () => {
    for (const name of casesOf(layout)) {
      const { x, codes, reconstruction, facts, given, at = '' } = expectedOf(layout, name);
      const { found, checkpoint } = await readAt(join(DATA, layout, name, at), given);
      assert.is(found.layout.id, layout, name);
      const told = found.facts as unknown as Record<string, unknown>;
      for (const [key, value] of Object.entries(facts)) assert.equal(told[key], value, `${name}: ${key}`);
      const method = checkpointMethod(checkpoint);
      tf.tidy(() => {
        const rows = tf.tensor2d(x, [x.length / method.d_in, method.d_in]);
        const got = method.encode!(rows);
        allclose(dense(got), codes, TOLERANCE, `${layout} ${name}: codes`);
        allclose(reconstruct(method, rows, got).dataSync(), reconstruction, TOLERANCE, `${layout} ${name}: decode`);
      });
      method.dispose();
    }
  });
}

/** The largest file of a folder: its weights. */
const weightsIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort((a, b) => statSync(b).size - statSync(a).size)[0]!;

/** An archive, a pickle or a header that lies. */
function hostile(file: string): Uint8Array {
  if (/\.(pt|pth)$/.test(file)) return readFileSync(join(packageRoot, 'harness/io/testdata/hostile.golden.pt'));
  const bytes = Buffer.from(readFileSync(file));
  // Of .safetensors the length of the header; of an archive the place of its directory.
  if (file.endsWith('.safetensors')) bytes.writeBigUInt64LE(2n ** 60n, 0);
  else bytes.writeUInt32LE(0xfffffff0, bytes.length - 6);
  return bytes;
}

for (const layout of layouts) {
  test(`${layout}: truncated, hostile and misshapen files are refused in one line`, async () => {
    const [name] = casesOf(layout);
    const { given } = expectedOf(layout, name!);
    const damage: [string, (file: string) => Uint8Array][] = [
      ['truncated', (file) => readFileSync(file).subarray(0, Math.floor(statSync(file).size * 0.6))],
      ['hostile', hostile],
      ['empty', () => new Uint8Array(0)],
    ];
    for (const [how, bytes] of damage) {
      const { place, folder } = copyOf(layout, name!, how);
      const file = weightsIn(folder);
      writeFileSync(file, bytes(file));
      const error = await rejection(readAt(place, given));
      assert.instance(error, UserError, `${layout} ${how}: ${error.stack}`);
      assert.not.match(error.message, /\n/);
    }
    for (const wrong of foldersIn(join(DATA, layout)).filter((each) => each.startsWith('wrong_'))) {
      const error = await rejection(readAt(copyOf(layout, wrong, 'wrong').place, given));
      assert.instance(error, UserError, `${layout} ${wrong}: ${error.stack}`);
      assert.match(error.message, /expected .*found/);
    }
  });
}

test.run();
