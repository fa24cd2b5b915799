/** @file What is to be known of a method is said once: below its table, or as a warning where no table is printed. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeNpy } from '../io/npy.ts';
import { createRng } from '../num/rng.ts';
import { runCommand as run } from '../testing/command-line.ts';

const test = suite('warnings of a run');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-warnings-'));
test.after(() => rmSync(folder, { recursive: true }));
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

test('once, whether or not the table is printed', async () => {
  await writeNpy(join(folder, 'x.npy'), [400, 8], createRng(1).fillNormal(new Float32Array(400 * 8)));
  write('activations.json', '{"files":["x.npy"],"modality":"image"}');
  write(
    'odd.ts',
    `import { defineBaseline, tf } from 'saxbench';
     export default defineBaseline({ id: 'odd', title: 'Odd', version: 1, options: {}, needs: 'nothing', seeded: false,
       async fit() { return { tensors: {}, marks: [{ code: 'odd', message: 'It is odd.' }] }; },
       restore: (_state, { d_in }) => ({ d_in, d_sae: d_in, sparse: false,
         encode: (x) => ({ kind: 'dense', values: tf.clone(x) }), decode: (codes) => tf.clone(codes.values), dispose() {} }) });`,
  );
  write(
    's.json',
    JSON.stringify({
      ...{ id: 's', title: 't', methods: [{ id: 'odd' }], tasks: [{ id: 'reconstruction' }] },
      subjects: [{ sites: ['imported'], activations: { from: '.' } }],
    }),
  );
  const places = ['out', 'store'].flatMap((name) => [`--${name}`, join(folder, name)]);
  const asked = ['run', join(folder, 's.json'), '--plugin', join(folder, 'odd.ts'), ...places, '--backend', 'cpu'];
  const table = await run(...asked, '--no-progress');
  assert.is(`${table.out}${table.said}`.split('It is odd.').length, 2, table.said);
  assert.match(table.out, /^⚠ odd: It is odd\.$/m);
  const json = await run(...asked, '--no-progress', '--json');
  assert.is(json.said.split('It is odd.').length, 2);
  assert.match(json.said, /^warning: .* odd: It is odd\.$/m);
});

test.run();
