/** @file References to files on the hub: `hub:OWNER/REPO/PATH@REVISION`. */
import { UserError } from '../errors.ts';
import { isHubReference } from './hub.ts';

const REFERENCE = /^hub:(?<id>[^/@]+\/[^/@]+)(?:\/(?<path>[^@]+?))?\/?(?:@(?<revision>[^@]+))?$/;

/** A reference in its parts. */
export interface HubReference {
  /** `owner/name`. */
  id: string;
  /** A file or folder of the repository; empty for all of it. */
  path: string;
  /** A branch, tag or commit; `main` where none is named. */
  revision: string;
}

export const isOnHub = (path: string): boolean => path.startsWith('hub:');

/**
 * The parts of a reference.
 *
 * @param what Starts the message.
 * @throws UserError for another form.
 */
export function hubReference(reference: string, what: string): HubReference {
  const { id = '', path = '', revision = 'main' } = REFERENCE.exec(reference)?.groups ?? {};
  if (!isHubReference(`${id}@${revision}`) || path.split('/').includes('..')) {
    throw new UserError(`${what} ${reference}: expected hub:OWNER/REPO/PATH@REVISION, without '..'.`);
  }
  return { id, path, revision };
}
