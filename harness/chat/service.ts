/**
 * @file The chat model of a run: one for all of its threads, so that budget, pace and what is in flight are counted once.
 * Only here is the key known.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { ChatMissing, ChatModel, ChatReply, ChatRequest } from '../contract/chat.ts';
import { UserError } from '../errors.ts';
import { sha256Json } from '../io/hash.ts';
import { createRng } from '../num/rng.ts';
import { completionBody, replyIn } from './completion.ts';
import { type Endpoint, sendsKeyInClear, withoutKey } from './endpoint.ts';
import { type Exchange, exchange } from './exchange.ts';
import { greet, unlistedLine } from './models.ts';

export interface ChatSettings {
  endpoint: Endpoint;
  /** Most requests that are sent, repetitions among them; 0: none, only replies that are there serve. */
  maxCalls?: number;
  /** Requests at the same time. */
  concurrency: number;
  timeoutMs: number;
  signal: AbortSignal;
  say(line: string): void;
  /** Pause before the first repetition, doubled each time. Default 1,000. */
  retryMs?: number;
}

export interface ChatService extends ChatModel {
  /** What a person must mend before any further request; undefined while there is nothing. */
  failure(): UserError | undefined;
  /** Requests sent so far. */
  calls(): number;
  /** As far as the endpoint tells before it is asked. @throws UserError where no question has a chance. */
  greet(models: readonly string[]): Promise<void>;
}

const ATTEMPTS = 6;
const MAX_PAUSE_MS = 60_000;
/** A server that asks for more has no replies for this run. */
const MAX_WAIT_MS = 300_000;
/** Questions in a row without a reply after all attempts: the endpoint is down. */
const MAX_FAILED = 5;
/** Of replies that are remembered until whoever asked has kept them. */
const MAX_RECENT = 4096;

type Outcome = ChatReply | ChatMissing;

/** Opens the chat model of an endpoint. Nothing is sent before the first question. */
export function openChat(settings: ChatSettings): ChatService {
  const { endpoint, maxCalls = Infinity, concurrency, timeoutMs, signal, say, retryMs = 1000 } = settings;
  const together = pLimit(concurrency);
  const alone = pLimit(1);
  const recent = new Map<string, Promise<Outcome>>();
  let calls = 0;
  /** Any question was answered: what the endpoint refuses now is about one question. */
  let proven = false;
  let failure: UserError | undefined;
  let over: ChatMissing | undefined;
  let failedInRow = 0;
  /** Nothing is sent before. */
  let pausedUntil = 0;

  function end(missing: string): ChatMissing {
    if (!over) say(`judge endpoint ${endpoint.url}: ${missing}; the ratings that it would give are missing.`);
    over ??= { missing, later: true };
    return over;
  }

  function fail(error: UserError): never {
    failure ??= error;
    throw failure;
  }

  /** Waits until all may send again. */
  async function pause(): Promise<void> {
    for (let left = pausedUntil - Date.now(); left > 0; left = pausedUntil - Date.now()) {
      await sleep(left, undefined, { signal });
    }
  }

  /** Sends until there is an answer, or no hope of one. */
  async function send(request: ChatRequest, key: string): Promise<Outcome> {
    const rng = createRng(`chat ${key}`);
    let reason = '';
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      await pause();
      signal.throwIfAborted();
      if (failure) throw failure;
      if (over) return over;
      if (calls >= maxCalls) return end(`the budget of ${maxCalls} requests (--max-judge-calls) is spent`);
      calls++;
      const found = await exchange({
        endpoint,
        path: '/chat/completions',
        body: completionBody(request),
        timeoutMs,
        signal,
      });
      if (found.kind === 'fatal') fail(found.error);
      if (found.kind !== 'busy') return answered(found);
      ({ reason } = found);
      const { wait = 0 } = found;
      if (wait > MAX_WAIT_MS) return end(`the endpoint asks to wait ${Math.round(wait / 1000)} s`);
      const backOff = Math.min(MAX_PAUSE_MS, retryMs * 2 ** attempt) * (0.5 + 0.5 * rng.uniform());
      if (found.wait !== undefined) pausedUntil = Math.max(pausedUntil, Date.now() + wait);
      if (attempt < ATTEMPTS - 1) await sleep(Math.max(wait, backOff), undefined, { signal });
    }
    if (!proven) {
      fail(
        new UserError(
          `judge endpoint ${endpoint.url}: ${reason}, ${ATTEMPTS} times; check --judge-url and that it runs. The same command goes on from here.`,
        ),
      );
    }
    if (++failedInRow >= MAX_FAILED) return end(`${reason}, for ${MAX_FAILED} questions in a row`);
    return { missing: reason, later: true };
  }

  /** What a whole answer is. */
  function answered(found: Extract<Exchange, { kind: 'body' | 'refused' }>): Outcome {
    const reply = found.kind === 'body' ? replyIn(found.body) : undefined;
    if (reply) {
      proven = true;
      failedInRow = 0;
      const { text, model } = reply;
      return { ...reply, text: withoutKey(text, endpoint), model: model === null ? null : withoutKey(model, endpoint) };
    }
    const { reason, mend } =
      found.kind === 'refused'
        ? found
        : { reason: 'a reply that is no chat completion', mend: 'check --judge-url, which usually ends in /v1' };
    // As the first answer it is what all questions would be given.
    if (!proven) fail(new UserError(`judge endpoint ${endpoint.url}: ${reason}; ${mend}.`));
    return { missing: reason, later: false };
  }

  /** One question at a time until one was answered: a wrong key costs one request, not hundreds. */
  async function inTurn(request: ChatRequest, key: string): Promise<Outcome> {
    const first = await alone(async () => (proven ? undefined : { outcome: await send(request, key) }));
    return first ? first.outcome : together(() => send(request, key));
  }

  return {
    endpoint: endpoint.url,
    complete(request) {
      const key = sha256Json(request);
      const known = recent.get(key);
      if (known) return known;
      const outcome = inTurn(request, key);
      recent.set(key, outcome);
      const forget = () => void recent.delete(key);
      outcome.then((found) => 'missing' in found && forget(), forget);
      for (const old of recent.keys()) {
        if (recent.size <= MAX_RECENT) break;
        recent.delete(old);
      }
      return outcome;
    },
    failure: () => failure,
    calls: () => calls,
    async greet(models) {
      if (maxCalls === 0 || models.length === 0) return;
      if (sendsKeyInClear(endpoint)) say(`judge endpoint ${endpoint.url}: the key goes over the network unencrypted.`);
      const greeting = await greet(endpoint, signal);
      if (greeting.error) fail(greeting.error);
      for (const model of models) {
        const line = unlistedLine(endpoint.url, greeting, model);
        if (line !== undefined) say(line);
      }
    },
  };
}
