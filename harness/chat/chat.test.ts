/** @file The chat model against a local server that answers well, slowly, wrongly, elsewhere, without an end or not at all. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ChatMissing, ChatReply, ChatRequest } from '../contract/chat.ts';
import { UserError } from '../errors.ts';
import { type Answer, type Asked, type ChatServer, completion, startChatServer } from '../testing/chat-server.ts';
import { endpointOf, sendsKeyInClear } from './endpoint.ts';
import { greet, unlistedLine } from './models.ts';
import { retryAfter } from './retry-after.ts';
import { type ChatService, type ChatSettings, openChat } from './service.ts';

const test = suite('harness/chat');
const KEY = 'sk-secret/0123456789';

const question = (user: string, round = 0): ChatRequest => ({
  ...{ model: 'served-model', system: 'Rate.', user, temperature: 0, maxTokens: 50, lengthField: 'max_tokens', round },
});

interface Setting extends Partial<ChatSettings> {
  models?: string[] | null;
}

async function against(
  answer: (asked: Asked) => Answer | Promise<Answer>,
  use: (chat: ChatService, server: ChatServer, said: string[]) => Promise<void>,
  { models, ...settings }: Setting = {},
): Promise<void> {
  const server = await startChatServer(answer, models);
  const said: string[] = [];
  const chat = openChat({
    ...{ endpoint: { url: server.url, key: KEY }, concurrency: 4, timeoutMs: 5000, retryMs: 1 },
    ...{ signal: new AbortController().signal, say: (line: string) => said.push(line), ...settings },
  });
  try {
    await use(chat, server, said);
  } finally {
    await server.close();
  }
}

const textOf = (outcome: ChatReply | ChatMissing) =>
  'missing' in outcome ? `missing: ${outcome.missing}` : outcome.text;

async function mistakeOf(action: Promise<unknown>): Promise<string> {
  const error = await action.then(
    () => assert.unreachable('it passed'),
    (thrown: unknown) => thrown,
  );
  assert.instance(error, UserError);
  const { message } = error as UserError;
  assert.not.match(message, /sk-secret|\n/);
  return message;
}

test('a reply, with the key in one header; equal questions are asked once, those of another round again', async () => {
  await against(
    ({ user }) => `about ${user}`,
    async (chat, { asked }) => {
      const rounds = [question('a'), question('a'), question('a', 1), question('b')];
      const outcomes = await Promise.all(rounds.map((each) => chat.complete(each)));
      assert.equal(outcomes.map(textOf), ['about a', 'about a', 'about a', 'about b']);
      assert.equal([asked.length, chat.calls()], [3, 3]);
      const [{ authorization, body, path }] = asked as [Asked];
      assert.equal([authorization, path], [`Bearer ${KEY}`, '/v1/chat/completions']);
      const { model, temperature, max_tokens } = body!;
      assert.equal({ model, temperature, max_tokens }, { model: 'served-model', temperature: 0, max_tokens: 50 });
      assert.equal(outcomes[0], {
        text: 'about a',
        cut: false,
        model: 'served-model',
        tokens: { prompt: 100, reply: 10 },
      });
      // Answered before, and not kept anywhere yet.
      await chat.complete(question('a'));
      assert.is(asked.length, 3);
    },
  );
});

test('never more at a time than allowed, and one alone until the first was answered', async () => {
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  await against(
    async ({ n }) => {
      await (n === 0 ? held : new Promise((resolve) => setTimeout(resolve, 10)));
      return 'x';
    },
    async (chat, server) => {
      const all = Array.from({ length: 12 }, (_, i) => chat.complete(question(`${i}`)));
      while (server.asked.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
      await new Promise((resolve) => setTimeout(resolve, 30));
      assert.is(server.asked.length, 1);
      release();
      await Promise.all(all);
      assert.equal([server.asked.length, server.most() <= 3], [12, true]);
    },
    { concurrency: 3 },
  );
});

test('429 and 500 are asked again; all wait as long as the server says', async () => {
  const started = Date.now();
  await against(
    ({ n }) =>
      n === 0
        ? { status: 429, headers: { 'retry-after-ms': '200' }, body: { error: { message: 'slow down' } } }
        : n === 1
          ? { status: 500, body: 'oops' }
          : 'fine',
    async (chat, { asked }) => {
      assert.is(textOf(await chat.complete(question('a'))), 'fine');
      assert.is(asked.length, 3);
      assert.ok(Date.now() - started >= 195);
    },
  );
});

test('Retry-After in its forms', () => {
  const now = Date.parse('Fri, 27 Nov 2026 10:00:00 GMT');
  const of = (headers: Record<string, string>) => retryAfter(new Headers(headers), now);
  assert.is(of({ 'retry-after': '7' }), 7000);
  assert.is(of({ 'retry-after': 'Fri, 27 Nov 2026 10:01:30 GMT' }), 90_000);
  assert.is(of({ 'retry-after': 'Fri, 27 Nov 2026 09:00:00 GMT' }), 0);
  assert.is(of({ 'retry-after-ms': '250', 'retry-after': '9' }), 250);
  assert.equal([of({}), of({ 'retry-after': 'soon' }), of({ 'retry-after': '' })], [undefined, undefined, undefined]);
});

test('a server that stays down ends the run at the first question, and gives up on the rest of one that went down later', async () => {
  await against(
    () => ({ status: 503, body: 'down' }),
    async (chat, { asked }) => {
      const all = await Promise.allSettled(['a', 'b', 'c'].map((text) => chat.complete(question(text))));
      assert.ok(all.every(({ status }) => status === 'rejected'));
      assert.is(asked.length, 6);
      assert.match(chat.failure()!.message, /answered 503, 6 times/);
    },
  );
  await against(
    ({ n }) => (n === 0 ? 'fine' : { status: 503, body: 'down' }),
    async (chat, { asked }, said) => {
      const outcomes = [];
      for (let i = 0; i < 20; i++) outcomes.push(await chat.complete(question(`${i}`)));
      assert.equal([asked.length, chat.failure()], [1 + 5 * 6, undefined]);
      assert.equal(
        outcomes.map((each) => 'missing' in each && each.later),
        [false, ...Array(19).fill(true)],
      );
      assert.is(said.length, 1);
      assert.match(said[0]!, /503, for 5 questions in a row; the ratings that it would give are missing/);
    },
  );
});

test('no reply in time is asked again; a body without an end, or that drips, ends too', async () => {
  const seen = new Set<string>();
  const endless = (response: import('node:http').ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    const more = () => {
      while (!response.destroyed && response.write('x'.repeat(65536)));
    };
    response.on('drain', more);
    more();
  };
  await against(
    ({ user }) => {
      const first = !seen.has(user);
      seen.add(user);
      if (user === 'slow' && first) return () => {};
      if (user === 'drip' && first)
        return (response) => {
          const timer = setInterval(() => response.write(' '), 20);
          response.on('close', () => clearInterval(timer));
        };
      return user === 'endless' ? endless : 'fine';
    },
    async (chat, { asked }) => {
      assert.is(textOf(await chat.complete(question('good'))), 'fine');
      assert.is(textOf(await chat.complete(question('slow'))), 'fine');
      assert.is(textOf(await chat.complete(question('drip'))), 'fine');
      assert.equal(await chat.complete(question('endless')), { missing: 'a reply without an end', later: false });
      assert.ok(asked.length >= 6);
    },
    { timeoutMs: 400 },
  );
});

test('what is no completion is missing, and ends the run where it is the first answer', async () => {
  const page = { headers: { 'content-type': 'text/html' }, body: '<html>Welcome</html>' };
  const wrong: [Answer, RegExp][] = [
    [page, /expected JSON; found "text\/html": "<html>Welcome/],
    [{ body: { object: 'list' } }, /no chat completion/],
    [{ body: { choices: [{ message: { content: 7 } }] } }, /no chat completion/],
    [
      { status: 400, body: { error: { message: 'temperature is not supported' } } },
      /400: "temperature is not supported"/,
    ],
  ];
  for (const [answer, expected] of wrong) {
    await against(
      () => answer,
      async (chat, { asked }) => {
        assert.match(await mistakeOf(chat.complete(question('a'))), expected);
        await mistakeOf(chat.complete(question('b')));
        assert.is(asked.length, 1);
      },
    );
    await against(
      ({ n }) => (n === 0 ? 'fine' : answer),
      async (chat, { asked }) => {
        await chat.complete(question('a'));
        const { missing, later } = (await chat.complete(question('b'))) as ChatMissing;
        assert.match(missing, expected);
        assert.equal([later, asked.length], [false, 2]);
      },
    );
  }
  await against(
    ({ n }) =>
      n === 0
        ? { body: '{"choices":[{"mess' }
        : { headers: { 'content-type': 'text/plain' }, body: completion('fine') },
    async (chat, { asked }) => {
      assert.is(textOf(await chat.complete(question('cut JSON'))), 'fine');
      assert.is(asked.length, 2);
    },
  );
});

test('no text is a reply too: a refusal; one that was cut off says so', async () => {
  await against(
    ({ user }) => ({ body: user === 'cut' ? completion('half of', 'length') : completion(null) }),
    async (chat) => {
      assert.equal([textOf(await chat.complete(question('a')))], ['']);
      assert.is(((await chat.complete(question('cut'))) as ChatReply).cut, true);
    },
  );
});

test('a wrong key, an unknown model, a wrong URL, no quota: one request, one line with the mend', async () => {
  const cases: [Answer, RegExp][] = [
    [
      { status: 401, body: { error: { message: `Incorrect API key provided: ${KEY}` } } },
      /refuses access \(401\): "Incorrect API key provided: …"; check the key/,
    ],
    [
      { status: 404, body: { error: { message: 'The model `x` does not exist' } } },
      /404.*does not exist.*--judge-model/,
    ],
    [{ status: 404, body: '<html>nothing here</html>' }, /404.*--judge-url, which usually ends in \/v1/],
    [{ status: 429, body: { error: { code: 'insufficient_quota', message: 'pay' } } }, /quota is used up: "pay"/],
  ];
  for (const [answer, expected] of cases) {
    await against(
      () => answer,
      async (chat, { asked }) => {
        const many = Array.from({ length: 50 }, (_, i) => mistakeOf(chat.complete(question(`${i}`))));
        for (const message of await Promise.all(many)) assert.match(message, expected);
        assert.is(asked.length, 1);
      },
    );
  }
  await against(
    () => 'never',
    async (_, { url }) => {
      const chat = openChat({
        ...{ endpoint: { url: url.replace(/:\d+/, ':1') }, concurrency: 1, timeoutMs: 1000, retryMs: 1 },
        ...{ signal: new AbortController().signal, say: () => {} },
      });
      assert.match(await mistakeOf(chat.complete(question('a'))), /no connection \(.+\), 6 times; check --judge-url/);
    },
  );
});

test('a redirect is not followed: neither key nor text go there', async () => {
  const thief = await startChatServer(() => 'stolen');
  await against(
    () => ({ status: 307, headers: { location: `${thief.url}/chat/completions?key=${KEY}` }, body: '' }),
    async (chat, { asked }) => {
      assert.match(await mistakeOf(chat.complete(question('a'))), /redirects \(307\) to "http:\/\/127.*no key is sent/);
      assert.equal([asked.length, thief.asked.length, thief.others.length], [1, 0, 0]);
    },
  );
  await thief.close();
});

test('a reply that repeats the key is kept without it', async () => {
  await against(
    ({ authorization }) => ({ body: { ...completion(`${authorization} \\u0073`), model: KEY } }),
    async (chat) => {
      const { text, model } = (await chat.complete(question('a'))) as ChatReply;
      assert.equal([text, model], ['Bearer … \\u0073', '…']);
    },
  );
  await against(
    () => ({ body: JSON.stringify(completion(KEY)).replace('sk-', '\\u0073k-') }),
    async (chat) => assert.is(textOf(await chat.complete(question('a'))), '…'),
  );
});

test('the budget counts every request; 0 asks nothing', async () => {
  await against(
    ({ n }) => (n === 1 ? { status: 500, body: '' } : 'fine'),
    async (chat, { asked }, said) => {
      const outcomes = [];
      for (const text of ['a', 'b', 'c', 'd']) outcomes.push(await chat.complete(question(text)));
      assert.equal(
        outcomes.map((each) => 'missing' in each),
        [false, false, true, true],
      );
      assert.equal([asked.length, said.length], [3, 1]);
      assert.match(said[0]!, /budget of 3 requests \(--max-judge-calls\) is spent/);
    },
    { maxCalls: 3 },
  );
  await against(
    () => 'fine',
    async (chat, { asked }) => {
      assert.is(((await chat.complete(question('a'))) as ChatMissing).later, true);
      assert.is(asked.length, 0);
    },
    { maxCalls: 0 },
  );
});

test('an abort ends what is in flight and what waits', async () => {
  const controller = new AbortController();
  await against(
    ({ n }) => {
      if (n === 0) return 'fine';
      // As many as may be in flight.
      if (n === 4) controller.abort();
      return () => {};
    },
    async (chat, { asked }) => {
      await chat.complete(question('a'));
      const waiting = Array.from({ length: 6 }, (_, i) => chat.complete(question(`${i}`)));
      const settled = Promise.allSettled(waiting);
      for (const each of await settled) assert.is((each as PromiseRejectedResult).reason.name, 'AbortError');
      assert.is(asked.length, 5);
    },
    { signal: controller.signal },
  );
});

test('URL and key: what is refused is not shown, and a key goes to its own service', () => {
  const of = (url: string, environment: NodeJS.ProcessEnv = {}) => endpointOf(url, environment);
  assert.equal(of('http://localhost:8000/v1/'), { url: 'http://localhost:8000/v1' });
  assert.is(of('https://api.openai.com/v1/chat/completions').url, 'https://api.openai.com/v1');
  const both = { SAXBENCH_JUDGE_KEY: 'own', OPENAI_API_KEY: 'openai' };
  assert.is(of('https://api.openai.com/v1', both).key, 'own');
  assert.is(of('https://api.openai.com/v1', { OPENAI_API_KEY: 'openai', SAXBENCH_JUDGE_KEY: '' }).key, 'openai');
  assert.is(of('https://elsewhere.example/v1', { OPENAI_API_KEY: 'openai' }).key, undefined);
  assert.is(of('https://api.openai.com.example/v1', { OPENAI_API_KEY: 'openai' }).key, undefined);
  const message = (url: string, environment?: NodeJS.ProcessEnv) => {
    try {
      of(url, environment);
    } catch (error) {
      assert.instance(error, UserError);
      assert.not.match((error as Error).message, /secret/);
      return (error as Error).message;
    }
    throw new Error(`passed: ${url}`);
  };
  assert.match(message('localhost:8000/secret'), /scheme 'localhost:'/);
  assert.match(message('not a secret url'), /no URL/);
  assert.match(message('https://me:secret@host/v1'), /user or password.*SAXBENCH_JUDGE_KEY/);
  assert.match(message('https://host/v1?key=secret'), /SAXBENCH_JUDGE_KEY/);
  assert.match(message('https://host/v1', { SAXBENCH_JUDGE_KEY: 'secret\nx' }), /visible ASCII/);
  assert.is(sendsKeyInClear({ url: 'http://10.0.0.7/v1', key: 'k' }), true);
  for (const url of ['http://127.0.0.1:8000/v1', 'http://localhost/v1', 'https://host/v1']) {
    assert.is(sendsKeyInClear({ url, key: 'k' }), false);
  }
});

test('the greeting: a wrong key, a redirect and no server are told; no list is no fault; what is listed otherwise is', async () => {
  const { signal } = new AbortController();
  const server = await startChatServer(() => '', ['llama3:latest', 'other']);
  const found = await greet({ url: server.url, key: KEY }, signal);
  assert.equal([found, server.others[0]!.authorization], [{ models: ['llama3:latest', 'other'] }, `Bearer ${KEY}`]);
  assert.is(unlistedLine(server.url, found, 'llama3'), undefined);
  assert.match(unlistedLine(server.url, found, 'gpt')!, /does not list the model gpt; it lists llama3:latest, other/);
  await server.close();
  assert.match(
    (await greet({ url: server.url }, signal)).error!.message,
    /no connection \(ECONNREFUSED\); check --judge-url/,
  );
  const silent = await startChatServer(() => '', null);
  assert.equal(await greet({ url: silent.url }, signal), {});
  await silent.close();
});

test.run();
