/** @file Downloading one file from the hub, or from GitHub, into a cache: resumed after a break, checked by size and hash. */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { copyFile, open, rename, rm, stat, symlink } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { threadId } from 'node:worker_threads';
import { UserError } from '../errors.ts';
import { writeError } from './atomic.ts';
import { ensureFolder } from './ensure-folder.ts';
import { exists } from './hub-cache.ts';

/** What a download needs. */
export interface Download {
  url: string;
  headers: Readonly<Record<string, string>>;
  /** The content's size and its hash (SHA-256, or git's of a blob); without it the server is asked, as the hub answers. */
  content?: { etag: string; size: number };
  /** What an answer's status means; default: {@link checkStatus}. */
  check?: (status: number, name: string, url: string) => void;
  /** Folder of contents by ETag. */
  blobs: string;
  /** Where the file appears in the snapshot. */
  target: string;
  /** Starts messages: `hub owner/name/file`. */
  name: string;
  /** Bytes received so far and in all. */
  onProgress?: (received: number, total: number) => void;
  signal?: AbortSignal;
  /** Pause before the first repetition, doubled each time. Default 1,000. */
  retryDelayMs?: number;
}

const ATTEMPTS = 5;
const MAX_REDIRECTS = 5;
const METADATA_TIMEOUT_MS = 30_000;

/** A failure that a repetition can mend: the network broke, or the server is overloaded. */
export class Transient extends Error {}

/** Request headers; the token goes to the endpoint only, `fetch` drops it when redirected elsewhere. */
export function hubHeaders(token: string | undefined): Record<string, string> {
  return { 'user-agent': 'saxbench', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) };
}

/** Turns an HTTP status into what to do about it. */
export function checkStatus(status: number, name: string, url: string): void {
  if (status === 401 || status === 403) {
    throw new UserError(`${name}: access refused (${status}): accept the terms on its page and set HF_TOKEN.`);
  }
  if (status === 404) throw new UserError(`${name}: not found at ${url}: check the name and the revision.`);
  if (status === 429 || status >= 500) throw new Transient(`${name}: the server answered ${status}`);
  if (status >= 400) throw new UserError(`${name}: the server answered ${status} for ${url}.`);
}

/** Calls again after network failures and overload, then gives a `UserError`. */
export async function withRetries<T>(name: string, delayMs: number, action: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await action();
    } catch (error) {
      const { name: kind, message } = error as Error;
      const network = kind === 'TimeoutError' || (kind === 'TypeError' && /^(fetch failed|terminated)/.test(message));
      if (!(error instanceof Transient) && !network) throw error;
      if (attempt === ATTEMPTS) {
        const cause = (error as Error & { cause?: { code?: string; message?: string } }).cause;
        const reason = cause?.code ?? cause?.message ?? message;
        throw new UserError(
          `${name}: download failed ${ATTEMPTS} times (${reason}): check the connection and try again; what came is kept.`,
        );
      }
      await sleep(delayMs * 2 ** (attempt - 1));
    }
  }
}

