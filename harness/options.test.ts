/** @file Options of plug-ins: defaults, typos, ranges; the given object stays as it is. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { resolveOptions, SIZE_OPTIONS } from './options.ts';
import { sharedAjv } from './schema/validate.ts';
import { refusal } from './testing/failing.ts';

const test = suite('options');
const schema = {
  k: { type: 'integer', minimum: 1, default: 32, description: 'Latents an input.' },
  mode: { enum: ['fast', 'exact'], default: 'fast', description: 'How.' },
  name: { type: 'string', description: 'No default.' },
};

const messageOf = (given: Record<string, unknown>) => refusal(resolveOptions(schema, given, 'suite s: method topk'));

test('defaults are filled in, the given object is not changed', async () => {
  const given = { k: 8 };
  assert.equal(await resolveOptions(schema, given, ''), { k: 8, mode: 'fast' });
  assert.equal(given, { k: 8 });
  assert.equal(await resolveOptions(schema, undefined, ''), { k: 32, mode: 'fast' });
});

test('mistakes are one line with the mend', async () => {
  const expected =
    "suite s: method topk: its list of options has an unknown key 'kk'. Did you mean: k? Known: k, mode, name.";
  assert.is(await messageOf({ kk: 1 }), expected);
  assert.match(await messageOf({ k: 0 }), /k: expected a value that must be >= 1; found 0/);
  assert.match(await messageOf({ k: 1.5 }), /k: expected integer; found 1.5/);
  assert.match(
    await messageOf({ mode: 'exakt' }),
    /mode: expected one of fast, exact; found "exakt". Did you mean: exact/,
  );
});

test('sizes of SAEs', async () => {
  assert.equal(await resolveOptions(SIZE_OPTIONS, {}, ''), { expansion: 8 });
  assert.equal(await resolveOptions(SIZE_OPTIONS, { d_sae: 100 }, ''), { d_sae: 100, expansion: 8 });
});

test('a schema that is put together anew each time is compiled once', async () => {
  const ajv = await sharedAjv();
  const { compile } = ajv;
  let compiled = 0;
  ajv.compile = (...given: Parameters<typeof compile>) => {
    compiled++;
    return compile.apply(ajv, given) as never;
  };
  try {
    for (let i = 0; i < 5; i++)
      await resolveOptions({ ...SIZE_OPTIONS, met: { type: 'integer', description: '' } }, {}, '');
  } finally {
    ajv.compile = compile;
  }
  assert.is(compiled, 1);
});

test('a schema that is none is the plug-in’s fault, by name', async () => {
  try {
    await resolveOptions({ k: { type: 'whole', description: '' } }, {}, 'task mine');
    assert.unreachable();
  } catch (error) {
    assert.match((error as Error).message, /^task mine: the plug-in's own schema of options is not valid/);
  }
});

test.run();
