/** @file One request to an endpoint and what came of it: nothing that it sends can hang, fill the memory or lead elsewhere. */
import { shown, UserError } from '../errors.ts';
import { type Endpoint, KEY_VARIABLE, withoutKey } from './endpoint.ts';
import { retryAfter } from './retry-after.ts';

/** More than any reply of a few hundred tokens has. */
const MAX_BYTES = 1 << 20;

/** What came of a request. */
export type Exchange =
  | { kind: 'body'; body: unknown }
  /** A repetition may mend it; `wait` is what the server asks for, in milliseconds; `unreached`: there was no response. */
  | { kind: 'busy'; reason: string; wait?: number; unreached?: boolean }
  /** This request gets no reply, and as the first of all shows that the settings are wrong. */
  | { kind: 'refused'; reason: string; mend: string }
  /** No request will ever get one. */
  | { kind: 'fatal'; status: number; error: UserError };

export interface ExchangeOptions {
  endpoint: Endpoint;
  /** `/chat/completions`, below the endpoint's URL. */
  path: string;
  /** Sent as JSON; GET without. */
  body?: unknown;
  timeoutMs: number;
  signal: AbortSignal;
}

/** Sends a request. @throws the signal's reason when aborted. */
export async function exchange({ endpoint, path, body, timeoutMs, signal }: ExchangeOptions): Promise<Exchange> {
  const { url, key } = endpoint;
  signal.throwIfAborted();
  // Ends the body, too.
  const end = new AbortController();
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(`${url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      // A redirect would take the key and the texts to a place that nobody named.
      redirect: 'manual',
      headers: {
        accept: 'application/json',
        'user-agent': 'saxbench',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.any([signal, timeout, end.signal]),
    });
    const text = await bounded(response);
    return judged(response, text === undefined ? undefined : withoutKey(text, endpoint), endpoint);
  } catch (error) {
    signal.throwIfAborted();
    return { kind: 'busy', reason: broken(error as Error, timeoutMs), unreached: true };
  } finally {
    end.abort();
  }
}

/** The body; undefined where it has no end in sight. */
async function bounded(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Why there was no response, the same words for the same cause. */
function broken({ name, message, cause }: Error, timeoutMs: number): string {
  if (name === 'TimeoutError') return `no reply within ${timeoutMs / 1000} s`;
  const { code, message: why } = (cause ?? {}) as { code?: string; message?: string };
  return `no connection (${code ?? why ?? message})`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the server says in an error of OpenAI's form, or the beginning of what it sent. */
function saidBy(text: string | undefined): string {
  const { error, message, detail } = (parsed(text ?? '') ?? {}) as Record<string, unknown>;
  const inner = (error as { message?: unknown } | undefined)?.message ?? error ?? message ?? detail;
  return shown(typeof inner === 'string' ? inner : (text ?? 'a body without an end').replace(/\s+/g, ' ').trim());
}

const codeIn = (text: string | undefined): unknown =>
  ((parsed(text ?? '') ?? {}) as { error?: { code?: unknown } }).error?.code;

/** A place without what may be secret in it. */
function placeOf(location: string, base: string): string {
  if (!URL.canParse(location, base)) return 'what is no URL';
  const { origin, pathname } = new URL(location, base);
  return shown(`${origin}${pathname}`);
}

function judged(response: Response, text: string | undefined, endpoint: Endpoint): Exchange {
  const { status, headers } = response;
  const { url, key } = endpoint;
  const fatal = (problem: string, mend: string): Exchange => ({
    kind: 'fatal',
    status,
    error: new UserError(`judge endpoint ${url}: ${problem}; ${mend}.`),
  });
  if (status >= 300 && status < 400) {
    const location = withoutKey(headers.get('location') ?? '', endpoint);
    return fatal(
      `it redirects (${status}) to ${placeOf(location, url)}, where no key is sent`,
      'give the URL that it means to --judge-url',
    );
  }
  if (status === 401 || status === 403) {
    const mend = key === undefined ? `set ${KEY_VARIABLE} to a key for it` : 'check the key';
    return fatal(`it refuses access (${status}): ${saidBy(text)}`, mend);
  }
  if (status === 404) {
    return fatal(`not found (404): ${saidBy(text)}`, 'check --judge-model, and --judge-url, which usually ends in /v1');
  }
  if (status === 429 && codeIn(text) === 'insufficient_quota') {
    return fatal(`its quota is used up: ${saidBy(text)}`, 'the same command goes on from here when there is more');
  }
  if (status === 408 || status === 409 || status === 429 || status >= 500) {
    const wait = retryAfter(headers, Date.now());
    return { kind: 'busy', reason: `the endpoint answered ${status}`, ...(wait === undefined ? {} : { wait }) };
  }
  if (status >= 400) {
    return {
      kind: 'refused',
      reason: `the endpoint answered ${status}: ${saidBy(text)}`,
      mend: 'check the model and the options of the judge',
    };
  }
  const mend = 'check --judge-url, which usually ends in /v1';
  if (text === undefined) return { kind: 'refused', reason: 'a reply without an end', mend };
  const body = parsed(text);
  if (typeof body === 'object' && body !== null) return { kind: 'body', body };
  const type = headers.get('content-type') ?? 'no content type';
  // Cut off, it may come whole the next time; a page of HTML will be one again.
  if (/^\s*\{/.test(text)) return { kind: 'busy', reason: 'a reply that is no whole JSON' };
  return { kind: 'refused', reason: `expected JSON; found ${shown(type)}: ${saidBy(text)}`, mend };
}
