/** @file The source of a plug-in from outside: its own files, without packages and without the contract. */
import { dirname, resolve } from 'node:path';
import type { PluginKind } from '../plugin-check.ts';
import type { Registry } from '../registry.ts';

/**
 * A digest of a plug-in's own files that changes with what they do, not with comments; undefined for plug-ins of the
 * package, which have versions.
 */
export async function pluginSource(registry: Registry, kind: PluginKind, id: string): Promise<string | undefined> {
  const file = registry.fileOf(kind, id);
  if (file === undefined) return undefined;
  const { ownCode } = await import('./bundle.ts');
  const path = resolve(file);
  return (await ownCode(dirname(path), { plugin: path }))['plugin']!.sha256;
}
