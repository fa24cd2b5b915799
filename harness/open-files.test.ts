/** @file Wide modules load where few files may be open. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { fewOpenFiles } from './open-files.ts';

const test = suite('open files');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-open-files-'));
test.after(() => rmSync(folder, { recursive: true }));

test('a module with 300 imports loads under ulimit -n 64', () => {
  if (process.platform !== 'linux') {
    console.log('skipped: limits are read from /proc');
    return;
  }
  const names = Array.from({ length: 300 }, (_, i) => `part-${i}.mjs`);
  for (const name of names) writeFileSync(join(folder, name), 'export default 1;');
  const wide = names.map((name, i) => `import p${i} from "./${name}";`);
  const sum = names.map((_, i) => `p${i}`).join(' + ');
  writeFileSync(join(folder, 'wide.mjs'), `${wide.join('')} process.stdout.write(String(${sum}));`);
  const own = new URL('./open-files.ts', import.meta.url).href;
  const main = join(folder, 'main.mjs');
  writeFileSync(
    main,
    `import { boundOpenFiles } from ${JSON.stringify(own)}; boundOpenFiles(); await import("./wide.mjs");`,
  );
  const tsx = import.meta.resolve('tsx');
  const command = 'ulimit -n 64; exec "$0" --import "$1" "$2"';
  const { stdout, stderr } = spawnSync('bash', ['-c', command, process.execPath, tsx, main], { encoding: 'utf8' });
  assert.is(stdout, '300', stderr);
  assert.not.ok(fewOpenFiles());
});

test.run();
