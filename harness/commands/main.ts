/** @file Parses the command line and runs one command. */
import yargs from 'yargs';
import { readSettings } from '../config/read.ts';
import { environmentName, type Setting, settingsOf } from '../config/settings.ts';
import { suggest, UserError, unknownName } from '../errors.ts';
import { packageVersion } from '../paths.ts';
import { pluginFault } from '../plugin-fault.ts';
import { command as assess } from './assess.ts';
import type { Command, CommandContext } from './command.ts';
import { command as compare } from './compare.ts';
import { command as convert } from './convert.ts';
import { command as doctor } from './doctor.ts';
import { command as fetchKnown } from './fetch.ts';
import { command as history } from './history.ts';
import { command as ls } from './ls.ts';
import { command as create } from './new.ts';
import { command as report } from './report.ts';
import { command as run } from './run.ts';
import { command as store } from './store.ts';
import { command as submit } from './submit.ts';
import { command as train } from './train.ts';
import { command as validate } from './validate.ts';
import { command as verify } from './verify.ts';

const COMMANDS: readonly Command[] = [
  run,
  train,
  report,
  compare,
  history,
  assess,
  ls,
  fetchKnown,
  store,
  validate,
  convert,
  create,
  submit,
  verify,
  doctor,
];

const names = COMMANDS.map(({ name }) => name);

function optionOf(setting: Setting) {
  const { type, description, choices, value } = setting;
  return {
    type: type === 'boolean' ? ('boolean' as const) : ('string' as const),
    requiresArg: type !== 'boolean',
    // The default is shown but not set: what the command line does not say, the environment or a config file may.
    description: `${description}${choices ? ` One of ${choices.join(', ')}.` : ''} [${environmentName(setting)}]`,
    defaultDescription: setting.default === undefined ? undefined : String(setting.default),
    ...(value ? { nargs: 1 } : {}),
  };
}

function checkFlags(command: Command, argv: Record<string, unknown>): void {
  const known = [...settingsOf(command.name).map(({ name }) => name), 'help', 'version'];
  const allowed = new Set([...known, ...Object.keys(command.positionals), '_', '$0']);
  for (const name of Object.keys(argv)) {
    if (allowed.has(name)) continue;
    const close = suggest(name, known).map((candidate) => `--${candidate}`);
    const hint = close.length > 0 ? ` Did you mean: ${close.join(', ')}?` : '';
    throw new UserError(`${command.name}: unknown flag --${name}.${hint} See saxbench ${command.name} --help.`);
  }
  const extra = (argv['_'] as unknown[]).slice(1);
  if (extra.length > 0) throw new UserError(`${command.name}: unexpected argument '${String(extra[0])}'.`);
}

/** yargs takes any value of a switch but `true` for false. */
function checkSwitches(command: Command, passed: readonly string[]): void {
  for (const { name } of settingsOf(command.name).filter(({ type }) => type === 'boolean')) {
    const wrong = passed.find((text) => text.startsWith(`--${name}=`));
    if (wrong === undefined || /=(true|false)$/.test(wrong)) continue;
    throw new UserError(`${command.name}: expected --${name} or --no-${name}; found '${wrong}'.`);
  }
}

async function execute(
  command: Command,
  argv: Record<string, unknown>,
  passed: string[],
  terminal: Terminal,
): Promise<number> {
  checkFlags(command, argv);
  checkSwitches(command, passed);
  const positionals: Record<string, string | undefined> = {};
  for (const [name, { choices, default: fallback }] of Object.entries(command.positionals)) {
    const value = (argv[name] ?? fallback) as string | undefined;
    if (value === '') throw new UserError(`${command.name}: expected <${name}>; found "".`);
    if (value !== undefined && choices && !choices.includes(value)) throw unknownName(name, value, choices);
    positionals[name] = value;
  }
  const values = await readSettings(command.name, argv);
  try {
    return await command.run({ values, positionals, passed, ...terminal });
  } catch (error) {
    throw pluginFault(error) ?? error;
  }
}

/** yargs' own complaint in the words of the command that it is about. */
function usageMistake(message: string, passed: readonly string[]): string {
  const command = COMMANDS.find(({ name }) => passed.includes(name));
  if (command && message.startsWith('Not enough non-option arguments')) {
    const given = Number(/got (\d+)/.exec(message)?.[1] ?? 0);
    const [name, { description, choices }] = Object.entries(command.positionals)[given]!;
    const expected = choices ? `one of ${choices.join(', ')}` : description.toLowerCase();
    return `${command.name}: expected <${name}>: ${expected}; found nothing.`;
  }
  return `${message.split('\n')[0]}. See saxbench ${command ? `${command.name} ` : ''}--help.`;
}

/** What a command may use of the process. */
export type Terminal = Pick<CommandContext, 'signal' | 'print' | 'say'>;

/**
 * Runs the command line.
 *
 * @returns The exit code.
 * @throws UserError for what the person can mend; an `AbortError` when stopped.
 */
export async function main(passed: string[], terminal: Terminal): Promise<number> {
  let code = 0;
  let parser = yargs(passed)
    .scriptName('saxbench')
    .usage('$0 <command>\n\nBenchmarks sparse autoencoders against simple baselines on language and vision models.')
    .parserConfiguration({
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
    })
    .exitProcess(false)
    .version(packageVersion())
    .wrap(Math.min(120, process.stdout.columns ?? 100))
    .epilogue('Every flag is also a key of saxbench.config.json and the environment variable in brackets.')
    .fail((message, error) => {
      // yargs throws its own class for a flag without its value.
      throw error && error.name !== 'YError' ? error : new UserError(usageMistake(error?.message ?? message, passed));
    })
    .command(
      '$0',
      false,
      () => {},
      (argv) => {
        const [name] = argv._;
        if (name === undefined) throw new UserError(`expected a command: ${names.join(', ')}. See saxbench --help.`);
        throw unknownName('command', String(name), names);
      },
    );
  for (const command of COMMANDS) {
    parser = parser.command(
      command.usage,
      command.summary,
      (builder) => {
        for (const [name, { description, default: fallback, choices }] of Object.entries(command.positionals)) {
          const text = choices ? `${description}: ${choices.join(', ')}` : description;
          builder.positional(name, { description: text, type: 'string', defaultDescription: fallback });
        }
        for (const setting of settingsOf(command.name)) builder.option(setting.name, optionOf(setting));
        for (const [example, meaning] of command.examples) builder.example(example, meaning);
      },
      async (argv) => {
        code = await execute(command, argv, passed, terminal);
      },
    );
  }
  await parser.parseAsync(passed, {}, (_error, _argv, output) => {
    if (output) terminal.print(output);
  });
  return code;
}