/** ETag and size, without the redirect to the storage, which would hide the hub's own headers. */
async function fileMetadata(download: Download): Promise<{ etag: string; size: number }> {
  let url = download.url;
  for (let hop = 0; hop < MAX_REDIRECTS; hop++) {
    const timeout = AbortSignal.timeout(METADATA_TIMEOUT_MS);
    const response = await fetch(url, {
      method: 'HEAD',
      redirect: 'manual',
      headers: { ...download.headers, 'accept-encoding': 'identity' },
      signal: download.signal === undefined ? timeout : AbortSignal.any([timeout, download.signal]),
    });
    checkStatus(response.status, download.name, url);
    const location = response.headers.get('location');
    const linked = response.headers.get('x-linked-etag');
    // A renamed repository redirects within the hub; a large file redirects to its storage and carries x-linked-*.
    if (
      response.status >= 300 &&
      linked === null &&
      location !== null &&
      new URL(location, url).host === new URL(url).host
    ) {
      url = new URL(location, url).href;
      continue;
    }
    const etag = (linked ?? response.headers.get('etag') ?? '').replace(/^W\//, '').replaceAll('"', '');
    const size = Number(response.headers.get('x-linked-size') ?? response.headers.get('content-length') ?? Number.NaN);
    // Contents are named by their ETag in the cache and checked by it: one that is no hash says nothing of the content.
    if (!/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(etag) || !Number.isSafeInteger(size) || size < 0) {
      throw new UserError(
        `${download.name}: expected an ETag that is a SHA-256 or git hash, and a size; found ` +
          `${JSON.stringify(etag.slice(0, 80))} and ${size} for ${url}: is HF_ENDPOINT right?`,
      );
    }
    return { etag, size };
  }
  throw new UserError(`${download.name}: more than ${MAX_REDIRECTS} redirects from ${download.url}.`);
}

/** Appends what is missing to the incomplete file. */
async function fetchRest(download: Download, incomplete: string, size: number): Promise<void> {
  const have = await stat(incomplete).then(
    (found) => (found.size <= size ? found.size : 0),
    () => 0,
  );
  if (have === size && size > 0) return;
  const response = await fetch(download.url, {
    headers: {
      ...download.headers,
      'accept-encoding': 'identity',
      ...(have > 0 ? { range: `bytes=${have}-` } : {}),
    },
    ...(download.signal === undefined ? {} : { signal: download.signal }),
  });
  (download.check ?? checkStatus)(response.status, download.name, download.url);
  const resumes =
    response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
  let received = resumes ? have : 0;
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    handle = await open(incomplete, resumes ? 'a' : 'w');
  } catch (error) {
    throw writeError(incomplete, error);
  }
  try {
    for await (const chunk of response.body ?? []) {
      received += chunk.length;
      if (received > size) throw new Transient(`more bytes than the ${size} announced`);
      await handle.writeFile(chunk).catch((error) => {
        throw writeError(incomplete, error);
      });
      download.onProgress?.(received, size);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (received !== size) throw new Transient(`${received} of ${size} bytes came`);
}

/** Whether the content has the hash that its ETag states: SHA-256 of large files, git's blob hash of small ones. */
async function matchesEtag(path: string, etag: string, size: number): Promise<boolean> {
  const algorithm = etag.length === 64 ? 'sha256' : 'sha1';
  const hash = createHash(algorithm);
  if (algorithm === 'sha1') hash.update(`blob ${size}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk as Buffer);
  return hash.digest('hex') === etag;
}

let links = 0;

/** Point the snapshot's file to the blob; a copy where links are not allowed. It is never away while another run reads it. */
async function link(blob: string, target: string): Promise<void> {
  await ensureFolder(dirname(target));
  const made = `${target}.${process.pid}.${threadId}.${links++}.link`;
  await symlink(relative(dirname(target), blob), made).catch(() => copyFile(blob, made));
  await rename(made, target);
}

/**
 * Download a file into the cache and link it into its snapshot. A broken download stays as `<etag>.incomplete` and is
 * resumed by the next call.
 *
 * @throws UserError when access is refused, the file is not there, the network fails, the disk is full, or the content
 * does not have the announced size and hash.
 */
export async function downloadFile(download: Download): Promise<void> {
  const delay = download.retryDelayMs ?? 1000;
  const { etag, size } = download.content ?? (await withRetries(download.name, delay, () => fileMetadata(download)));
  const blob = join(download.blobs, etag);
  const incomplete = `${blob}.incomplete`;
  try {
    await ensureFolder(download.blobs);
  } catch (error) {
    throw writeError(download.blobs, error);
  }
  const fetchBlob = async () => {
    await withRetries(download.name, delay, () => fetchRest(download, incomplete, size));
    if (!(await matchesEtag(incomplete, etag, size))) {
      await rm(incomplete, { force: true });
      throw new UserError(
        `${download.name}: the content does not have the hash ${etag} that the server states: try again.`,
      );
    }
    await rename(incomplete, blob);
  };
  if (!(await exists(blob))) {
    await fetchBlob().catch(async (error) => {
      // Another run may have fetched it meanwhile, and have renamed the file under this one.
      if (!(await exists(blob))) throw error;
    });
  }
  await link(blob, download.target);
}
