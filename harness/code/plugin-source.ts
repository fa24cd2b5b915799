/** @file The source of a plug-in from outside: its own files, without packages and without the contract. */
import { dirname, resolve } from 'node:path';
import type { Plugin } from '../contract.ts';
import { UserError } from '../errors.ts';
import { filesFingerprint } from '../io/fingerprint.ts';
import { sha256Json } from '../io/hash.ts';
import type { PluginKind } from '../plugin-check.ts';
import type { Registry } from '../registry.ts';

/**
 * The digest of a plug-in's code together with that of the data files that it names.
 *
 * @throws UserError when one of them cannot be read.
 */
export async function withFiles(code: string, file: string, files: Plugin['files']): Promise<string> {
  if (!files) return code;
  const fingerprint = await filesFingerprint(dirname(resolve(file)), files).catch((error: unknown) => {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`plug-in ${file}: its 'files' (paths from its own folder): ${error.message}`);
  });
  return sha256Json([code, fingerprint]);
}

/**
 * A digest of a plug-in's own code that changes with what it does, not with comments, and of the data files that it
 * names; undefined for plug-ins of the package, which have versions.
 */
export async function pluginSource(registry: Registry, kind: PluginKind, id: string): Promise<string | undefined> {
  const file = registry.fileOf(kind, id);
  if (file === undefined) return undefined;
  const { ownCode } = await import('./bundle.ts');
  const path = resolve(file);
  const code = (await ownCode(dirname(path), { plugin: path })).codes['plugin']!.sha256;
  const { files } = await (registry.get(kind, id) as Promise<Plugin>);
  return withFiles(code, file, files);
}
