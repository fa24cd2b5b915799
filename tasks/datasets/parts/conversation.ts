/** @file An instruction with its response as one text: in the subject's own chat format, plainly, or in a format by name. */
import type { ChatFormat, DatasetContext, OptionsSchema } from '../../../harness/contract.ts';

export type FormatName = 'subject' | 'plain' | 'gemma';

/** The option of datasets of instructions. */
export const formatOption: OptionsSchema[string] = {
  enum: ['subject', 'plain', 'gemma'],
  default: 'subject',
  description:
    "How an instruction and its response are written: by the subject's own chat template (plainly where it has none), plainly, or in Gemma's format (AxBench's own texts).",
};

/** A text, and where its response begins. */
export interface Conversation {
  text: string;
  responseStart: number;
}

/** A way to write them. */
export interface ConversationFormat {
  /** In a sentence, for results. */
  description: string;
  /** Of everything that decides the texts. */
  digest: string;
  write(instruction: string, response: string): Conversation;
}

const written = (head: string, response: string): Conversation => ({
  text: head + response,
  responseStart: head.length,
});

const PLAIN: ConversationFormat = {
  description: 'instructions and responses are written plainly, an empty line between them',
  digest: 'plain',
  write: (instruction, response) => written(`${instruction}\n\n`, response),
};

/** As AxBench's published texts are for Gemma: the text begins with its token, the response is not closed. */
const GEMMA: ConversationFormat = {
  description: "instructions and responses are in Gemma's chat format, whatever the subject",
  digest: 'gemma',
  write: (instruction, response) =>
    written(`<bos><start_of_turn>user\n${instruction}<end_of_turn>\n<start_of_turn>model\n`, response),
};

/** By a template: what it writes up to the end of the response, so that nothing follows what is rated (as in AxBench). */
function ownFormat({ digest, render, literal }: ChatFormat): ConversationFormat {
  return {
    description: "instructions and responses are in the subject's own chat format",
    digest,
    write(instruction, response) {
      const asked = { role: 'user', content: instruction } as const;
      const head = render([asked], { addGenerationPrompt: true });
      const said = literal(response);
      const whole = render([asked, { role: 'assistant', content: response }]);
      // Some put a space before the response, which they trim; some write a turn of the past otherwise than one that begins.
      const gap = whole.startsWith(head) ? /^\s*/.exec(whole.slice(head.length))![0] : '';
      const trimmed = said.trimStart();
      if (whole.startsWith(head + gap + trimmed)) return written(head + gap, trimmed);
      return written(head, said);
    },
  };
}

/** The format of that name for the subject that a dataset is opened for. */
export async function conversationFormat(name: FormatName, { chat }: DatasetContext): Promise<ConversationFormat> {
  if (name === 'gemma') return GEMMA;
  const own = name === 'subject' ? await chat?.() : undefined;
  return own ? ownFormat(own) : PLAIN;
}
