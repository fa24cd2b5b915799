/** @file Checkpoints on the hub: `hub:OWNER/REPO/PATH@REVISION` to a folder or file of the usual cache. */
import { join, posix } from 'node:path';
import { resolveModel } from '../io/hub.ts';
import { hubReference, isOnHub } from '../io/hub-reference.ts';
import { openCheckpoint } from './open.ts';
import type { Place } from './place.ts';

/** The files of a checkpoint at `path`, a folder or a file of the repository; not what lies in other folders. */
function wantedAt(path: string): (file: string) => boolean {
  const folders = [path, posix.join(path, 'checkpoints')];
  return (file) => {
    if (file === path) return true;
    const folder = posix.dirname(file) === '.' ? '' : posix.dirname(file);
    if (folders.includes(folder)) return /\.(json|safetensors|npz|pt|pth)$/.test(file);
    // Beside a file of weights that was named: what says what it is.
    const beside = posix.dirname(path) === '.' ? '' : posix.dirname(path);
    return /\.[a-z]+$/.test(path) && folder === beside && file.endsWith('.json');
  };
}

/**
 * The local place of a checkpoint: a path as it is, one on the hub downloaded where it is not in the cache.
 *
 * @throws UserError for another form of reference, and as `resolveModel`.
 */
export async function localCheckpoint(reference: string, given: Place['given'] = {}): Promise<string> {
  if (!isOnHub(reference)) return reference;
  // Named here too: a folder of the same name that lies about is not what is meant.
  const { id, path, revision } = hubReference(reference, 'checkpoint');
  const isWhole = (folder: string) =>
    openCheckpoint(join(folder, path), given).then(
      () => true,
      () => false,
    );
  const found = await resolveModel(`${id}@${revision}`, {
    wants: wantedAt(path),
    isWhole,
  });
  return join(found.folder, path);
}
