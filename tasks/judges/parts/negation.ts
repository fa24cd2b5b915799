/** @file Whether a mention is denied: "no fever" speaks of fever and shows none. */

const NEGATION = /(?:^|[^\p{L}])(?:no|not|never|without|nobody|none|neither|nor|cannot|\p{L}+n['’]t)(?![\p{L}])/iu;
/** How many words before a mention a negation reaches, within its clause. */
const REACH = 4;

/** Whether a negation stands within the four words before character `start`, with no comma, stop or line end between. */
export function denied(text: string, start: number): boolean {
  const clause = text
    .slice(0, start)
    .split(/[.,;:!?\n]/)
    .at(-1)!;
  const near = clause.trim().split(/\s+/).slice(-REACH).join(' ');
  return NEGATION.test(near);
}
