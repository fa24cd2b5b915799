/** @file Instructions with responses in the subject's own chat format, plainly, and in Gemma's. */
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openChatFormat } from '../../harness/io/chat-format.ts';
import { loadTokenizer } from '../../harness/io/tokenizer.ts';
import { packageRoot } from '../../harness/paths.ts';
import { inFolder } from '../../harness/testing/failing.ts';
import { conversationFormat } from './parts/conversation.ts';

const test = suite('tasks/datasets/conversation');

const LLAMA =
  "{{ bos_token }}{% for message in messages %}{{ '[' + message['role'] + '] ' + message['content'] | trim + eos_token }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '[assistant] ' }}{% endif %}";
/** A space before the response that no prompt ends with. */
const MISTRAL =
  "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}{{ '[INST] ' + message['content'] + '[/INST]' }}" +
  "{% else %}{{ ' ' + message['content'] | trim + eos_token }}{% endif %}{% endfor %}";

/** A folder with the tokenizer of tiny-lm-planted, and a chat template if one is given. */
async function modelWith(folder: string, template?: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const file of ['tokenizer.json', 'tokenizer_config.json']) {
    await copyFile(join(packageRoot, 'models/pretrained/tiny-lm-planted', file), join(folder, file));
  }
  if (template !== undefined) await writeFile(join(folder, 'chat_template.jinja'), template);
  return folder;
}

const context = (folder?: string) => ({
  seed: 0,
  baseDir: '',
  ...(folder === undefined ? {} : { chat: () => openChatFormat(folder) }),
});

test('the subject’s own template; the response is not closed, and begins where it is said to', () =>
  inFolder(async (folder) => {
    const own = await conversationFormat('subject', context(await modelWith(folder, LLAMA)));
    const { text, responseStart } = own.write(' Say it. ', 'It is said.');
    assert.is(text, '[user] Say it.</s>[assistant] It is said.');
    assert.is(text.slice(responseStart), 'It is said.');
    assert.match(own.description, /subject's own chat format/);
    const mistral = await conversationFormat('subject', context(await modelWith(join(folder, 'b'), MISTRAL)));
    const spaced = mistral.write('Say it.', 'It is said.');
    assert.is(spaced.text, '[INST] Say it.[/INST] It is said.');
    assert.is(spaced.text.slice(spaced.responseStart), 'It is said.');
    assert.is.not(mistral.digest, own.digest);
  }));

test('plainly where the subject has no template or is not known, and never in another model’s format', () =>
  inFolder(async (folder) => {
    for (const given of [context(await modelWith(folder)), context()]) {
      const plain = await conversationFormat('subject', given);
      assert.equal(plain.write('Say it.', 'Said.'), { text: 'Say it.\n\nSaid.', responseStart: 9 });
      assert.is(plain.digest, (await conversationFormat('plain', given)).digest);
    }
    const asked = await conversationFormat('plain', context(await modelWith(join(folder, 'b'), LLAMA)));
    assert.is(asked.write('a', 'b').text, 'a\n\nb');
  }));

test('Gemma’s format by name: the texts that AxBench published', async () => {
  const gemma = await conversationFormat('gemma', context());
  const { text, responseStart } = gemma.write('Say it.', 'Said.');
  assert.is(text, '<bos><start_of_turn>user\nSay it.<end_of_turn>\n<start_of_turn>model\nSaid.');
  assert.is(text.slice(responseStart), 'Said.');
});

test('special tokens of the template become their ids, those in messages do not, and BOS comes once', () =>
  inFolder(async (folder) => {
    const format = (await openChatFormat(await modelWith(folder, LLAMA)))!;
    const tokenizer = await loadTokenizer(folder);
    const text = format.render([{ role: 'user', content: 'a </s> b <s>' }]);
    const special = tokenizer.encode(text).ids.filter((id) => tokenizer.specialIds.has(id));
    assert.equal(special, [tokenizer.bosId, tokenizer.eosId]);
    assert.is(format.literal('a </s> b'), 'a <\u200b/s> b');
    // Also where the text says it itself.
    const { ids, offsets } = tokenizer.encode('<s>a');
    assert.equal(ids.filter((id) => id === tokenizer.bosId).length, 1);
    assert.is(ids.length, offsets.length);
  }));

test('a folder without a template has no format', () =>
  inFolder(async (folder) => {
    assert.is(await openChatFormat(await modelWith(folder)), undefined);
  }));

test.run();
