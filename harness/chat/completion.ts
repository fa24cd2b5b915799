/** @file OpenAI's form of a chat completion: a question as it is sent, a reply as it is read. */
import type { ChatReply, ChatRequest } from '../contract/chat.ts';

/** What is sent. */
export const completionBody = ({ model, system, user, temperature, maxTokens, lengthField }: ChatRequest) => ({
  model,
  messages: [
    { role: 'system', content: system },
    { role: 'user', content: user },
  ],
  ...(temperature === undefined ? {} : { temperature }),
  [lengthField]: maxTokens,
});

/** Kept replies stay small, whatever an endpoint sends: what a few hundred tokens have is far less. */
const MAX_TEXT = 1 << 16;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;

/** The reply in a body; undefined where it is none. A refusal is a reply without text. */
export function replyIn(body: unknown): ChatReply | undefined {
  const choice = isRecord(body) && Array.isArray(body['choices']) ? (body['choices'] as unknown[])[0] : undefined;
  if (!isRecord(body) || !isRecord(choice) || !isRecord(choice['message'])) return undefined;
  const { content } = choice['message'];
  if (content !== null && content !== undefined && typeof content !== 'string') return undefined;
  const text = content ?? '';
  const { usage, model } = body;
  const [prompt, reply] = isRecord(usage) ? [usage['prompt_tokens'], usage['completion_tokens']] : [];
  return {
    text: text.slice(0, MAX_TEXT),
    cut: choice['finish_reason'] === 'length' || text.length > MAX_TEXT,
    model: typeof model === 'string' ? model.slice(0, 200) : null,
    tokens: isCount(prompt) && isCount(reply) ? { prompt, reply } : null,
  };
}
