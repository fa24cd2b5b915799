/** @file Patches of shared tokens: nothing changes where nothing differs, other documents' states change what is written. */
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type LanguageModel, tf } from '../../../../harness/contract.ts';
import { createRng } from '../../../../harness/kit/index.ts';
import { initBackend } from '../../../../harness/num/backend.ts';
import { createChains } from '../../../../tasks/worlds/text-world/chain.ts';
import { tokenCounter } from '../../../../tasks/worlds/text-world/token-count.ts';
import { createTextWorld } from '../../../../tasks/worlds/text-world/world.ts';
import mistral from '../../../subjects/mistral.ts';
import { gateCases } from './gate.ts';
import { continuations } from './patched-lm.ts';
import { textLosses } from './text-losses.ts';

const test = suite('tiny-lm-chain patches');
let subject: LanguageModel;

test.before(async () => {
  await initBackend();
  subject = (await mistral.load(fileURLToPath(new URL('..', import.meta.url)), {
    id: 'tiny-lm-chain',
  })) as LanguageModel;
});
test.after(() => subject.dispose());

const world = createTextWorld();
const chains = createChains(world.concepts, world.topics);
const cases = gateCases(world, chains, createRng('patches'), 6, { shared: 16, lengthOf: tokenCounter() });
const recipients = cases.map(({ recipient }) => recipient);
const donors = cases.map(({ donor }) => donor);
const tokens = cases.map((each) => each.tokens);

test('a text’s own activations, and embeddings of the same tokens, change nothing; those of later blocks do', async () => {
  const goOn = continuations(subject, { maxNewTokens: 12, seed: 1 });
  const clean = await goOn(recipients);
  const before = tf.memory().numTensors;
  assert.equal(await goOn(recipients, { site: 'blocks.1.hook_resid_post', donors: recipients, tokens }), clean);
  assert.equal(await goOn(recipients, { site: 'blocks.0.hook_resid_pre', donors, tokens }), clean);
  assert.is.not((await goOn(recipients, { site: 'blocks.1.hook_resid_post', donors, tokens })).join(), clean.join());
  assert.is(tf.memory().numTensors, before);
});

test('the patched tokens of a case are those of its shared end; more than a text has are refused', async () => {
  const idsOf = (text: string) => [...subject.tokenizer.encode(text).ids];
  cases.forEach(({ recipient, donor, shared, tokens: count }) => {
    assert.equal(idsOf(recipient).slice(-count), idsOf(donor).slice(-count));
    assert.is(subject.tokenizer.decode(idsOf(recipient).slice(-count)), shared);
  });
  const goOn = continuations(subject, { maxNewTokens: 1, seed: 1 });
  let message = '';
  await goOn(recipients, { site: 'blocks.1.hook_resid_post', donors, tokens: [400, ...tokens.slice(1)] }).catch(
    (error: Error) => {
      message = error.message;
    },
  );
  assert.match(message, /patch: row 0: expected at most \d+ tokens, found 400/);
});

test('the loss of texts is that of the tokens one by one, tags and padding left out', () => {
  const texts = ['Describe the moon.\n', 'Describe the moon.\n<|soup|>The moon'];
  const tag = subject.tokenizer.encode('<|soup|>', { addSpecialTokens: false }).ids;
  assert.is(tag.length, 1);
  const losses = textLosses(subject, texts, 1536);
  texts.forEach((text, row) => {
    const ids = [...subject.tokenizer.encode(text).ids, subject.tokenizer.eosId!];
    const logs = tf.tidy(() => {
      const batch = { n: 1, length: ids.length, ids: Int32Array.from(ids), mask: new Uint8Array(ids.length).fill(1) };
      return tf.logSoftmax(subject.forward(batch).logits!).arraySync() as number[][][];
    })[0]!;
    const each = ids.slice(1).map((id, t) => (id >= 1536 ? 0 : -logs[t]![id]!));
    assert.is(losses[row]!.tokens, ids.length - 1 - row);
    assert.ok(Math.abs(losses[row]!.sum - each.reduce((a, b) => a + b, 0)) < 1e-3);
  });
});

test.run();
