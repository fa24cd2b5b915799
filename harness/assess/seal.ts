/** @file A set as files: what raters see, by lines, and the sealed key that the first line names by its hash. */

import { sha256 } from '../io/hash.ts';
import { canonicalJson } from '../io/json.ts';
import { createRng } from '../num/rng.ts';
import type { AssessmentItem } from '../schema/assessment-item.generated.ts';
import type { AssessmentKey } from '../schema/assessment-key.generated.ts';
import type { AssessmentSet } from '../schema/assessment-set.generated.ts';
import type { Result } from '../schema/result.generated.ts';
import { composeSet } from './compose.ts';
import type { DrawnSet } from './draw-set.ts';
import type { ProtocolId } from './protocols.ts';

/** The files of a set. */
export const ITEMS = 'items.jsonl';
export const KEY = 'key.json';

/** Digits of the hash that names a set. */
const DIGITS = 15;

/** The name of a set: ratings say which they are of. With a letter first, no spreadsheet takes it for a number. */
export const setName = (lines: readonly string[]): string => `s${sha256(lines.join('\n')).slice(0, DIGITS)}`;

export interface SealedSet {
  header: AssessmentSet;
  items: AssessmentItem[];
  /** The texts of items.jsonl and key.json. */
  itemsText: string;
  keyText: string;
}

/**
 * @param templates Of each method of the set a result without rows.
 * @param run The run's folder, from that of the key.
 */
export function sealSet(
  { modality, methods, latents, questions, rule }: DrawnSet,
  templates: readonly Result[],
  { protocol, seed, run }: { protocol: ProtocolId; seed: number; run: string },
): SealedSet {
  // Who knows the seed alone must not know the order: the keys of fits are of the run.
  const secret = sha256(methods.map(({ fit }) => fit.key).join());
  const composed = composeSet(questions, protocol, createRng(seed).fork(`order ${secret}`));
  const lines = composed.items.map((item) => canonicalJson(item));
  const set = setName(lines);
  const key: AssessmentKey = {
    ...{ format: 1, protocol, set, seed, rule, run },
    methods: methods.map(({ eligible }, i) => ({ eligible, result: templates[i]! })),
    ...{ latents, items: composed.key },
  };
  const keyText = `${canonicalJson(key, 1)}\n`;
  const header: AssessmentSet = {
    ...{ format: 1, protocol, set, key: sha256(keyText), items: lines.length, modality },
  };
  return { header, items: composed.items, itemsText: `${[canonicalJson(header), ...lines].join('\n')}\n`, keyText };
}
