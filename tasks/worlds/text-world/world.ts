/** @file The text world: documents on a topic into which concepts are woven, with exact probabilities. */
import type { Rng } from '../../../harness/contract.ts';
import { clauseCounts, clauseOdds, closer, connector, instructionGrammar, opener, removeCapitals } from './document.ts';
import type { GenerateOptions, TextDocument } from './generate.ts';
import { createGenerator } from './generate.ts';
import type { Node } from './grammar.ts';
import { choice, compileClauses, entropy, seq, text } from './grammar.ts';
import { domains, topics } from './lexicon/index.ts';
import type { ConceptSpec, TopicSpec } from './lexicon/lexicon.ts';
import type { Match } from './parse.ts';
import { parse } from './parse.ts';
import type { Look, Recognition } from './recognise.ts';
import { createRecogniser } from './recognise.ts';

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

/** The text world. It has no state: the same calls give the same results. */
export interface TextWorld {
  readonly concepts: readonly Concept[];
  readonly topics: readonly Topic[];
  /** Exact entropy of the default distribution, in nats per document (the end of the document included). */
  readonly entropyPerDocument: number;
  /** Draws a document; forced choices change what is drawn, never the `logProb`, which is that of the default. */
  generate(rng: Rng, options?: GenerateOptions): TextDocument;
  /** Inverts `generate`: derivations, spans and log-probability, or null for a text outside the world. */
  parse(text: string): Match | null;
  /** Log-probability of a whole document in nats, its end included; -Infinity outside the world. */
  logProb(text: string): number;
  /** Which concepts and which topic any text shows. */
  recognise(text: string): Recognition;
  /** The same, for those concepts and topics only that are asked for. */
  look(text: string): Look;
}

/** Builds the text world. The vocabulary is fixed; randomness is in the `rng` given to `generate`. */
export function createTextWorld(): TextWorld {
  const concepts: Concept[] = domains.flatMap(({ domain, clinical, concepts: specs }) =>
    specs.map((spec) => ({
      id: spec.id,
      label: spec.label,
      description: spec.description,
      domain,
      clinical,
      spec,
      clause: { kind: 'tag', role: 'concept', id: spec.id, body: compileClauses(spec, spec.id) },
    })),
  );
  const worldTopics: Topic[] = topics.map((spec) => ({
    id: spec.id,
    names: spec.names,
    spec,
    instruction: { kind: 'tag', role: 'instruction', id: spec.id, body: instructionGrammar(spec.names) },
    clause: { kind: 'tag', role: 'topic', id: spec.id, body: compileClauses(spec, spec.id) },
  }));
  let grammar: Node | undefined;
  const wholeGrammar = (): Node => {
    grammar ??= documentGrammar(concepts, worldTopics);
    return grammar;
  };
  const parseText = (full: string): Match | null => {
    const plain = removeCapitals(full);
    return plain === null ? null : parse(wholeGrammar(), plain);
  };
  let made: ReturnType<typeof createRecogniser> | undefined;
  const recogniser = () => {
    made ??= createRecogniser(concepts, worldTopics);
    return made;
  };
  return {
    concepts,
    topics: worldTopics,
    get entropyPerDocument() {
      return entropy(wholeGrammar());
    },
    generate: createGenerator(concepts, worldTopics),
    parse: parseText,
    logProb: (full) => parseText(full)?.logProb ?? Number.NEGATIVE_INFINITY,
    recognise: (full) => recogniser().recognise(full),
    look: (full) => recogniser().look(full),
  };
}

/**
 * The whole distribution as one grammar; the generator draws from the same, step by step. What may follow depends on
 * the concept spoken of last, so nodes are shared between the ways that lead to them: a graph without cycles.
 */
function documentGrammar(concepts: readonly Concept[], worldTopics: readonly Topic[]): Node {
  const perTopic = worldTopics.map((topic) => {
    const known = new Map<string, Node>();
    const shared = (key: string, make: () => Node): Node => {
      const node = known.get(key) ?? make();
      known.set(key, node);
      return node;
    };
    /** A clause on the topic (`null`) or a concept, and all that comes after it. */
    const clause = (on: Concept | null, left: number, last: Concept | null): Node =>
      shared(`clause ${left} ${on ? on.id : `topic after ${last?.id}`}`, () =>
        seq((on ?? topic).clause, closer, rest(left, on ?? last)),
      );
    /** The last `left` clauses. */
    const rest = (left: number, last: Concept | null): Node =>
      shared(`rest ${left} ${last?.id ?? ''}`, () => {
        if (left === 0) return text('.');
        const odds = clauseOdds(last?.id ?? null);
        const others = concepts.filter((concept) => concept !== last);
        const next = [clause(null, left - 1, last), ...others.map((concept) => clause(concept, left - 1, concept))];
        const probs = [odds.topic, ...others.map(() => odds.other / others.length)];
        if (last) {
          next.push(clause(last, left - 1, last));
          probs.push(odds.same);
        }
        return seq(connector, opener, choice(next, probs));
      });
    const responses = clauseCounts.map(({ count }) => seq(opener, topic.clause, closer, rest(count - 1, null)));
    const response = choice(
      responses,
      clauseCounts.map(({ prob }) => prob),
    );
    return seq(topic.instruction, text('\n'), response);
  });
  return choice(
    perTopic,
    worldTopics.map(() => 1 / worldTopics.length),
  );
}
