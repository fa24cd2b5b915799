/** @file What a subject's card (the README.md of its folder) declares for the readers of results. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

const CARD = 'README.md';
/** Cards of published models are below 100 kB; one that is larger declares nothing here. */
const MAX_CARD_BYTES = 1_000_000;
/** Begins a line that is meant for results; Markdown shows it as a quotation. */
const DECLARED = /^> saxbench: *(.*?)\.? *$/gm;
/** A remark stands below the title of every table of the subject. */
const MAX_REMARK = 400;

/**
 * The remarks that a subject's card declares: the rest of each line that begins with `> saxbench:`. They are no part of
 * any key, as the card is no part of the subject's fingerprint; a card in another encoding is read as far as it goes.
 *
 * @throws UserError when a remark is empty or too long.
 */
export async function cardRemarks(folder: string): Promise<string[]> {
  const card = join(folder, CARD);
  const found = await stat(card).catch(() => undefined);
  if (!found?.isFile() || found.size > MAX_CARD_BYTES) return [];
  const text = await readFile(card, 'utf8');
  const remarks = [...text.replaceAll('\r', '').matchAll(DECLARED)].map((match) => match[1]!);
  for (const remark of remarks) {
    if (remark !== '' && remark.length <= MAX_REMARK) continue;
    throw new UserError(
      `subject ${card}: a line '> saxbench: …': expected 1 to ${MAX_REMARK} characters, found ${remark.length}.`,
    );
  }
  return remarks;
}
