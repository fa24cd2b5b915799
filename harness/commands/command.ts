/** @file What a command is: its words for `--help`, and what it does. */
import type { Values } from '../config/read.ts';
import type { CommandName } from '../config/settings.ts';

export interface CommandContext {
  /** Settings of the command, merged from flags, environment, config file and defaults. */
  values: Values;
  /** Positional arguments by name. */
  positionals: Record<string, string | undefined>;
  /** The arguments as the shell gave them, for provenance. */
  passed: string[];
  /** Aborts on Ctrl-C. */
  signal: AbortSignal;
  /** Prints to stdout. */
  print(text: string): void;
  /** Prints to stderr: what is not the command's output. */
  say(text: string): void;
}

/** Modules of commands load at every start: what is heavy is imported inside `run`. */
export interface Command {
  name: CommandName;
  /** Name with positionals, as yargs writes them: `run [suite]`. */
  usage: string;
  summary: string;
  positionals: Record<string, { description: string; default?: string; choices?: readonly string[] }>;
  examples: readonly (readonly [string, string])[];
  /** @returns The exit code. */
  run(context: CommandContext): Promise<number>;
}
