/** @file Schemas: generated types are current, a minimal document passes, every mistake is one telling line. */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { MetricDefinition, TaskDisplay } from '../contract/task.ts';
import { refusal } from '../testing/failing.ts';
import type { ResultDisplay } from './display.generated.ts';
import { schemaFiles, typesOf } from './generate.ts';
import type { ResultMetricDefinition } from './metric-definition.generated.ts';
import { validate } from './validate.ts';

const test = suite('schema');

const minimal = () => ({
  id: 'small',
  title: 'Small',
  subjects: [{ id: 'tiny-lm-planted', sites: ['blocks.0.hook_resid_post'], dataset: { id: 'text-world' } }],
  methods: [{ id: 'topk', options: { k: 4 } }],
  tasks: [{ id: 'reconstruction' }],
});

const messageOf = (schema: 'suite' | 'result' | 'sae-config', value: unknown) =>
  refusal(validate(schema, value, 'suite small'));

for (const { schema, types } of schemaFiles()) {
  test(`types of ${schema.split('/').pop()} are current`, async () => {
    assert.is(readFileSync(types, 'utf8'), await typesOf(schema));
  });
}

/** true for one type in two places: assignable both ways alone, one may have fields that the other leaves out. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

test('what a task declares and what results keep of it are the same types, or this does not compile', () => {
  const display: Same<TaskDisplay, ResultDisplay> = true;
  // Results may leave the description to the task: the reference does.
  type WithoutText<T> = Omit<T, 'description'>;
  const metric: Same<WithoutText<MetricDefinition>, WithoutText<ResultMetricDefinition>> = true;
  assert.ok(display && metric);
});

test('a minimal suite passes and gets its defaults', async () => {
  const value = await validate('suite', minimal(), 'suite small');
  assert.equal(value.seeds, [0]);
  assert.is(value.subjects[0]!.dataset!.seed, 0);
});

const mistakes: [string, (suite: Record<string, unknown> & ReturnType<typeof minimal>) => void, RegExp][] = [
  [
    'a typo in a key',
    (s) => Object.assign(s, { mehtods: [] }),
    /the top level has an unknown key 'mehtods'\. Did you mean: methods\?/,
  ],
  [
    'a typo deep down',
    (s) => Object.assign(s.methods[0]!, { traning: {} }),
    /methods\[0\] has an unknown key 'traning'\. Did you mean: training\? Known: anyOrigin, form, grid, id, labels, name, options/,
  ],
  ['a missing key', (s) => Reflect.deleteProperty(s, 'tasks'), /the top level lacks the key 'tasks'/],
  ['a wrong type', (s) => Object.assign(s, { seeds: ['a'] }), /seeds\[0\]: expected integer; found "a"/],
  [
    'a wrong choice',
    (s) => Object.assign(s.subjects[0]!, { activations: { dtype: 'float23' } }),
    /subjects\[0\]\.activations\.dtype: expected one of float32, float16; found "float23"\. Did you mean: float16, float32\?/,
  ],
  [
    'a number out of range',
    (s) => Object.assign(s.methods[0]!, { training: { lr: 0 } }),
    /methods\[0\]\.training\.lr: expected a value that must be > 0; found 0/,
  ],
  [
    'an empty list',
    (s) => Object.assign(s, { tasks: [] }),
    /tasks: expected a value that must NOT have fewer than 1 items; found \[\]/,
  ],
  [
    'a site that would leave the results folder',
    (s) => Object.assign(s.subjects[0]!, { sites: ['../../etc'] }),
    /subjects\[0\]\.sites\[0\]: expected a value that must match pattern/,
  ],
];
for (const [what, change, expected] of mistakes) {
  test(`suite with ${what}`, async () => {
    const value = minimal() as never;
    change(value);
    const message = await messageOf('suite', value);
    assert.match(message, expected);
    assert.match(message, /^suite small: [^\n]*[.?]$/);
  });
}

test('an SAE config without sizes', async () => {
  assert.match(await messageOf('sae-config', { architecture: 'topk', d_in: 4 }), /lacks the key 'd_sae'/);
});

test('not an object', async () => {
  assert.match(await messageOf('suite', []), /the top level: expected object; found \[\]/);
});

test('a document of too many values is refused before ajv makes an error of each', async () => {
  const methods = Array.from({ length: 2_000_000 }, () => 1);
  const error = await validate('suite', { id: 'x', methods }, 'suite x').catch((found: Error) => found);
  assert.is((error as Error).message, 'suite x: expected a document of at most 30000 values, found 2000003.');
});

test.run();
