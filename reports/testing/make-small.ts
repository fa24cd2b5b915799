/**
 * @file `npm run report-fixtures`: runs `small.json`, and writes its results to `small.jsonl` beside it, one a line. The
 * tests of reports read that file: run this again when the format of results changes, or what a task shows. Left out are
 * `details`, which no report reads, and the places of the run on this machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../harness/paths.ts';
import { sealed } from '../../harness/results.ts';
import type { Result } from '../../harness/schema/result.generated.ts';
import { loadResults } from '../index.ts';

const SUITE = 'reports/testing/small.json';
const OUT = fileURLToPath(new URL('small.jsonl', import.meta.url));

function withoutPlaces({ details: _details, provenance, ...result }: Result): Result {
  const { git: _git, ...made } = provenance;
  return sealed({ ...result, provenance: { ...made, arguments: { passed: ['run', SUITE], resolved: {} } } });
}

const folder = await mkdtemp(join(tmpdir(), 'saxbench-fixtures-'));
try {
  const args = ['run', SUITE, '--out', folder, '--store', join(folder, 'store'), '--no-progress'];
  execFileSync(process.execPath, [join(packageRoot, 'dist/harness/cli.js'), ...args], {
    cwd: packageRoot,
    stdio: 'inherit',
  });
  const { results } = await loadResults(folder);
  await writeFile(OUT, results.map((result) => `${JSON.stringify(withoutPlaces(result))}\n`).join(''));
} finally {
  await rm(folder, { recursive: true });
}
