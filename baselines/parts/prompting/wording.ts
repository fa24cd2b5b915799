/** @file How the subject is asked whether a text shows a concept, and to write about one: plain text, or its own chat format. */
import type { ChatFormat, Concept } from '../../../harness/contract.ts';

/** A prompt with a hole for a text. */
export interface Framed {
  before: string;
  after: string;
}

/** Stands for the text while the chat template writes the rest: no template changes letters. */
const HOLE = 'TEXTGOESHERE';

const QUESTION = (label: string) => `Does the text above mention or relate to this concept: ${label}?`;

/** The question that is answered by yes or no; in plain format the answer's first letter is what comes next. */
export function detectionPrompt({ label }: Pick<Concept, 'label'>, chat: ChatFormat | undefined): Framed {
  const asked = `Text:\n${HOLE}\n\n${QUESTION(label)} Answer Yes or No.`;
  const whole = chat
    ? chat.render([{ role: 'user', content: asked }], { addGenerationPrompt: true })
    : `${asked}\nAnswer:`;
  const [before = '', after = ''] = whole.split(HOLE);
  return { before, after };
}

/** Answers as they follow the prompt. */
export const answersOf = (chat: ChatFormat | undefined): { yes: string; no: string } =>
  chat ? { yes: 'Yes', no: 'No' } : { yes: ' Yes', no: ' No' };

/** How the chat format writes one message of a user, up to where the answer begins; nothing around it in plain format. */
export function userFrame(chat: ChatFormat | undefined): Framed {
  if (!chat) return { before: '', after: '' };
  const [before = '', after = ''] = chat
    .render([{ role: 'user', content: HOLE }], { addGenerationPrompt: true })
    .split(HOLE);
  return { before, after };
}

/** A prompt with a request for a concept before it: within the user's message, where the prompt is one in the frame. */
export function steeringPrompt(label: string, text: string, { before, after }: Framed): string {
  const framed = text.length >= before.length + after.length && text.startsWith(before) && text.endsWith(after);
  const [head, tail] = framed ? [before, after] : ['', ''];
  const said = text.slice(head.length, text.length - tail.length);
  return `${head}Bring this concept into what you write, even where it does not belong: ${label}.\n\n${said}${tail}`;
}
