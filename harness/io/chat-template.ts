/** @file Chat templates of Hugging Face's tokenizers (Jinja), rendered as transformers' `apply_chat_template` does. */
import { UserError } from '../errors.ts';
import { TIMED_OUT, timeLimit } from './time-limit.ts';

/** One turn of a conversation. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

/** Rendering takes milliseconds; a loop without an end takes for ever. */
const MAX_RENDER_MS = 4000;
/** The longest published ones, with tools, have some 20,000 characters. */
const MAX_CHARACTERS = 1_000_000;

/** Renders messages; `addGenerationPrompt` opens the assistant's turn at the end. @throws UserError with the template's own reason. */
export type RenderChat = (messages: readonly ChatMessage[], options?: { addGenerationPrompt?: boolean }) => string;

/**
 * The template that a tokenizer's config has: `chat_template`, a text or a list of named ones, of which `default` is taken.
 *
 * @throws UserError for anything else.
 */
export function templateOf(path: string, config: Record<string, unknown>): string | undefined {
  const given = config['chat_template'];
  if (given === undefined || given === null) return undefined;
  const named = Array.isArray(given)
    ? (given as { name?: unknown; template?: unknown }[]).find((entry) => entry?.name === 'default')?.template
    : given;
  if (typeof named === 'string' && named.length <= MAX_CHARACTERS) return named;
  throw new UserError(
    `tokenizer ${path}: chat_template: expected a text of at most ${MAX_CHARACTERS} characters, or a list with one named ` +
      `default; found ${Array.isArray(given) ? 'a list without one' : typeof given}.`,
  );
}

/** What gives a template today's date. */
const CLOCK = /\bstrftime_now\b/;
/** Takes it away. The newline is the one that the renderer leaves out after a block. */
const WITHOUT_CLOCK = '{% set strftime_now = undefined %}\n';

/**
 * Opens a template. It has no clock: with today's date the texts, and all numbers, would be others tomorrow. Templates that
 * ask whether there is one (Llama 3) then write a date of their own; others are refused when they render.
 *
 *
 * @param where For messages.
 * @param specials What the template may name, e.g. `bos_token`: as transformers passes the tokenizer's special tokens.
 * @throws UserError where it cannot be parsed.
 */
export async function openChatTemplate(
  where: string,
  template: string,
  specials: Readonly<Record<string, string>>,
): Promise<RenderChat> {
  // Few runs need it.
  const { Template } = await import('@huggingface/jinja');
  const limited = timeLimit(MAX_RENDER_MS);
  const guarded = <T>(what: string, call: () => T): T => {
    try {
      return limited(call);
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      const clock = CLOCK.test(template)
        ? ` (there is no strftime_now: with today's date texts differ from day to day)`
        : '';
      const reason = code === TIMED_OUT ? `it took over ${MAX_RENDER_MS / 1000} s` : `${message}${clock}`;
      throw new UserError(`chat template of ${where}: ${what}: ${reason}.`);
    }
  };
  const source = CLOCK.test(template) ? WITHOUT_CLOCK + template : template;
  const parsed = guarded('cannot be read', () => new Template(source));
  return (messages, { addGenerationPrompt = false } = {}) =>
    guarded(`refuses ${messages.map(({ role }) => role).join(', ')}`, () =>
      parsed.render({
        ...specials,
        messages: messages.map((message) => ({ ...message })),
        add_generation_prompt: addGenerationPrompt,
      }),
    );
}
