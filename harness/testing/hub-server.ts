/** @file A hub on this machine: repositories of models and data sets out of memory, for tests. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface TestHub {
  /** For `HF_ENDPOINT`. */
  endpoint: string;
  /** What was asked so far, as `GET /api/…`. */
  requests: string[];
  close(): void;
}

/** The commit that every repository is at. */
export const TEST_COMMIT = '0123456789abcdef0123456789abcdef01234567';

/**
 * Serves repositories, by `models/owner/name` or `datasets/owner/name`, each with its files. A `secret` is asked of whoever wants those
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
    const etag = createHash('sha1').update(`blob ${body.length}\0`).update(body).digest('hex');
    response.writeHead(200, { etag: `"${etag}"`, 'content-length': body.length });
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
