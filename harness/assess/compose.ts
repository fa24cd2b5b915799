/** @file Puts a set of questions together: in any order, with repeats and attention checks among them, the answers apart. */
import type { Rng } from '../num/rng.ts';
import type { AssessmentExample, AssessmentItem } from '../schema/assessment-item.generated.ts';
import type { KeyItem } from '../schema/assessment-key.generated.ts';
import { PROTOCOLS, type ProtocolId } from './protocols.ts';
import type { Question } from './questions.ts';

/** A question with what is seen of it. */
export interface RenderedQuestion extends Pick<Question, 'latents' | 'gold'> {
  references: AssessmentExample[];
  groups: AssessmentExample[][];
}

export interface ComposedSet {
  items: AssessmentItem[];
  key: KeyItem[];
}

/** Share of questions that are asked a second time. */
const REPEATED = 0.1;
/** Share of attention checks, and the fewest: a slip in one of four must not exclude anybody. */
const CHECKED = 0.05;
const LEAST_CHECKS = 4;
/** Of what is asked in all, the least between a question and its repeat. */
const APART = 1 / 3;

/** The word that an attention check among names asks for. */
const CHECK_WORD = 'attention';

type Entry = { item: AssessmentItem; key: KeyItem };

/** What an item shows in a new order of its groups, and what is right then. */
function presented(question: RenderedQuestion, id: string, rng: Rng): Entry {
  const { references, groups, latents, gold } = question;
  const order = groups.length > 1 ? Array.from(rng.permutation(groups.length)) : undefined;
  const right = typeof gold === 'number' ? String((order ?? [gold]).indexOf(gold) + 1) : gold;
  return {
    item: {
      id,
      ...(references.length > 0 ? { references } : {}),
      groups: order ? order.map((i) => groups[i]!) : groups,
    },
    key: {
      ...{ id, kind: 'question' as const },
      // Of a pair each group has its own latent.
      latents: latents.length > 1 && order ? order.map((i) => latents[i]!) : latents,
      ...(order ? { order } : {}),
      gold: right,
    },
  };
}

/** An item that looks like any other, and says what to answer. */
function check(question: RenderedQuestion, protocol: ProtocolId, id: string, rng: Rng): Entry {
  const { item } = presented(question, id, rng);
  const { answer } = PROTOCOLS[protocol];
  const gold =
    answer === 'words'
      ? CHECK_WORD
      : answer === 'yes-no'
        ? rng.choice(['yes', 'no'])
        : String(1 + rng.int(item.groups.length));
  const what = answer === 'words' ? `type the word ${gold}` : `answer ${gold}, whatever you see`;
  return { item: { ...item, note: `Attention check: ${what}.` }, key: { id, kind: 'check', latents: [], gold } };
}

/**
 * The questions in any order; a tenth of them a second time, at least a third of the set later and in a new order of their
 * groups; attention checks at even distances. Ids are random: nothing of an item tells of its method or its answer.
 */
export function composeSet(questions: readonly RenderedQuestion[], protocol: ProtocolId, rng: Rng): ComposedSet {
  const ids = new Set<string>();
  const hex = (digits: number) =>
    rng
      .int(16 ** digits)
      .toString(16)
      .padStart(digits, '0');
  const newId = (): string => {
    // With a letter first, no spreadsheet takes it for a number.
    const id = rng.choice('abcdef') + hex(5) + hex(6);
    if (ids.has(id)) return newId();
    ids.add(id);
    return id;
  };
  const order = rng.shuffle(questions.map((_, i) => i));
  const entries = order.map((i) => presented(questions[i]!, newId(), rng));
  const apart = Math.ceil(entries.length * APART);
  // Of the first ones, or nothing would be left to put between.
  const early = rng.shuffle(Array.from({ length: entries.length - apart }, (_, i) => i));
  const repeats = early.slice(0, Math.min(early.length, Math.ceil(REPEATED * entries.length))).map((place) => {
    const { item, key } = presented(questions[order[place]!]!, newId(), rng);
    const after = place + apart + rng.int(entries.length - place - apart + 1);
    return { after, entry: { item, key: { ...key, kind: 'repeat' as const, of: entries[place]!.item.id } } };
  });
  const checks = Math.max(LEAST_CHECKS, Math.ceil(CHECKED * entries.length));
  const between = Array.from({ length: checks }, (_, c) => ({
    after: Math.floor(((c + 0.5) * entries.length) / checks),
    entry: check(questions[rng.int(questions.length)]!, protocol, newId(), rng),
  }));
  const added = [...repeats, ...between];
  const all = Array.from({ length: entries.length + 1 }, (_, place) => [
    ...added.filter(({ after }) => after === place).map(({ entry }) => entry),
    ...entries.slice(place, place + 1),
  ]).flat();
  return { items: all.map(({ item }) => item), key: all.map(({ key }) => key) };
}
