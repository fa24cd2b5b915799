import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ChatFormat, ConceptSet, FittedState, LanguageModel, Tensor3D } from '../harness/contract.ts';
import { tf } from '../harness/contract.ts';
import { createRng } from '../harness/kit/index.ts';
import { initBackend } from '../harness/num/backend.ts';
import { memoryActivations, memoryLabelled } from '../harness/testing/activations.ts';
import { refusal } from '../harness/testing/failing.ts';
import { detectionPrompt } from './parts/prompting/wording.ts';
import prompt from './prompt.ts';

const test = suite('baselines/prompt');
test.before(async () => {
  await initBackend('cpu');
});

const VOCAB = 128;

/** Reads characters. Where a prompt's text has k of the sign #, `Y` has the logit k and `N` the logit 1 (yes less no: k − 1). */
function letters({ maxLength = 400, sign = 1, known = VOCAB } = {}): { lm: LanguageModel; seen: string[] } {
  const seen: string[] = [];
  const encode = (text: string) => ({
    ids: [...text].map((letter) => Math.min(letter.charCodeAt(0), known - 1)),
    offsets: [...text].map((_, i) => [i, i + 1] as [number, number]),
  });
  const model: Partial<LanguageModel> = {
    ...{ id: 'letters', type: 'lm', maxLength, sites: [] },
    tokenizer: { vocabSize: VOCAB, specialIds: new Set(), encode, decode: () => '' },
    forward({ n, length, ids }, { places } = {}) {
      const rows = Array.from({ length: n }, (_, i) =>
        String.fromCharCode(...ids.subarray(i * length, (i + 1) * length)),
      );
      seen.push(...[...places!].map((place, i) => rows[i]!.slice(0, (place % length) + 1)));
      const logits = tf.buffer([1, n, VOCAB]);
      rows.forEach((row, i) => {
        logits.set(sign * (row.split('#').length - 1), 0, i, 'Y'.charCodeAt(0));
        logits.set(sign, 0, i, 'N'.charCodeAt(0));
      });
      return { logits: logits.toTensor() as Tensor3D, captured: {} };
    },
  };
  return { lm: model as LanguageModel, seen };
}

const TEXTS = ['###', '####', 'a', '#', 'q? #####', 'q?### b'];
const set: ConceptSet = {
  concepts: [{ id: 'ks', label: 'kites' }],
  // The last two have marked responses: what stands before them is not shown.
  items: TEXTS.map((text, i) => ({ id: `i${i}`, text, ...(i > 3 ? { responseStart: 6 } : {}) })),
  examples: TEXTS.map((_, item) => ({
    ...{ concept: 0, item, split: item < 4 ? ('train' as const) : ('eval' as const) },
    role: item % 4 < 2 ? ('positive' as const) : ('negative' as const),
  })),
};
const activations = memoryActivations(TEXTS.map(() => [[0]]));
const options = { format: 'auto' as const, maxTokens: 256 };

async function fitted(lm: LanguageModel, chat?: ChatFormat, concepts = set, given = options) {
  const around = { options: given, subject: lm, chat: async () => chat };
  const labelled = memoryLabelled(concepts, activations);
  const context = { ...around, rng: createRng(0), activations, labelled, site: 's', progress: () => {} };
  const state: FittedState = await prompt.fit(context);
  const method = prompt.restore(state, { ...around, d_in: 1 });
  const score = (places: number[]) =>
    method.detector!(set.concepts[0]!)!.scoreItems!({ items: set.items, activations }, Uint32Array.from(places));
  return { state, method, score };
}

const calibrationOf = ({ json }: FittedState) =>
  (json as { calibrations: { weight: number; intercept: number }[] }).calibrations[0]!;

