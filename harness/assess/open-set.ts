/** @file Opens an exported set: its lines, and the key that belongs to them and to nothing else. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '../errors.ts';
import { sha256 } from '../io/hash.ts';
import { MAX_TEXT_BYTES, parseJson, readText } from '../io/json.ts';
import type { AssessmentItem } from '../schema/assessment-item.generated.ts';
import type { AssessmentKey, KeyItem } from '../schema/assessment-key.generated.ts';
import { validate } from '../schema/validate.ts';
import { ITEMS, KEY, setName } from './seal.ts';

export interface OpenedSet {
  key: AssessmentKey;
  items: AssessmentItem[];
}

const MEND = 'put the files back as `saxbench assess export` wrote them, or export again.';

/** What a key item says that cannot be, if anything. */
function complaint(
  { id, kind, of, latents, order }: KeyItem,
  key: AssessmentKey,
  item: AssessmentItem | undefined,
): string | undefined {
  if (!item) return `item ${id}: is not in ${ITEMS}`;
  if (latents.some((place) => place >= key.latents.length)) return `item ${id}: names a latent that there is not`;
  if (order && [...order].sort((a, b) => a - b).join() !== item.groups.map((_, i) => i).join())
    return `item ${id}: order: is none of its ${item.groups.length} groups`;
  const question = key.items.find((each) => each.id === of);
  return kind === 'repeat' && question?.kind !== 'question' ? `item ${id}: repeats no question` : undefined;
}

/** @throws UserError where files are missing, edited, or of two sets. */
export async function openSet(folder: string): Promise<OpenedSet> {
  const file = join(folder, ITEMS);
  if (!existsSync(file)) {
    throw new UserError(
      `assess import: expected a folder that \`saxbench assess export\` wrote, with ${ITEMS} and ${KEY}; found no ${ITEMS} in ${folder}.`,
    );
  }
  const lines = (await readText(file, 'items', MAX_TEXT_BYTES)).trimEnd().split('\n');
  const header = await validate('assessment-set', parseJson(lines[0]!, `${file}: line 1`), `${file}: line 1`);
  const rest = lines.slice(1);
  if (rest.length !== header.items)
    throw new UserError(`${file}: expected ${header.items} items; found ${rest.length}: ${MEND}`);
  if (setName(rest) !== header.set)
    throw new UserError(`${file}: was edited: its items are not those of the set ${header.set}: ${MEND}`);
  const keyFile = join(folder, KEY);
  const keyText = await readText(keyFile, 'key', MAX_TEXT_BYTES);
  if (sha256(keyText) !== header.key) {
    throw new UserError(
      `${keyFile}: is not the key of the set ${header.set}: its SHA-256 is another than ${ITEMS} names: ${MEND}`,
    );
  }
  const key = await validate('assessment-key', parseJson(keyText, keyFile), keyFile);
  if (key.set !== header.set || key.protocol !== header.protocol || key.items.length !== rest.length) {
    throw new UserError(
      `${keyFile}: expected the key of set ${header.set} (${header.protocol}, ${rest.length} items); found that of ${key.set} (${key.protocol}, ${key.items.length}).`,
    );
  }
  const items: AssessmentItem[] = [];
  for (const [i, line] of rest.entries()) {
    const where = `${file}: line ${i + 2}`;
    items.push(await validate('assessment-item', parseJson(line, where), where));
  }
  const byId = new Map(items.map((item) => [item.id, item]));
  for (const each of key.items) {
    const wrong = complaint(each, key, byId.get(each.id));
    if (wrong !== undefined) throw new UserError(`${keyFile}: ${wrong}: ${MEND}`);
  }
  if (key.latents.some(({ method }) => method >= key.methods.length))
    throw new UserError(`${keyFile}: a latent names a method that there is not: ${MEND}`);
  return { key, items };
}
