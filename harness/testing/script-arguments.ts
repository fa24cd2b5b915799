/** @file Options of the scripts that `npm run` starts: a mistake or `--help` is answered in one line. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

/** A line to stderr; ends the process with 2. */
export function refuse(script: string, what: string): never {
  console.error(`${script}: ${what}`);
  process.exit(2);
}

/** The whole number of at least 1 that an option gives; refuses any other text. */
export function wholeNumber(script: string, option: string, text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  return refuse(script, `--${option}: expected a whole number of at least 1, found '${text}'.`);
}

type Parsed<T extends NonNullable<ParseArgsConfig['options']>> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * What stands on the command line. `--help` prints the usage and ends the process; an unknown option or one without its value
 * prints a line to stderr and ends it with 2.
 *
 * @param script As in `npm run SCRIPT`.
 * @param usage What may follow `npm run SCRIPT --`.
 * @param beside Whether there may be names beside the options.
 */
export function scriptArguments<T extends NonNullable<ParseArgsConfig['options']>>(
  script: string,
  usage: string,
  options: T,
  beside: 'names' | 'nothing' = 'nothing',
): { values: Parsed<T>; positionals: string[] } {
  const line = `usage: npm run ${script} -- ${usage}`;
  if (process.argv.slice(2).includes('--help')) {
    console.log(line);
    process.exit(0);
  }
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: beside === 'names' });
    return { values: values as Parsed<T>, positionals };
  } catch (error) {
    const [message] = (error as Error).message.split(/(?<=\.) /);
    return refuse(script, `${message!.replace(/\.?$/, '')}; ${line}`);
  }
}
