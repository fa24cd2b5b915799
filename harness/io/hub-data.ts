/** @file Files of data sets on the hub: `hub:OWNER/REPO/PATH@REVISION` to where they lie in the usual cache. */
import { join, posix } from 'node:path';
import { UserError } from '../errors.ts';
import { resolveModel } from './hub.ts';
import { hubSettings } from './hub-cache.ts';
import { hubReference } from './hub-reference.ts';
import {
  DATA_FILE,
  filesAt,
  filesHere,
  notDownloaded,
  type RemoteData,
  type RemoteDataOptions,
} from './remote-data.ts';

/**
 * The local place of data on the hub, downloaded where they are not in the cache.
 *
 * @throws UserError for another form of reference, and where there is no such repository or file, access is refused, or the hub is out
 *   of reach and nothing is cached; NotDownloaded where downloading alone would help and was not allowed.
 */
export async function hubData(reference: string, options: RemoteDataOptions = {}): Promise<RemoteData> {
  const { id, path, revision } = hubReference(reference, 'data');
  const { files: sets, download = true, env = process.env, retryDelayMs } = options;
  let chosen: string[] = [];
  const choose = (files: readonly string[]): string[] => {
    chosen = filesAt(files, path, reference, sets);
    return chosen;
  };
  const resolving = {
    kind: 'dataset' as const,
    choose,
    isWhole: async (folder: string) => (await filesHere(folder, choose)) !== undefined,
    asks: !sets && !DATA_FILE.test(path),
    env: download ? env : { ...env, HF_HUB_OFFLINE: '1' },
    ...(retryDelayMs === undefined ? {} : { retryDelayMs }),
  };
  try {
    // With its revision, so that no folder of that name that lies about is taken for it.
    const { folder, commit = '' } = await resolveModel(`${id}@${revision}`, resolving);
    const place = sets ? path : chosen[0]!;
    return { path: join(folder, place), name: `${posix.join(id, place)}@${commit.slice(0, 7)}` };
  } catch (error) {
    if (download || !(error instanceof UserError) || (await hubSettings(env)).offline) throw error;
    throw notDownloaded(reference);
  }
}
