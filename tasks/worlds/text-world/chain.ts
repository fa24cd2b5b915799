/**
 * @file Chains: documents whose theme follows a hidden Markov chain over their clauses and so may change in mid-document.
 * Text that can only be predicted by who knows, at every token, what it is about by now.
 */
import type { Rng } from '../../../harness/contract.ts';
import { laterClauses } from './clauses.ts';
import type { Concept, Topic } from './concepts.ts';
import { addCapitals, connector, opener } from './document.ts';
import { type Node, sample, seq } from './grammar.ts';
import { themesOf } from './theme.ts';

/** Probability that a clause has the theme of the one before it; else any other theme, all alike. */
export const STAY = 0.93;

/** Number of clauses of a chain: each from the first to the last bound is as likely as any other. */
export const CHAIN_CLAUSES: readonly [number, number] = [3, 8];

/**
 * Where a clause stands: `first` in its response, on the topic and with an aside of its theme; the first of a theme that has
 * taken over, which `begins` likewise with an aside; or one that `goes-on` with the theme of the clause before.
 */
export type ChainPlace = 'first' | 'begins' | 'goes-on';

/** A clause of a chain: characters [start, end) of the text, from what joins it to the clause before on. */
export interface ChainClause {
  readonly start: number;
  readonly end: number;
  /** The hidden state. */
  readonly theme: string;
}

/** A document with its hidden chain. */
export interface ChainDocument {
  /** Instruction, line break, response. */
  readonly text: string;
  readonly topic: string;
  readonly clauses: readonly ChainClause[];
}

/** What is forced in a chain; everything else is drawn. */
export interface ChainOptions {
  readonly clauses?: number;
  /** The theme of the first clause. */
  readonly theme?: string;
  readonly topic?: string;
  /** In place of `STAY`. */
  readonly stay?: number;
}

/** The chains over some concepts and topics. */
export interface Chains {
  readonly concepts: readonly Concept[];
  /** Draws a chain. @throws Error for an unknown theme or topic. */
  draw(rng: Rng, options?: ChainOptions): ChainDocument;
  /** What a clause is drawn from, from what joins it to the clause before on to its closer. */
  clause(topic: string, theme: string, place: ChainPlace): Node;
}

/** Chains over these concepts and topics: their hidden states are the concepts, as themes. */
export function createChains(concepts: readonly Concept[], topics: readonly Topic[]): Chains {
  const themeOf = themesOf(concepts);
  const later = laterClauses(concepts, themeOf);
  const made = new Map<string, Record<ChainPlace, Node>>();
  const find = <T extends { id: string }>(list: readonly T[], id: string, what: string): T => {
    const found = list.find((each) => each.id === id);
    if (!found) throw new Error(`text-world: unknown ${what} '${id}'`);
    return found;
  };

  const clause: Chains['clause'] = (topicId, themeId, place) => {
    const key = `${topicId} ${themeId}`;
    let places = made.get(key);
    if (!places) {
      const topic = find(topics, topicId, 'topic');
      const concept = find(concepts, themeId, 'theme');
      const { clauseOf, firstCloser, closer } = themeOf(themeId)!;
      const subject = later(topic, concept);
      places = {
        first: seq(opener, clauseOf(topic), firstCloser),
        begins: seq(connector, opener, subject, firstCloser),
        'goes-on': seq(connector, opener, subject, closer),
      };
      made.set(key, places);
    }
    return places[place];
  };

  const draw: Chains['draw'] = (rng, options = {}) => {
    const { stay = STAY } = options;
    const [least, most] = CHAIN_CLAUSES;
    const count = options.clauses ?? least + rng.int(most - least + 1);
    const topic = options.topic === undefined ? rng.choice(topics) : find(topics, options.topic, 'topic');
    let plain = `${sample(topic.instruction, rng).text}\n`;
    let theme = options.theme ?? rng.choice(concepts).id;
    const clauses: ChainClause[] = [];
    for (let i = 0; i < count; i++) {
      const changes = i > 0 && rng.uniform() >= stay;
      if (changes) theme = rng.choice(concepts.filter(({ id }) => id !== theme)).id;
      const start = plain.length;
      plain += sample(clause(topic.id, theme, i === 0 ? 'first' : changes ? 'begins' : 'goes-on'), rng).text;
      clauses.push({ start, end: plain.length, theme });
    }
    return { text: addCapitals(`${plain}.`), topic: topic.id, clauses };
  };

  return { concepts, draw, clause };
}
