/** @file Chat templates against transformers' renderer, and templates that are wrong. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { rejection } from '../testing/failing.ts';
import { type ChatMessage, openChatTemplate, templateOf } from './chat-template.ts';
import { readJson } from './json.ts';

const test = suite('io/chat-template');

interface Golden {
  templates: Record<string, { specials: Record<string, string>; template: string }>;
  conversations: Record<string, ChatMessage[]>;
  cases: { template: string; conversation: string; addGenerationPrompt: boolean; text?: string; refused?: string }[];
}

const golden = (await readJson(new URL('testdata/chat.golden.json', import.meta.url).pathname, 'test')) as Golden;

for (const [name, { template, specials }] of Object.entries(golden.templates)) {
  test(`as transformers renders it: ${name}`, async () => {
    const render = await openChatTemplate(name, template, specials);
    const cases = golden.cases.filter((each) => each.template === name);
    assert.is(cases.length, 12);
    for (const { conversation, addGenerationPrompt, text, refused } of cases) {
      const messages = golden.conversations[conversation]!;
      if (text !== undefined) {
        assert.is(render(messages, { addGenerationPrompt }), text, conversation);
        continue;
      }
      try {
        render(messages, { addGenerationPrompt });
        assert.unreachable(`${conversation} is refused`);
      } catch (error) {
        assert.instance(error, UserError);
        assert.ok((error as Error).message.includes(refused!), (error as Error).message);
        assert.match((error as Error).message, new RegExp(`^chat template of ${name}: refuses (system|assistant)`));
      }
    }
  });
}

test('which template of a config: the text, the default of a list, none', () => {
  assert.is(templateOf('f', {}), undefined);
  assert.is(templateOf('f', { chat_template: null }), undefined);
  assert.is(templateOf('f', { chat_template: 'a' }), 'a');
  const list = [
    { name: 'tool_use', template: 'b' },
    { name: 'default', template: 'c' },
  ];
  assert.is(templateOf('f', { chat_template: list }), 'c');
  assert.throws(
    () => templateOf('f', { chat_template: list.slice(0, 1) }),
    /tokenizer f: chat_template: .*a list without one/,
  );
  assert.throws(() => templateOf('f', { chat_template: 7 }), /found number/);
  assert.throws(() => templateOf('f', { chat_template: 'x'.repeat(2_000_000) }), /at most 1000000 characters/);
});

test('a template that cannot be read, fails or never ends is one line', async () => {
  const cut = await rejection(openChatTemplate('f', '{% for message in messages %}{{ message', {}));
  assert.match(cut.message, /^chat template of f: cannot be read: /);
  const render = await openChatTemplate('f', '{{ messages[0].content | no_such_filter }}', {});
  assert.throws(() => render([{ role: 'user', content: 'a' }]), /chat template of f: refuses user: /);
});

test('a template gets no date of today, by which its texts would be others tomorrow', async () => {
  const messages: ChatMessage[] = [{ role: 'user', content: 'a' }];
  // As Llama 3.2 has it.
  const llama =
    '\n{%- if strftime_now is defined %}{%- set date = strftime_now("%d %b %Y") %}{%- else %}{%- set date = "26 Jul 2024" %}{%- endif %}\n{{- date }}: {{ messages[0].content }}';
  assert.is((await openChatTemplate('f', llama, {}))(messages), '26 Jul 2024: a');
  const plain = await openChatTemplate('f', '\n  {{ messages[0].content }}\n', {});
  const named = await openChatTemplate('f', '\n  {{ messages[0].content }}{# no strftime_now #}\n', {});
  assert.is(named(messages), plain(messages));
  const asking = await openChatTemplate('f', '{{ strftime_now("%Y-%m-%d") }}', {});
  assert.throws(() => asking(messages), /chat template of f: refuses user: .*no strftime_now: with today's date/);
});

test.run();
