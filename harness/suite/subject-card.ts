/** @file What a subject's card (the README.md of its folder) declares for the readers of results. */
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '../errors.ts';

const CARD = 'README.md';
/** Cards of published models are below 100 kB; one that is larger declares nothing here. */
const MAX_CARD_BYTES = 1_000_000;
/** Begins a line that is meant for results, with what it declares; Markdown shows it as a quotation. */
const DECLARED = /^> saxbench(-[\w-]*)?: *(.*?)\.? *$/gm;
const PLANTED = '-planted';
/** A remark stands below the title of every table of the subject. */
const MAX_REMARK = 400;

export interface CardDeclarations {
  /** Of lines that begin with `> saxbench:`. */
  remarks: string[];
  /** Of the line that begins with `> saxbench-planted:`: which interventions the model was trained with. */
  planted?: string;
}

/**
 * What a subject's card declares: the rest of each line that begins with `> saxbench:` or `> saxbench-planted:`. It is no part
 * of any key, as the card is no part of the subject's fingerprint; a card in another encoding is read as far as it goes.
 *
 * @throws UserError when a declaration is unknown, empty or too long, or interventions are declared twice.
 */
export async function cardDeclarations(folder: string): Promise<CardDeclarations> {
  const card = join(folder, CARD);
  const found = await stat(card).catch(() => undefined);
  if (!found?.isFile() || found.size > MAX_CARD_BYTES) return { remarks: [] };
  const text = await readFile(card, 'utf8');
  const declared = [...text.replaceAll('\r', '').matchAll(DECLARED)].map(([, what = '', said]) => ({
    what,
    said: said!,
  }));
  for (const { what, said } of declared) {
    const line = `subject ${card}: a line '> saxbench${what}: …'`;
    if (what !== '' && what !== PLANTED) {
      throw new UserError(`${line}: expected '> saxbench: …' or '> saxbench${PLANTED}: …'.`);
    }
    if (said !== '' && said.length <= MAX_REMARK) continue;
    throw new UserError(`${line}: expected 1 to ${MAX_REMARK} characters, found ${said.length}.`);
  }
  const planted = declared.filter(({ what }) => what === PLANTED);
  if (planted.length > 1) {
    throw new UserError(
      `subject ${card}: expected one line '> saxbench${PLANTED}: …' that names all interventions; found ${planted.length}.`,
    );
  }
  const remarks = declared.filter(({ what }) => what === '').map(({ said }) => said);
  return { remarks, ...(planted[0] ? { planted: planted[0].said } : {}) };
}
