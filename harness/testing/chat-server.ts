/** @file A local HTTP server in the place of a chat model, for tests: it answers as a script says, and counts. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came. */
export interface Asked {
  method: string;
  path: string;
  authorization: string | undefined;
  /** Parsed; null for a GET. */
  body: { model: string; messages: { role: string; content: string }[]; [name: string]: unknown } | null;
  /** Texts of the messages. */
  system: string;
  user: string;
  /** Number of this request, from 0, of those with a body. */
  n: number;
}

/** What is answered: the text of a chat completion, or anything else by hand. */
export type Answer =
  | string
  | { status?: number; headers?: Record<string, string>; body: unknown }
  | ((response: ServerResponse) => void);

export interface ChatServer {
  /** Base URL, `http://127.0.0.1:port/v1`. */
  url: string;
  /** All requests for completions. */
  asked: Asked[];
  /** All others. */
  others: Asked[];
  /** Most requests that were open at the same time. */
  most(): number;
  close(): Promise<void>;
}

/** The body of a completion. */
export const completion = (content: string | null, finish = 'stop') => ({
  model: 'served-model',
  choices: [{ message: { role: 'assistant', content }, finish_reason: finish }],
  usage: { prompt_tokens: 100, completion_tokens: 10 },
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += chunk;
  return text;
}

/** Starts a server; `answer` may take its time. Models are listed, unless `models` is null. */
export async function startChatServer(
  answer: (asked: Asked) => Answer | Promise<Answer>,
  models: string[] | null = ['served-model'],
): Promise<ChatServer> {
  const asked: Asked[] = [];
  const others: Asked[] = [];
  let open = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    const text = await bodyOf(request);
    const body = text === '' ? null : (JSON.parse(text) as Asked['body']);
    const of = (role: string) => body?.messages?.find((message) => message.role === role)?.content ?? '';
    const { method = '', url = '', headers } = request;
    const own = body ? asked : others;
    const seen = {
      method,
      path: url,
      authorization: headers.authorization,
      body,
      system: of('system'),
      user: of('user'),
      n: own.length,
    };
    own.push(seen);
    if (!body) {
      response.writeHead(models ? 200 : 404, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify(models ? { data: models.map((id) => ({ id })) } : { error: { message: 'no such path' } }),
      );
      return;
    }
    most = Math.max(most, ++open);
    response.on('close', () => open--);
    const given = await answer(seen);
    if (typeof given === 'function') return given(response);
    const {
      status = 200,
      headers: more,
      body: content,
    } = typeof given === 'string' ? { body: completion(given) } : { headers: {}, ...given };
    response.writeHead(status, { 'content-type': 'application/json', ...more });
    response.end(typeof content === 'string' ? content : JSON.stringify(content));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    asked,
    others,
    most: () => most,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
