#!/usr/bin/env node
/** @file The command line: the only place that exits. */
import { main } from './commands/main.ts';
import { UserError } from './errors.ts';
import { boundOpenFiles } from './open-files.ts';

/** Exit codes: a failure of ours or of a step, a mistake of the user, Ctrl-C. */
const EXIT = { failure: 1, user: 2, interrupted: 130 } as const;

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

// A reader that has enough (`saxbench ls tasks | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : EXIT.failure));

boundOpenFiles();
const code = await main(process.argv.slice(2), {
  signal: abortOnInterrupt(),
  print: (text) => process.stdout.write(`${text}\n`),
  say: (text) => process.stderr.write(`${text}\n`),
}).catch(explainFailure);
// Pipes are written in the background: leave only when all output is out.
process.stdout.write('', () => process.exit(code));
