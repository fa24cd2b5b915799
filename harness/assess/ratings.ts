/** @file Reads what raters saved: every field checked, no answer twice, nothing of another set. */
import { shown, UserError } from '../errors.ts';
import { readCsvRows } from '../io/csv.ts';
import { sha256File } from '../io/hash.ts';
import type { AssessmentItem } from '../schema/assessment-item.generated.ts';
import { NAME_LENGTH, PROTOCOLS, type ProtocolId } from './protocols.ts';

/** One answer; skipped ones are left out. */
export interface Rating {
  rater: string;
  item: string;
  answer: string;
  seconds: number;
}

const HEADER = ['set', 'rater', 'item', 'answer', 'seconds'];
const RATER_LENGTH = 60;
const DAY = 86_400;

export interface RatedSet {
  set: string;
  protocol: ProtocolId;
  items: readonly AssessmentItem[];
}

/** Answers that a question can have, in words; undefined where the given one is one of them. */
function wrongAnswer(answer: string, { groups }: AssessmentItem, protocol: ProtocolId): string | undefined {
  switch (PROTOCOLS[protocol].answer) {
    case 'group':
      return /^[1-9]\d?$/.test(answer) && Number(answer) <= groups.length
        ? undefined
        : `a number of 1 to ${groups.length}`;
    case 'yes-no':
      return answer === 'yes' || answer === 'no' ? undefined : 'yes or no';
    default:
      return answer.length <= NAME_LENGTH && /[\p{L}\p{N}]/u.test(answer)
        ? undefined
        : `words of at most ${NAME_LENGTH} characters`;
  }
}

/**
 * The ratings of several files. An empty answer is a skipped question: missing.
 *
 * @throws UserError naming file, line, expected and found.
 */
export async function readRatings(files: readonly string[], { set, protocol, items }: RatedSet): Promise<Rating[]> {
  const byId = new Map(items.map((item) => [item.id, item]));
  const ratings: Rating[] = [];
  const seen = new Map<string, string>();
  const known = new Map<string, string>();
  for (const file of files) {
    const hash = await sha256File(file);
    const same = known.get(hash);
    if (same !== undefined) throw new UserError(`ratings ${file}: has the same content as ${same}: name it once.`);
    known.set(hash, file);
    let first = true;
    for await (const { fields, line } of readCsvRows(file, { delimiter: ',' })) {
      const at = `ratings ${file}: line ${line}`;
      const fail = (expected: string, found: unknown): never => {
        throw new UserError(`${at}: expected ${expected}; found ${shown(found)}.`);
      };
      if (first) {
        first = false;
        if (fields.join() !== HEADER.join()) fail(`the header ${HEADER.join()}`, fields.join());
        continue;
      }
      if (fields.length !== HEADER.length)
        fail(`${HEADER.length} fields, ${HEADER.join()} (was the file cut off?)`, fields.length);
      const [ofSet, rater, id, answer, seconds] = fields as [string, string, string, string, string];
      if (ofSet !== set) fail(`ratings of the set ${set}, that of this folder`, ofSet);
      if (!/\S/.test(rater) || rater.length > RATER_LENGTH)
        fail(`a rater's name of 1 to ${RATER_LENGTH} characters`, rater);
      const item = byId.get(id) ?? fail('an item of the set', id);
      const time = /^\d+(\.\d+)?$/.test(seconds) ? Number(seconds) : Number.NaN;
      if (!(time <= DAY)) fail('seconds of 0 to a day', seconds);
      const key = JSON.stringify([rater, id]);
      const before = seen.get(key);
      if (before !== undefined) {
        throw new UserError(
          `${at}: expected one answer of the rater '${rater}' to the item ${id}; it has one at ${before}: two people need two names, and of files of one person the latest has all.`,
        );
      }
      seen.set(key, `${file}: line ${line}`);
      if (answer === '') continue;
      const expected = wrongAnswer(answer, item, protocol);
      if (expected !== undefined) fail(`${expected}, or nothing for a skipped question`, answer);
      ratings.push({ rater, item: id, answer, seconds: time });
    }
    if (first) throw new UserError(`ratings ${file}: expected the header ${HEADER.join()}; the file is empty.`);
  }
  return ratings;
}
