/**
 * @file The last steps of the build: no compiled file without its source, a command that can be called, and digests of the
 * code for the keys of steps.
 */
import { chmodSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { codeExtension, codeRoot, packageRoot } from '../paths.ts';
import { writeDigests } from './built-in.ts';

// The compiler leaves what a renamed file was compiled to, and the scan of folders would still take it for a plug-in.
if (codeExtension === '.js') {
  for (const file of readdirSync(codeRoot, { recursive: true, encoding: 'utf8' })) {
    const name = file.replace(/(\.d\.ts|\.js\.map|\.js)$/, '');
    const stale = name !== file && !existsSync(join(packageRoot, `${name}.ts`));
    if (stale) rmSync(join(codeRoot, file));
  }
  // npm does it when it links a package for `npx`, and not again after a new compilation or clone in the same place.
  chmodSync(join(codeRoot, 'harness/cli.js'), 0o755);
}

await writeDigests();
