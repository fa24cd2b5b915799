/** @file Where the package lies: its root, and the folder of the code that runs (sources under tsx, else `dist`). */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(import.meta.url);

function findPackageRoot(): string {
  for (let folder = dirname(here); ; folder = dirname(folder)) {
    const file = join(folder, 'package.json');
    if (existsSync(file)) {
      const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string };
      if (name === 'saxbench') return folder;
    }
    if (dirname(folder) === folder) throw new Error(`internal: no package.json of saxbench above ${here}`);
  }
}

/** The package's root: suites, pretrained subjects, schemas and templates lie under it, compiled or not. */
export const packageRoot: string = findPackageRoot();

/** The embedded language model that examples and tools name: that of the suite `default`. */
export const EMBEDDED_LM = 'tiny-lm-chain';

/** The site of it that the suite `default` reads. */
export const EMBEDDED_SITE = 'blocks.1.hook_resid_post';

/** Extension of the modules that run: `.ts` under a TypeScript loader, `.js` when compiled. */
export const codeExtension: '.ts' | '.js' = here.endsWith('.ts') ? '.ts' : '.js';

/** The root of the modules that run: the package's root, or its `dist`. */
export const codeRoot: string = codeExtension === '.ts' ? packageRoot : join(packageRoot, 'dist');

/** Modules that plug-ins import by name, without their extension: as `exports` in package.json. */
const EXPORTS = {
  saxbench: 'harness/contract',
  'saxbench/kit': 'harness/kit/index',
  'saxbench/sae': 'models/sae/shared/index',
  'saxbench/subjects': 'models/subjects/index',
};

/** The files that run of the modules which plug-ins import by name. */
export const exportedModules: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(EXPORTS).map(([name, file]) => [name, join(codeRoot, `${file}${codeExtension}`)]),
);

/** The version in package.json. */
export function packageVersion(): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}
