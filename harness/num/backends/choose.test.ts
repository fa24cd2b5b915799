/** @file The order of choice with and without a device for which a backend comes first. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Attempt, candidates, choose } from './choose.ts';
import type { BackendChoice, BackendName } from './names.ts';

const test = suite('num/backends/choose');

const running = (device: string, leads?: boolean): Attempt => ({
  says: { device, version: '1', detail: '', arithmetic: '' },
  ...(leads === undefined ? {} : { leads }),
});
const missing: Attempt = { reason: 'missing', mend: 'install it' };

/** What is chosen, and the names before it, where TensorFlow is on a GPU, on a CPU or missing. */
async function chosen(
  tensorflow: Attempt,
  { device = false, choice = 'auto' as BackendChoice, native = running('CPU') } = {},
) {
  const tried: BackendName[] = [];
  const all: Record<BackendName, Attempt> = { tensorflow, native, wasm: running('CPU'), cpu: missing, webgpu: missing };
  const wanted = candidates(choice, (name) => device && name === 'tensorflow');
  const { chosen, rejected } = await choose(wanted, async (name) => {
    tried.push(name);
    return all[name];
  });
  return { name: chosen?.name, rejected, tried };
}

test('on a CPU native comes before TensorFlow, which is not even loaded', async () => {
  assert.equal(await chosen(running('CPU', false)), { name: 'native', rejected: [], tried: ['native'] });
});

test('with a CUDA device TensorFlow is first, and passed over where it does not use it', async () => {
  const gpu = await chosen(running('GPU', true), { device: true });
  assert.equal(gpu, { name: 'tensorflow', rejected: [], tried: ['tensorflow'] });
  const onCpu = await chosen(running('a CPU', false), { device: true });
  assert.is(onCpu.name, 'native');
  assert.equal(onCpu.rejected, [
    {
      name: 'tensorflow',
      reason: 'computes on a CPU, where native is faster',
      mend: '--backend tensorflow takes it all the same',
    },
  ]);
  assert.equal((await chosen(missing, { device: true })).rejected, [{ name: 'tensorflow', ...missing }]);
});

test('without native TensorFlow on a CPU is taken, and is not named among the rejected', async () => {
  for (const device of [false, true]) {
    const { name, rejected } = await chosen(running('CPU', false), { device, native: missing });
    assert.is(name, 'tensorflow');
    assert.equal(rejected, [{ name: 'native', ...missing }]);
  }
  assert.is((await chosen(missing, { native: missing })).name, 'wasm');
});

test('by name that one alone, wherever it computes', async () => {
  const asked = await chosen(running('CPU', false), { device: true, choice: 'tensorflow' });
  assert.equal(asked, { name: 'tensorflow', rejected: [], tried: ['tensorflow'] });
  assert.equal((await chosen(missing, { choice: 'webgpu' })).rejected, [{ name: 'webgpu', ...missing }]);
});

test.run();
