#!/usr/bin/env node
/** @file The command line: parses, runs one command, and is the only place that exits. */
import yargs from 'yargs';
import type { Command } from './commands/command.ts';
import { command as doctor } from './commands/doctor.ts';
import { command as ls } from './commands/ls.ts';
import { command as report } from './commands/report.ts';
import { command as run } from './commands/run.ts';
import { command as train } from './commands/train.ts';
import { command as validate } from './commands/validate.ts';
import { readSettings } from './config/read.ts';
import { environmentName, type Setting, settingsOf } from './config/settings.ts';
import { suggest, UserError, unknownName } from './errors.ts';
import { packageVersion } from './paths.ts';

const COMMANDS: readonly Command[] = [run, train, report, ls, validate, doctor];

/** Exit codes: a failure of ours or of a step, a mistake of the user, Ctrl-C. */
const EXIT = { failure: 1, user: 2, interrupted: 130 } as const;

const names = COMMANDS.map(({ name }) => name);

/** The first Ctrl-C lets the step in flight stop in order; the second ends the process at once. */
function abortOnInterrupt(): AbortSignal {
  const controller = new AbortController();
  const onSignal = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write('\nStopping after the step in flight; press Ctrl-C again to stop at once.\n');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return controller.signal;
}

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

async function execute(command: Command, argv: Record<string, unknown>, passed: string[]): Promise<number> {
  checkFlags(command, argv);
  const positionals: Record<string, string | undefined> = {};
  for (const [name, { choices, default: fallback }] of Object.entries(command.positionals)) {
    const value = (argv[name] ?? fallback) as string | undefined;
    if (value !== undefined && choices && !choices.includes(value)) throw unknownName(name, value, choices);
    positionals[name] = value;
  }
  return command.run({
    values: await readSettings(command.name, argv),
    positionals,
    passed,
    signal: abortOnInterrupt(),
    print: (text) => process.stdout.write(`${text}\n`),
    say: (text) => process.stderr.write(`${text}\n`),
  });
}

/** Runs the command line and gives the exit code. */
async function main(passed: string[]): Promise<number> {
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
      throw error ?? new UserError(`${message.split('\n')[0]} See saxbench --help.`);
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
        code = await execute(command, argv, passed);
      },
    );
  }
  await parser.parseAsync();
  return code;
}

function explainFailure(error: unknown): number {
  if (error instanceof Error && error.name === 'AbortError') {
    process.stderr.write('Stopped. The same command goes on from here.\n');
    return EXIT.interrupted;
  }
  if (error instanceof UserError) {
    process.stderr.write(`saxbench: ${error.message}\n`);
    return EXIT.user;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`saxbench: internal error; please report it with this text.\n${text}\n`);
  return EXIT.failure;
}

const code = await main(process.argv.slice(2)).catch(explainFailure);
// Pipes are written in the background: leave only when all output is out.
process.stdout.write('', () => process.exit(code));
