/** @file What the text world speaks of: concepts and topics with their grammars. */
import type { Node } from './grammar.ts';
import type { ConceptSpec, TopicSpec } from './lexicon/lexicon.ts';

/** A concept with its field and its grammar. */
export interface Concept {
  readonly id: string;
  readonly label: string;
  readonly description: string;
  readonly domain: string;
  readonly clinical: boolean;
  readonly spec: ConceptSpec;
  readonly clause: Node;
}

/** A topic with the grammars of its instruction line and of its clauses. */
export interface Topic {
  readonly id: string;
  readonly names: readonly string[];
  readonly spec: TopicSpec;
  readonly instruction: Node;
  readonly clause: Node;
}
