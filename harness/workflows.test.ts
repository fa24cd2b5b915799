/** @file What workflows may do: read, without secrets, and never run what somebody sent in with rights that it has not. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from './paths.ts';

const test = suite('workflows');

const FOLDER = join(packageRoot, '.github/workflows');

interface Workflow {
  on?: unknown;
  permissions?: unknown;
  jobs: Record<string, { permissions?: unknown }>;
}

/** What is wrong with the text of a workflow. */
function complaints(text: string): string[] {
  const { on, permissions, jobs } = load(text) as Workflow;
  const triggers = typeof on === 'string' ? [on] : Array.isArray(on) ? on : Object.keys(on ?? {});
  return [
    ...(triggers.length === 0 ? ['no trigger'] : []),
    ...triggers.filter((name) => ['pull_request_target', 'workflow_run', 'issue_comment'].includes(name)),
    ...(JSON.stringify(permissions) === '{"contents":"read"}' ? [] : ['permissions']),
    ...Object.entries(jobs).flatMap(([name, job]) => (job.permissions === undefined ? [] : [`permissions of ${name}`])),
    ...(/\bsecrets\b/.test(text) ? ['secrets'] : []),
    ...(/\b(submit|verify)\b|reports\/submissions/.test(text) ? ['runs submissions'] : []),
  ];
}

test('workflows read, and nothing else', () => {
  const files = readdirSync(FOLDER).filter((name) => /\.ya?ml$/.test(name));
  assert.ok(files.length > 0);
  for (const name of files) assert.equal(complaints(readFileSync(join(FOLDER, name), 'utf8')), [], name);
});

test('a workflow that does more is noticed', () => {
  const text = readFileSync(join(FOLDER, 'ci.yml'), 'utf8');
  assert.equal(complaints(text.replace('pull_request:', 'pull_request_target:')), ['pull_request_target']);
  assert.equal(complaints(text.replace('contents: read', 'contents: write')), ['permissions']);
  assert.equal(complaints(text.replace('permissions:\n  contents: read\n', '')), ['permissions']);
  assert.equal(complaints(`${text}\n# \${{ secrets.TOKEN }}\n`), ['secrets']);
  assert.equal(complaints(text.replace('bash .ci/run', 'npx saxbench verify x.json')), ['runs submissions']);
});

test.run();
