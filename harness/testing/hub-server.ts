/** @file A hub on this machine, which answers as GitHub's API too: repositories of models and data out of memory, for tests. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestHub {
  /** For `HF_ENDPOINT`, and for `SAXBENCH_GITHUB_API`. */
  endpoint: string;
  /** What was asked so far, as `GET /api/…`. */
  requests: string[];
  close(): void;
}

/** The commit that every repository is at. */
export const TEST_COMMIT = '0123456789abcdef0123456789abcdef01234567';

const gitHash = (body: Buffer) => createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');

/**
 * Serves repositories, by `models/owner/name`, `datasets/owner/name` or `repos/owner/name` (GitHub), each with its files. A `secret` is asked of whoever wants those
 * that begin with `gated/`.
 */
export async function openTestHub(
  repositories: Readonly<Record<string, Readonly<Record<string, Buffer>>>>,
  secret = 'secret',
): Promise<TestHub> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    requests.push(`${request.method} ${url}`);
    const refuse = (status: number) => response.writeHead(status).end();
    const [, repository = '', kindOfObject, object] =
      /^\/(repos\/[^/]+\/[^/]+)\/git\/(trees|blobs)\/(\w+)/.exec(url) ?? [];
    if (object !== undefined) {
      const blobs = Object.entries(repositories[repository] ?? {}).map(([path, body]) => ({
        path,
        body,
        sha: gitHash(body),
      }));
      if (kindOfObject === 'blobs') {
        const found = blobs.find(({ sha }) => sha === object);
        return found ? response.end(found.body) : refuse(404);
      }
      if (blobs.length === 0 || object !== TEST_COMMIT) return refuse(404);
      const tree = blobs.map(({ path, body, sha }) => ({
        path,
        sha,
        size: body.length,
        type: 'blob',
        mode: path.startsWith('links/') ? '120000' : '100644',
      }));
      return response.end(
        JSON.stringify({ sha: object, truncated: false, tree: [{ path: 'data', type: 'tree' }, ...tree] }),
      );
    }
    const [, api] = /^\/api\/(\w+\/[^/]+\/[^/]+)\/revision\//.exec(url) ?? [];
    const [, kind = 'models/', name = '', file = ''] =
      /^\/(datasets\/)?([^/]+\/[^/]+)\/resolve\/[^/]+\/(.+)$/.exec(url) ?? [];
    const id = api ?? `${kind}${name}`;
    if (/\/gated\//.test(id) && request.headers.authorization !== `Bearer ${secret}`) return refuse(401);
    const files = repositories[id];
    if (!files) return refuse(404);
    if (api !== undefined) {
      const siblings = Object.keys(files).map((rfilename) => ({ rfilename }));
      return response.end(JSON.stringify({ sha: TEST_COMMIT, siblings }));
    }
    const body = files[decodeURIComponent(file)];
    if (!body) return refuse(404);
    response.writeHead(200, { etag: `"${gitHash(body)}"`, 'content-length': body.length });
    return response.end(request.method === 'HEAD' ? undefined : body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
