/** @file A domain's folder in a temporary place, for tests: its files by name, gone when the test is. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Runs `use` on a folder `name` that holds these files. */
export async function withDomain<T>(
  files: Readonly<Record<string, string | Uint8Array>>,
  use: (folder: string) => Promise<T>,
  name = 'birds',
): Promise<T> {
  const root = await mkdtemp(join(tmpdir(), 'saxbench-domain-'));
  const folder = join(root, name);
  try {
    for (const [file, content] of Object.entries(files)) {
      const path = join(folder, file);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, content);
    }
    return await use(folder);
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}

/** A table in CSV: each row a list of cells, quoted. */
export const csv = (rows: readonly (readonly (string | number)[])[]): string =>
  rows.map((row) => row.map((value) => `"${String(value).replaceAll('"', '""')}"`).join(',')).join('\n');
