/** @file Options of the scripts that `npm run` starts: a mistake or `--help` is answered in one line. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Parsed<T extends NonNullable<ParseArgsConfig['options']>> = ReturnType<typeof parseArgs<{ options: T }>>['values'];

/**
 * The values of `options` on the command line. `--help` prints the usage and ends the process; an unknown option or one without
 * its value prints a line to stderr and ends it with 2.
 *
 * @param script As in `npm run SCRIPT`.
 * @param usage What may follow `npm run SCRIPT --`.
 */
export function perfOptions<T extends NonNullable<ParseArgsConfig['options']>>(
  script: string,
  usage: string,
  options: T,
): Parsed<T> {
  const line = `usage: npm run ${script} -- ${usage}`;
  if (process.argv.slice(2).includes('--help')) {
    console.log(line);
    process.exit(0);
  }
  try {
    return parseArgs({ options }).values as Parsed<T>;
  } catch (error) {
    const [message] = (error as Error).message.split(/(?<=\.) /);
    console.error(`${script}: ${message!.replace(/\.?$/, '')}; ${line}`);
    process.exit(2);
  }
}
