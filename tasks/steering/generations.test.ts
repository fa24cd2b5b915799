/** @file Steered generations: their likelihood by the stream recorded while they came about is that of a pass of its own. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type FittedMethod, type LanguageModel, type Tensor3D, tf } from '../../harness/contract.ts';
import { packageRoot } from '../../harness/kit/index.ts';
import { initBackend } from '../../harness/num/backend.ts';
import llama from '../../models/subjects/llama.ts';
import { type GenerationRow, generateAll } from './generations.ts';
import type { Steering } from './interventions.ts';
import { textLikelihoods } from './texts.ts';

const test = suite('tasks/steering/generations');
let subject: LanguageModel;
const site = { name: 'blocks.1.hook_resid_post', d: 128 };
const options = { maxNewTokens: 9, temperature: 1, seed: 3, progress: () => {} };
const method = { d_in: 128, dispose() {} } as FittedMethod;

const prompts = ['Write about the moon.\n', 'Tell me.\n', 'Describe the sea and all the fish in it.\n'];
let rows: (GenerationRow & { steering: Steering })[];

test.before(async () => {
  await initBackend();
  subject = (await llama.load(join(packageRoot, 'models/pretrained/tiny-lm-planted'), {
    id: 'tiny-lm-planted',
  })) as LanguageModel;
  rows = prompts.flatMap((text, p) =>
    [0, 12].map((strength, s) => {
      const vector = Float32Array.from({ length: 128 }, (_, j) => Math.sin(j + p));
      return {
        prompt: subject.tokenizer.encode(text).ids,
        stream: 2 * p + s,
        steering: { kind: 'add' as const, vector, strength },
      };
    }),
  );
});
test.after(() => subject.dispose());

test('a batch has room for so many tokens; its texts are what they are in any other', async () => {
  const batches: number[][] = [];
  const counted: LanguageModel = {
    ...subject,
    generate(asked, own) {
      batches.push(asked.map((prompt) => prompt.length));
      return subject.generate(asked, own);
    },
  };
  const together = await generateAll(subject, site, rows, method, options);
  // So wide a stream leaves room for 64 tokens.
  const apart = await generateAll(counted, { ...site, d: 2 ** 17 }, rows, method, options);
  assert.equal(
    apart.map(({ text }) => text),
    together.map(({ text }) => text),
  );
  assert.ok(batches.length > 1 && batches.some((lengths) => lengths.length > 1));
  for (const lengths of batches) {
    const padded = lengths.length * (Math.max(...lengths) + options.maxNewTokens);
    assert.ok(lengths.length === 1 || padded <= 64, `${lengths.length} texts of up to ${padded / lengths.length}`);
  }
});

test('a method’s own change: rows of one change together, each as strong as it says, measured under the subject as it is', async () => {
  const seen: number[][] = [];
  const adding = (sign: number) => (strengths: readonly number[]) => {
    seen.push([...strengths]);
    const factors = tf.tensor3d(Float32Array.from(strengths), [strengths.length, 1, 1]);
    const step = (x: Tensor3D) => tf.add(x, tf.mul(factors, sign)) as Tensor3D;
    return { interventions: [{ site: 'blocks.0.hook_resid_post', apply: step }] };
  };
  const [first, second] = [adding(1), adding(-1)];
  const own: GenerationRow[] = rows.map(({ prompt, stream }, i) => {
    return { prompt, stream, steering: { kind: 'own', change: i < 4 ? first : second, strength: i % 2 } };
  });
  const texts = await generateAll(subject, site, own, method, options);
  assert.equal(seen, [
    [0, 1, 0, 1],
    [0, 1],
  ]);
  const plain = await generateAll(
    subject,
    site,
    rows.map(({ prompt, stream }) => ({ prompt, stream })),
    undefined,
    options,
  );
  texts.forEach((text, i) => {
    if (i % 2 === 0) assert.equal(text, plain[i], 'strength 0 is no steering');
  });
  assert.ok(texts.some(({ text }, i) => i % 2 === 1 && text !== plain[i]!.text));
  const [strong] = await textLikelihoods(
    subject,
    [{ prompt: own[1]!.prompt, ids: subject.tokenizer.encode(texts[1]!.text, { addSpecialTokens: false }).ids }],
    {},
  );
  assert.ok(Math.abs(strong!.nll - texts[1]!.nll) < 1e-3, 'likelihood is of the clean subject');
});

test('prompts of different lengths, strong and no steering', async () => {
  const before = tf.memory().numTensors;
  let passes = 0;
  const counted: LanguageModel = {
    ...subject,
    forward(...given) {
      passes++;
      return subject.forward(...given);
    },
  };
  const texts = await generateAll(counted, site, rows, method, options);
  assert.is(passes, 0, 'no pass from the beginning');
  assert.is(tf.memory().numTensors, before);
  const ids = await subject.generate(
    rows.map(({ prompt }) => prompt),
    {
      ...{ maxNewTokens: 9, temperature: 1, seed: 3, streams: rows.map(({ stream }) => stream) },
      interventions: [
        {
          site: site.name,
          apply: (x) =>
            tf.add(
              x,
              tf.stack(rows.map(({ steering }) => tf.mul(tf.tensor2d(steering!.vector, [1, 128]), steering!.strength))),
            ),
        },
      ],
    },
  );
  const expected = await textLikelihoods(
    subject,
    rows.map(({ prompt }, i) => ({ prompt, ids: ids[i]! })),
  );
  const nlls = texts.map(({ nll }) => nll);
  assert.ok(Math.max(...nlls) > 2 * Math.min(...nlls), `likely and unlikely texts: ${nlls}`);
  texts.forEach(({ text, tokens, nll }, i) => {
    assert.is(text, subject.tokenizer.decode(ids[i]!, { skipSpecialTokens: true }));
    assert.is(tokens, ids[i]!.length);
    assert.ok(Math.abs(nll - expected[i]!.nll) < 1e-4, `${nll} is not ${expected[i]!.nll}`);
  });
});

test('a text that came up before is not measured again', async () => {
  const measured: number[] = [];
  const counted: LanguageModel = {
    ...subject,
    forwardFrom(...given) {
      measured.push(given[2].n);
      return subject.forwardFrom!(...given);
    },
  };
  const known = new Map<string, Map<string, number>>();
  const run = (wanted: GenerationRow[]) => generateAll(counted, site, wanted, method, { ...options, known });
  const [first, second, third] = rows as [GenerationRow, GenerationRow, GenerationRow];
  const once = await run([first, second, first, third]);
  assert.equal(measured, [3]);
  assert.equal(once[2], once[0]);
  assert.is.not(once[1]!.nll, once[0]!.nll);
  // The same way but for the order; then one prompt alone, whose new tokens stand in other columns.
  assert.equal(await run([third, second, first]), [once[3], once[1], once[0]]);
  assert.equal(measured, [3]);
  const alone = await run([third]);
  assert.equal(measured, [3, 1]);
  assert.is(alone[0]!.text, once[3]!.text);
  assert.ok(Math.abs(alone[0]!.nll - once[3]!.nll) < 1e-4);
});

test('a site that does not decide what follows is measured by passes of their own', async () => {
  const inner = { name: 'blocks.1.hook_mlp_out', d: 128 };
  const texts = await generateAll(subject, inner, rows.slice(0, 2), method, options);
  assert.is(texts.length, 2);
  assert.ok(texts.every(({ tokens, nll }) => tokens > 0 && nll > 0));
});

test.run();
