/** @file `--activations`, `--modality` and `--draw-seed`: the folder of imported activations that settings name. */
import { resolve } from 'node:path';
import type { Values } from '../config/read.ts';
import { UserError } from '../errors.ts';
import type { SuiteOverrides } from '../suite/override.ts';

/**
 * What the headers of its files say; undefined where no folder is named.
 *
 * @throws UserError for a folder that cannot be read, and for settings that mean nothing without one.
 */
export async function importedFrom(values: Values): Promise<SuiteOverrides['imported']> {
  const { activations, modality: told, 'draw-seed': seed } = values;
  if (activations === undefined) {
    const idle = [told === undefined ? '' : '--modality', seed === undefined ? '' : '--draw-seed'].find(Boolean);
    if (idle) throw new UserError(`${idle}: expected together with --activations DIR, found without it.`);
    return undefined;
  }
  const { openHeader, siteOfImport } = await import('../activations/import.ts');
  const folder = resolve(activations as string);
  const header = await openHeader(folder, { modality: told as 'text' | 'image' | undefined });
  const { name, modality } = siteOfImport(folder, header);
  return {
    folder,
    modality,
    sites: [name],
    rows: header.rows.n,
    d_in: header.rows.d_in,
    seed: seed as number | undefined,
  };
}
