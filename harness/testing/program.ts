/** @file Programs that tests put on a path of their own: shell scripts. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Writes a program into the folder `bin`. */
export function writeProgram(bin: string, name: string, script: string): void {
  const file = join(bin, name);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

/** Of such a script: sets `$FOUND` to the word after a flag that it was called with, and `$last` to the last word. */
export const wordAfter = (flag: string): string =>
  `for word in "$@"; do [ "$last" = ${flag} ] && FOUND="$word"; last="$word"; done`;