test('the log-odds of the next token are calibrated on the training items', async () => {
  const { lm, seen } = letters();
  const { state, score } = await fitted(lm);
  const { weight, intercept } = calibrationOf(state);
  assert.ok(weight > 0);
  assert.is(state.marks, undefined);
  // Log-odds 2, 3, −1 and 0: the regression's gradient is 0 at its end (C = 1, on standardised log-odds).
  const odds = [2, 3, -1, 0];
  const deviation = Math.sqrt(odds.reduce((sum, value) => sum + (value - 1) ** 2 / 4, 0));
  const residuals = odds.map((value, i) => 1 / (1 + Math.exp(-(weight * value + intercept))) - (i < 2 ? 1 : 0));
  const slope = residuals.reduce((sum, r, i) => sum + (r * (odds[i]! - 1)) / deviation, 0) + weight * deviation;
  assert.ok(Math.abs(slope) < 1e-4 && Math.abs(residuals.reduce((sum, r) => sum + r, 0)) < 1e-4, `${slope}`);
  const found = await score([5, 4, 0]);
  // 'b', '##' and '###'.
  for (const [i, value] of [-1, 1, 2].entries()) assert.ok(Math.abs(found[i]! - (weight * value + intercept)) < 1e-5);
  const { before, after } = detectionPrompt(set.concepts[0]!, undefined);
  assert.ok(seen.includes(`${before}####${after} `), 'what both answers begin with is in the prompt');
  assert.ok(/kites/.test(after) && !/#/.test(before + after));
});

test('a subject that says yes where the concept is not is turned, and that is said', async () => {
  const { state, score } = await fitted(letters({ sign: -1 }).lm);
  assert.is(state.marks![0]!.code, 'answers-inverted');
  const [high, low] = await score([1, 2]);
  assert.ok(high! > low!);
});

test("the subject's own chat format is used where it has one, unless plain is asked for", async () => {
  const chat: ChatFormat = {
    digest: '',
    literal: (text) => text.replaceAll('<', '('),
    render: ([message], more) => `<u>${message!.content}</u>${more?.addGenerationPrompt ? '<a>' : ''}`,
  };
  const own = letters();
  await fitted(own.lm, chat);
  assert.ok(own.seen.every((text) => text.startsWith('<u>') && text.endsWith('</u><a>')));
  const plain = letters();
  await fitted(plain.lm, chat, set, { ...options, format: 'plain' as 'auto' });
  assert.ok(plain.seen.every((text) => !text.includes('<u>')));
});

test('texts are cut, the question never is', async () => {
  const long = {
    ...set,
    items: set.items.map((item, i) => (i < 4 ? { ...item, text: item.text!.padEnd(500, 'z') } : item)),
  };
  const { lm, seen } = letters({ maxLength: 160 });
  await fitted(lm, undefined, long);
  assert.ok(seen.every((text) => text.length <= 160 && text.includes('kites') && text.endsWith('Answer: ')));
  const few = letters();
  await fitted(few.lm, undefined, long, { ...options, maxTokens: 8 });
  assert.ok(few.seen.some((text) => text.includes('\n###zzzzz\n')));
});

test('constant answers give equal scores; hostile subjects and data are refused', async () => {
  const { score } = await fitted(letters({ sign: 0 }).lm);
  const [a, b] = await score([0, 2]);
  assert.is(a, b);
  assert.match(await refusal(fitted(letters({ maxLength: 60 }).lm)), /room for a text beside the question/);
  assert.match(await refusal(fitted(letters({ known: 40 }).lm)), /tells ' Yes' from ' No'/);
  assert.match(await refusal(fitted(letters({ sign: Number.NaN }).lm)), /expected finite logits/);
  const one = { ...set, examples: set.examples.filter(({ role }) => role === 'positive') };
  assert.match(await refusal(fitted(letters().lm, undefined, one)), /0 negatives/);
  const untold = { ...set, items: set.items.map(({ id }) => ({ id })) };
  assert.match(await refusal(fitted(letters().lm, undefined, untold)), /item 'i0': expected a text/);
  const clip = { ...letters().lm, type: 'clip' };
  assert.match(await refusal(fitted(clip as never)), /found a subject of type 'clip'/);
});

test('a label that says a special token does not end the message in which the concept is asked for', async () => {
  const chat: ChatFormat = {
    digest: '',
    literal: (text) => text.replaceAll('<', '('),
    render: ([message], more) => `<u>${message!.content}</u>${more?.addGenerationPrompt ? '<a>' : ''}`,
  };
  const tags = { ...set, concepts: [{ id: 'ks', label: 'the </u> tag' }] };
  const { method } = await fitted(letters().lm, chat, tags);
  const asked = method.ask!(tags.concepts[0]!, { id: 'p', text: '<u>Once</u><a>' });
  assert.ok(asked.includes('the (/u> tag') && asked.split('</u>').length === 2, asked);
  const plain = await fitted(letters().lm, undefined, tags);
  assert.ok(plain.method.ask!(tags.concepts[0]!, { id: 'p', text: 'Once' }).includes('the </u> tag'));
});

test('steering asks for the concept before the prompt', async () => {
  const { method } = await fitted(letters().lm);
  const asked = method.ask!(set.concepts[0]!, { id: 'p', text: 'Once' });
  assert.ok(asked.startsWith('Bring') && asked.includes('kites') && asked.endsWith('\n\nOnce'));
  const chat: ChatFormat = {
    digest: '',
    literal: (text) => text,
    render: ([message], more) => `<u>${message!.content}</u>${more?.addGenerationPrompt ? '<a>' : ''}`,
  };
  const own = (await fitted(letters().lm, chat)).method.ask!;
  const framed = own(set.concepts[0]!, { id: 'p', text: '<u>Once</u><a>' });
  assert.ok(framed.startsWith('<u>Bring') && framed.endsWith('\n\nOnce</u><a>'), framed);
  assert.ok(own(set.concepts[0]!, { id: 'p', text: 'Once</u><a>' }).startsWith('Bring'));
});

test.run();
