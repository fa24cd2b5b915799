/** @file Every golden checkpoint written in SAELens' or our own layout and read back: the same codes, to the bit where nothing is folded. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Codes, FittedMethod } from '../contract.ts';
import { reconstruct } from '../kit/reconstruct.ts';
import { allclose } from '../num/allclose.ts';
import { initBackend } from '../num/backend.ts';
import { tf } from '../num/tf.ts';
import { packageRoot } from '../paths.ts';
import { openRegistry } from '../registry.ts';
import { mistake, runCommand as run } from '../testing/command-line.ts';
import { restoreSae } from '../train/fitted-sae.ts';
import { readOwnState } from '../train/own-layout.ts';
import { checkpointMethod } from './method.ts';
import { type FoundCheckpoint, openCheckpoint } from './open.ts';

const test = suite('convert');
const DATA = join(packageRoot, 'harness/checkpoints/testdata');
const scratch = mkdtempSync(join(tmpdir(), 'saxbench-convert-'));
test.before(async () => {
  await initBackend('wasm');
});
test.after(() => rmSync(scratch, { recursive: true }));

interface Case {
  layout: string;
  name: string;
  place: string;
  form: string[];
  given?: Record<string, unknown>;
  x: number[];
}

/** Those that neither SAELens nor a variant of ours has a word for. */
const REFUSED: Readonly<Record<string, RegExp>> = {
  'sparsify groupmax': /no word for the activation groupmax, nor has a variant/,
  'switch_sae heaviside':
    /no word for the activation switch, nor has a variant of saxbench for codes that are not multiplied/,
  'vit-prisma tanh': /no word for codes that are a hyperbolic tangent/,
};

const cases: Case[] = readdirSync(DATA, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== '__pycache__')
  .flatMap(({ name: layout }) =>
    readdirSync(join(DATA, layout))
      .filter((file) => file.endsWith('.expected.json'))
      .map((file) => {
        const name = file.slice(0, -'.expected.json'.length);
        const {
          x,
          given,
          at = '',
        } = JSON.parse(readFileSync(join(DATA, layout, file), 'utf8')) as {
          x: number[];
          given?: Record<string, unknown>;
          at?: string;
        };
        const form = Object.entries(given ?? {}).flatMap(([key, value]) => ['--checkpoint-form', `${key}=${value}`]);
        return { layout, name, place: join(DATA, layout, name, at), form, ...(given ? { given } : {}), x };
      }),
  );

const dense = (codes: Codes, n: number): number[] => {
  if (codes.kind === 'dense') return [...codes.values.dataSync()];
  const out = new Array<number>(n * codes.d_sae).fill(0);
  const [k, indices] = [codes.indices.shape[1], codes.indices.dataSync()];
  codes.values.dataSync().forEach((value, p) => {
    if (value !== 0) out[Math.floor(p / k) * codes.d_sae + indices[p]!] = value;
  });
  return out;
};

function numbers(method: FittedMethod, x: number[]) {
  const result = { codes: [] as number[], reconstruction: [] as number[] };
  tf.tidy(() => {
    const n = x.length / method.d_in;
    const rows = tf.tensor2d(x, [n, method.d_in]);
    const codes = method.encode!(rows);
    result.codes = dense(codes, n);
    result.reconstruction = [...reconstruct(method, rows, codes).dataSync()];
  });
  method.dispose();
  return result;
}

async function methodOf(found: FoundCheckpoint): Promise<FittedMethod> {
  if (found.own)
    return restoreSae(await openRegistry().get('sae', found.own.variant), await readOwnState(found.folder));
  return checkpointMethod(await found.read());
}

test('each is read back to the same codes, or refused with the reason', async () => {
  for (const { layout, name, place, form, given, x } of cases) {
    const label = `${layout} ${name}`;
    const out = join(scratch, `${layout}-${name}`);
    const origin = ['--site', 'blocks.1.hook_resid_post', '--subject', 'some-model'];
    const command = ['convert', place, ...form, '--out', out, ...origin];
    const refused = REFUSED[label];
    if (refused) {
      assert.match(await mistake(...command), refused, label);
      continue;
    }
    const { code, said, out: told } = await run(...command);
    assert.is(code, 0, `${label}: ${said}`);
    assert.match(told, /wrote .*(SAELens' layout|own layout)/);
    const { hook_name, model_name } = (await openCheckpoint(place, given)).facts;
    for (const [flag, own] of [
      ['--site blocks.1.hook_resid_post', hook_name],
      ['--subject some-model', model_name],
    ] as const)
      assert.is(said.includes(`convert: ${flag} takes the place of ${own}, which the files say.`), own !== undefined);
    const found = await openCheckpoint(out);
    assert.is(found.facts.hook_name, 'blocks.1.hook_resid_post', label);
    assert.is(found.facts.model_name, 'some-model', label);
    const before = numbers(await methodOf(await openCheckpoint(place, given)), x);
    const after = numbers(await methodOf(found), x);
    allclose(after.codes, before.codes, { atol: 1e-6 }, `${label}: codes`);
    allclose(after.reconstruction, before.reconstruction, { atol: 1e-6 }, `${label}: reconstruction`);
  }
});

test('a folder that holds an SAE is replaced only when asked to; anything else never', async () => {
  const { place } = cases.find(({ layout }) => layout === 'dictionary_learning')!;
  const out = join(scratch, 'twice');
  assert.is((await run('convert', place, '--out', out)).code, 0);
  assert.match(await mistake('convert', place, '--out', out), /holds an SAE; name another folder, or add --overwrite/);
  assert.is((await run('convert', place, '--out', out, '--overwrite')).code, 0);
  assert.match(await mistake('convert', place, '--out', DATA), /expected a new or empty folder; found/);
  const kron = cases.find(({ name }) => name === 'kron')!;
  assert.match(
    await mistake('convert', kron.place, ...kron.form, '--out', join(scratch, 'kron')),
    /needs site and model, which the files do not say: add --site/,
  );
});

test.run();
