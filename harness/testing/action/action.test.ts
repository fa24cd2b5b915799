/** @file What the action and the workflows must hold to be safe to use: what they run is run by `npm run nightly-action`. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { packageRoot } from '../../paths.ts';
import { readAction } from './action.ts';

const test = suite('action');
const { inputs, runs } = readAction();

test('inputs reach scripts as variables: their text is never part of one', () => {
  for (const { name, run } of runs.steps) assert.not.match(run ?? '', /\$\{\{/, name);
});

test('every input is used and has a default; steps of others have a fixed version', () => {
  const text = readFileSync(join(packageRoot, 'action.yml'), 'utf8');
  for (const [name, input] of Object.entries(inputs)) {
    assert.type(input.default, 'string', name);
    assert.match(text, new RegExp(`inputs\\.${name}\\b`));
  }
  for (const { uses } of runs.steps) assert.match(uses ?? 'a@v1', /^[\w./-]+@v\d+$/);
});

test('the last step fails the job after the report is uploaded', () => {
  assert.is(runs.steps.at(-1)!.run, 'exit "$CODE"');
  assert.match(runs.steps.at(-2)!.uses!, /upload-artifact/);
  assert.is(runs.steps.at(-2)!.if, 'always()');
});

test('workflows may read the contents and nothing else, and never run with the rights of another', () => {
  const folder = join(packageRoot, '.github/workflows');
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    assert.match(text, /^permissions:\n {2}contents: read\n(?! )/m, name);
    assert.not.match(text, /pull_request_target|write/, name);
  }
});

test.run();
