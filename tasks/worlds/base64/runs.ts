/** @file Runs of base64 in a text: what counts as one, and the encoding itself. */

/** A run has at least so many characters, its padding not counted. */
export const LEAST_RUN = 20;
/**
 * Least share of neighbouring characters of different classes (capital, small letter, digit, + or /), where a single capital
 * between small letters counts once. Random bytes have .57 on average, names in camel case with numbers about .2.
 */
const LEAST_CHANGES = 0.35;

const CLASSES = [/[A-Z]/, /[a-z]/, /[0-9]/, /[+/]/] as const;
const classOf = (character: string) => CLASSES.findIndex((each) => each.test(character));

/**
 * The base64 runs of a text: {@link LEAST_RUN} or more characters of the alphabet in a row, with capitals, small letters and
 * digits that change often. What is of that alphabet too is none: words, hexadecimal digits, paths, names in camel case.
 */
export function base64Runs(text: string): string[] {
  const long = text.match(new RegExp(`[A-Za-z0-9+/]{${LEAST_RUN},}`, 'g')) ?? [];
  return long.filter((run) => {
    const classes = [...run].map(classOf);
    const changes = classes.filter((each, i) => i > 0 && each !== classes[i - 1]).length;
    const humps = run.match(/(?<=[a-z])[A-Z](?=[a-z])/g)?.length ?? 0;
    return [0, 1, 2].every((each) => classes.includes(each)) && changes - humps >= LEAST_CHANGES * (run.length - 1);
  });
}

/** Base64 of some bytes, with padding (RFC 4648). */
export const encoded = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
