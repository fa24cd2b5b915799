/** @file Options as a command line gives them: `name=value`. */
import { UserError } from '../errors.ts';

/** JSON where it is some; else a text. */
export function parsedValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/**
 * `k=32` → ['k', 32].
 *
 * @param flag The flag that it was given to, for the message.
 * @param example A value that the flag takes.
 * @throws UserError for another form.
 */
function namedOption(text: string, flag: string, example: string): [string, unknown] {
  const cut = text.indexOf('=');
  if (cut < 1) throw new UserError(`${flag}: expected NAME=VALUE, as in ${flag} ${example}; found '${text}'.`);
  return [text.slice(0, cut), parsedValue(text.slice(cut + 1))];
}

/** All options that a flag was given, by name. @throws UserError for another form, or a name that comes twice. */
export function namedOptions(given: readonly string[] = [], flag: string, example: string): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const text of given) {
    const [name, value] = namedOption(text, flag, example);
    if (Object.hasOwn(options, name)) throw new UserError(`${flag} ${text}: '${name}' is given twice; keep one.`);
    options[name] = value;
  }
  return options;
}

/**
 * Options of which one text may hold several: `architecture=topk,k=32`.
 *
 * @throws UserError for another form, or a name that comes twice.
 */
export function listedOptions(given: readonly string[] = [], flag: string, example: string): Record<string, unknown> {
  return namedOptions(
    given.flatMap((text) => text.split(',')),
    flag,
    example,
  );
}
