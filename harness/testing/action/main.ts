/**
 * @file `npm run nightly-action`: the steps of action.yml on a small suite with a variant of its own: a first run, a second of
 * the same code, and one whose variant was broken. The first two must be green, the third red. Exit status 1 when not.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../paths.ts';
import { runAction } from './action.ts';

const SUITE = {
  ...{ id: 'tiny', title: 'A variant on tiny-lm', seeds: [0, 1, 2, 3], failIf: ['main worsens at 95%'] },
  subjects: [
    {
      ...{ id: 'tiny-lm-planted', sites: ['blocks.2.hook_resid_post'] },
      dataset: { id: 'text-world', options: { train: 8, eval: 6 } },
      activations: { train: 120, test: 40 },
      training: { tokens: 8000 },
    },
  ],
  methods: [{ id: 'my-sae', options: { d_sae: 256, k: 16 } }],
  tasks: [{ id: 'reconstruction', options: { documents: 24 } }],
};

/** The scaffold's variant, and the same with one line that was got wrong: what is read is a fifth too small. */
const variant = readFileSync(join(packageRoot, 'harness/scaffold/sae/starter.ts'), 'utf8').replaceAll(
  'starter',
  'my-sae',
);
const broken = variant.replace(
  'values: encode(params, x, options) }),',
  'values: encode(params, tf.mul(x, 0.8) as Tensor2D, options) }),',
);
if (broken === variant) throw new Error('the scaffold of SAEs has no longer the line that is broken here');

const folder = mkdtempSync(join(tmpdir(), 'saxbench-nightly-'));
const failures: string[] = [];
try {
  const plugin = join(folder, 'my-sae.ts');
  writeFileSync(join(folder, 'tiny.json'), JSON.stringify(SUITE));
  const job = (text: string) => {
    writeFileSync(plugin, text);
    const inputs = {
      suite: './tiny.json',
      arguments: '--plugin ./my-sae.ts',
      command: `node ${join(packageRoot, 'dist/harness/cli.js')}`,
    };
    return runAction(folder, inputs);
  };
  const expected: [string, string, number, RegExp][] = [
    ['first run', variant, 0, /no baseline yet/],
    ['same code', variant, 0, /equal bit by bit/],
    [
      'broken variant',
      broken,
      1,
      /::error title=main worsens at 95%25::tiny-lm-planted .* my-sae explained_variance: -/,
    ],
    ['mended', variant, 0, /# Comparison: passed/],
  ];
  for (const [name, text, code, pattern] of expected) {
    const started = Date.now();
    const { code: found, output, summary } = job(text);
    const fine = found === code && pattern.test(output);
    console.log(
      `${name}: exit code ${found}, expected ${code}${fine ? '' : ': FAILED'} (${((Date.now() - started) / 1000).toFixed(1)} s)`,
    );
    if (!fine) failures.push(`${name}:\n${output}\n${summary}`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
for (const failure of failures) console.error(failure);
process.exitCode = failures.length > 0 ? 1 : 0;
