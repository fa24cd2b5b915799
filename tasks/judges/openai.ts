/** @file A language model as judge, behind any OpenAI-compatible endpoint. */
import {
  type ChatMissing,
  type ChatModel,
  type ChatReply,
  defineJudge,
  type JudgedRow,
  type Rating,
  type Replies,
  UserError,
} from '../../harness/contract.ts';
import { sha256Json } from '../../harness/kit/index.ts';
import { PROMPT_TOKENS, questionOf, RATINGS, type RatingName } from './openai/prompts.ts';
import { readRating } from './openai/rating.ts';

interface Options {
  model: string;
  temperature: number | null;
  maxTokens: number;
  lengthField: 'max_tokens' | 'max_completion_tokens';
  retest: number;
}

/** Tokens of an explanation with its rating, about. */
const REPLY_TOKENS = 120;

/** Carries out of `replies.once` that there was no reply: nothing is kept then. */
class Unanswered extends Error {
  readonly why: ChatMissing;

  constructor(why: ChatMissing) {
    super(why.missing);
    this.why = why;
  }
}

type Scores = Record<RatingName, number | null>;

/** One round of the three questions about a row. */
interface Round {
  scores: Scores;
  reason?: string;
  later: boolean;
}

/** Asks each question once for all runs and judges with these options. */
function asker({ model, temperature, maxTokens, lengthField }: Options, chat: ChatModel, replies: Replies) {
  async function score(name: RatingName, row: JudgedRow, round: number): Promise<number | ChatMissing> {
    const { system, user, code } = questionOf(name, row);
    let reply: ChatReply;
    try {
      reply = await replies.once({ system, user, round }, async () => {
        const sampling = temperature === null ? {} : { temperature };
        const found = await chat.complete({ model, system, user, maxTokens, lengthField, round, ...sampling });
        if ('missing' in found) throw new Unanswered(found);
        return found;
      });
    } catch (error) {
      if (error instanceof Unanswered) return error.why;
      throw error;
    }
    // What was to come last is not there; what looks like it is a quotation.
    if (reply.cut) return { missing: 'the reply was cut off before its end', later: false };
    if (reply.text.trim() === '') return { missing: 'a reply without text', later: false };
    const read = readRating(reply.text, code);
    return 'missing' in read ? { ...read, later: false } : read.rating;
  }

  return async (row: JudgedRow, round: number): Promise<Round> => {
    const asked = await Promise.allSettled(RATINGS.map((name) => score(name, row, round)));
    const found = asked.map((each) => {
      if (each.status === 'rejected') throw each.reason;
      return each.value;
    });
    const [concept, instruct, fluency] = found.map((each) => (typeof each === 'number' ? each : null));
    const missing = found.flatMap((each, i) => (typeof each === 'number' ? [] : [{ name: RATINGS[i]!, ...each }]));
    const [first] = missing;
    return {
      scores: { concept: concept!, instruct: instruct!, fluency: fluency! },
      later: missing.some(({ later }) => later),
      ...(first ? { reason: `${missing.length < RATINGS.length ? `${first.name}: ` : ''}${first.missing}` } : {}),
    };
  };
}

/** Whether a row is of the sample that is asked twice: by its content, so that it is in every run or in none. */
function isSampled({ text, concept, prompt }: JudgedRow, share: number): boolean {
  const hash = sha256Json({ again: [text, concept.label, prompt.text] });
  return Number.parseInt(hash.slice(0, 8), 16) / 2 ** 32 < share;
}

/** AxBench's judge (Wu et al. 2025, arXiv:2501.17148) with a model of one's choice. */
export default defineJudge<Options>({
  id: 'openai',
  title: "AxBench's three ratings by a chat model of any OpenAI-compatible endpoint (--judge-url, --judge-model)",
  paper: 'Wu et al. 2025 (AxBench), arXiv:2501.17148',
  version: 1,
  options: {
    model: { type: 'string', minLength: 1, description: 'Name of the model at the endpoint (--judge-model).' },
    temperature: {
      type: ['number', 'null'],
      minimum: 0,
      default: 0,
      description: "Of its replies; null leaves it to the endpoint, as some models want. AxBench's code has 0.7.",
    },
    maxTokens: {
      type: 'integer',
      minimum: 16,
      default: 512,
      description: 'Most tokens of a reply; one that is cut off gives no rating. Reasoning models need more.',
    },
    lengthField: {
      enum: ['max_tokens', 'max_completion_tokens'],
      default: 'max_tokens',
      description: 'What the endpoint calls that.',
    },
    retest: {
      type: 'number',
      minimum: 0,
      maximum: 1,
      default: 0.1,
      description: 'Share of the texts that are asked a second time, to tell how far the judge agrees with itself.',
    },
  },
  unavailable: ({ dataset }) => (dataset.modality === 'text' ? undefined : 'the judge reads texts'),
  asks: ({ retest, maxTokens }) => {
    const rounds = 1 + retest;
    const questions = rounds * RATINGS.length;
    return {
      requests: questions,
      promptTokens: rounds * PROMPT_TOKENS,
      texts: questions,
      replyTokens: questions * Math.min(REPLY_TOKENS, maxTokens),
    };
  },
  replyOptions: ({ model, temperature, maxTokens }) => ({ model, temperature, maxTokens }),
  async open({ options, chat, replies }) {
    if (!chat) throw new UserError('judge openai: expected --judge-url and --judge-model; found no endpoint to ask.');
    const ask = asker(options, chat, replies);
    const rateRow = async (row: JudgedRow): Promise<Rating> => {
      const { scores, reason, later } = await ask(row, 0);
      const rating: Rating = { ...scores, ...(reason === undefined ? {} : { reason, later }) };
      if (reason !== undefined || !isSampled(row, options.retest)) return rating;
      return { ...rating, again: (await ask(row, 1)).scores };
    };
    return {
      description:
        `${options.model} at ${chat.endpoint}: concept, instruction and fluency (AxBench's ratings), each asked by itself and ` +
        `explained first; ${Math.round(100 * options.retest)} % of the texts asked twice.`,
      async rate(rows) {
        // All that were asked for are kept before an abort or a refusal is told.
        const settled = await Promise.allSettled(rows.map(rateRow));
        return settled.map((each) => {
          if (each.status === 'rejected') throw each.reason;
          return each.value;
        });
      },
      dispose() {},
    };
  },
});
