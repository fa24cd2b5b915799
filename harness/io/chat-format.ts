/** @file How a model's own chat template writes conversations, as texts that its tokenizer then reads. */

import { type ChatMessage, openChatTemplate, type RenderChat, templateOf } from './chat-template.ts';
import { sha256Json } from './hash.ts';
import { makeTokenizer } from './tokenizer.ts';
import { readTokenizerFiles } from './tokenizer-files.ts';

/** Put after the first character of a special token's text where a message says it: it is then no token. */
const BREAK = '\u200b';

/** `text` without any of `tokens` in it: the longest are broken first. */
function broken(text: string, tokens: readonly string[]): string {
  let safe = text;
  for (const token of tokens) safe = safe.replaceAll(token, `${token.slice(0, 1)}${BREAK}${token.slice(1)}`);
  return safe;
}

const contentOf = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : (value as { content?: string } | null | undefined)?.content;

/**
 * The chat format of a model's folder; undefined where it has no template.
 *
 * The text is read by the tokenizer as a whole: special tokens that the template writes become their ids. The same texts within
 * a message do not: a zero-width space (U+200B) parts them. A beginning-of-text token at the start is left out where the
 * tokenizer puts one before every text itself, so that it does not come twice.
 *
 * @throws UserError for a tokenizer or template that cannot be read.
 */
export async function openChatFormat(
  folder: string,
): Promise<{ digest: string; render: RenderChat; literal(text: string): string } | undefined> {
  const { path, json, config } = await readTokenizerFiles(folder);
  const template = templateOf(path, config);
  if (template === undefined) return undefined;
  const tokenizer = makeTokenizer(path, json, config);
  const named = Object.entries(config).flatMap(([name, value]) => {
    const content = name.endsWith('_token') ? contentOf(value) : undefined;
    return content === undefined ? [] : [[name, content] as const];
  });
  const render = await openChatTemplate(path, template, Object.fromEntries(named));
  const specials = [...tokenizer.specialIds]
    .flatMap((id) => tokenizer.token(id) ?? [])
    .filter((text) => text.length > 1);
  specials.sort((a, b) => b.length - a.length);
  const literal = (text: string) => broken(text, specials);
  const { bosId } = tokenizer;
  const bos = bosId !== undefined && tokenizer.encode('').ids[0] === bosId ? tokenizer.token(bosId) : undefined;
  return {
    literal,
    digest: sha256Json({ template, named, bos: bos ?? null }),
    render(messages: readonly ChatMessage[], options) {
      const text = render(
        messages.map(({ role, content }) => ({ role, content: literal(content) })),
        options,
      );
      return bos !== undefined && text.startsWith(bos) ? text.slice(bos.length) : text;
    },
  };
}
