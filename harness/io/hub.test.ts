/** @file Tests of the hub: cache layout, resume, checks, offline, against a server on this machine. */

import { createHash } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { refusal } from '../testing/failing.ts';
import { isHubReference, isModelFile, resolveModel } from './hub.ts';
import { hubSettings } from './hub-cache.ts';

const test = suite('io/hub');
const root = mkdtempSync(join(tmpdir(), 'saxbench-hub-'));
const commit = '0123456789abcdef0123456789abcdef01234567';
const weights = Buffer.alloc(300_000, 'weights ');
const files: Record<string, Buffer> = {
  'config.json': Buffer.from('{"model_type":"llama"}'),
  'model.safetensors': weights,
  'README.md': Buffer.from('not wanted'),
  'pytorch_model.bin': Buffer.from('not wanted'),
};
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const gitHash = (bytes: Buffer) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');

/** What the server does differently in a test. */
const faults = { cutAt: 0, corrupt: false, gated: false, failures: 0, etag: '' };
let requests: string[] = [];

function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = request.url ?? '';
  const range = request.headers.range;
  requests.push(`${request.method} ${url}${range ? ` ${range}` : ''}`);
  if (faults.failures > 0) {
    faults.failures -= 1;
    response.writeHead(503).end();
  } else if (faults.gated && request.headers.authorization !== 'Bearer secret') response.writeHead(401).end();
  else if (/^\/api\/models\/org\/model\/revision\/(main|v1|[0-9a-f]{40})$/.test(url)) {
    const siblings = [...Object.keys(files), '../../evil.json', 'nul\0.safetensors', '..'].map((rfilename) => ({
      rfilename,
    }));
    response.end(JSON.stringify({ sha: commit, siblings }));
  } else if (url.startsWith('/storage/')) {
    const body = faults.corrupt ? Buffer.alloc(weights.length, 'x') : weights;
    const from = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0);
    const headers = {
      'content-length': `${body.length - from}`,
      'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
    };
    response.writeHead(from > 0 ? 206 : 200, headers);
    if (faults.cutAt > from) {
      response.write(body.subarray(from, faults.cutAt), () => setTimeout(() => response.destroy(), 20));
    } else response.end(body.subarray(from));
  } else if (url === `/org/model/resolve/${commit}/model.safetensors`) {
    const linked = { 'x-linked-etag': `"${sha256(weights)}"`, 'x-linked-size': `${weights.length}` };
    response.writeHead(302, { location: '/storage/blob', etag: '"unlike"', ...linked }).end();
  } else {
    const body = files[url.replace(`/org/model/resolve/${commit}/`, '')];
    if (body === undefined) response.writeHead(404).end();
    else
      response
        .writeHead(200, { etag: `"${faults.etag || gitHash(body)}"`, 'content-length': body.length })
        .end(request.method === 'HEAD' ? undefined : body);
  }
}

const server = createServer(answer);
let endpoint = '';
let env: Record<string, string> = {};

test.before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
test.before.each(() => {
  env = { HF_ENDPOINT: `${endpoint}/`, HF_HUB_CACHE: mkdtempSync(join(root, 'cache-')), HF_HOME: join(root, 'home') };
  requests = [];
  Object.assign(faults, { cutAt: 0, corrupt: false, gated: false, failures: 0, etag: '' });
});
test.after(() => {
  server.closeAllConnections();
  server.close();
  rmSync(root, { recursive: true });
});

const resolve = (reference: string) => resolveModel(reference, { env, retryDelayMs: 1 });

test('a download has the layout of the Hugging Face cache, and is made once', async () => {
  const found = await resolve('org/model');
  const model = join(env['HF_HUB_CACHE']!, 'models--org--model');
  assert.equal(found, { folder: join(model, 'snapshots', commit), id: 'org/model', commit });
  assert.equal(readdirSync(found.folder).sort(), ['config.json', 'model.safetensors']);
  assert.equal(readdirSync(join(model, 'blobs')).sort(), [gitHash(files['config.json']!), sha256(weights)].sort());
  assert.is(readFileSync(join(model, 'refs', 'main'), 'utf8'), commit);
  assert.ok(lstatSync(join(found.folder, 'config.json')).isSymbolicLink());
  assert.is(readlinkSync(join(found.folder, 'model.safetensors')), join('..', '..', 'blobs', sha256(weights)));
  assert.ok(readFileSync(join(found.folder, 'model.safetensors')).equals(weights));

  requests = [];
  assert.equal(await resolve('org/model'), found);
  assert.equal(requests, ['GET /api/models/org/model/revision/main']);
  requests = [];
  assert.equal(await resolve(`org/model@${commit}`), found);
  assert.equal(await resolveModel('org/model', { env: { ...env, HF_HUB_OFFLINE: '1' } }), found);
  assert.equal(requests, []);
});

test('a commit of which another program fetched the weights alone gets the rest, once', async () => {
  const { folder } = await resolve('org/model');
  rmSync(join(folder, 'config.json'));
  rmSync(join(folder, '../../refs'), { recursive: true });
  assert.equal(await resolveModel(`org/model@${commit}`, { env: { ...env, HF_HUB_OFFLINE: '1' } }), {
    ...{ folder, id: 'org/model', commit },
  });
  requests = [];
  await resolve(`org/model@${commit}`);
  assert.ok(existsSync(join(folder, 'config.json')));
  assert.is(requests[0], `GET /api/models/org/model/revision/${commit}`);
  requests = [];
  await resolve(`org/model@${commit}`);
  assert.equal(requests, []);
});

test('what makes one vector of a text, or refuses to, is fetched with the model', () => {
  for (const file of [
    ...['modules.json', 'sentence_bert_config.json', 'config_sentence_transformers.json', '1_Pooling/config.json'],
    ...['vocab.txt', 'chat_template.jinja', 'open_clip_config.json'],
  ]) {
    assert.ok(isModelFile(file), file);
  }
  assert.not.ok(['README.md', 'onnx/model.safetensors', '2_Dense/config.json'].some(isModelFile));
});

test('a broken download is resumed', async () => {
  faults.cutAt = 100_000;
  const { folder } = await resolve('org/model');
  assert.ok(readFileSync(join(folder, 'model.safetensors')).equals(weights));
  const ranges = requests.filter((request) => request.includes('/storage/')).map((request) => request.split(' ')[2]);
  assert.is(ranges[0], undefined);
  assert.ok(
    ranges.length >= 2 && ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? '')),
    String(ranges),
  );
  assert.not(readdirSync(join(folder, '../../blobs')).some((name) => name.endsWith('.incomplete')));
});

test('overload is waited out', async () => {
  faults.failures = 3;
  await resolve('org/model@v1');
  assert.ok(existsSync(join(env['HF_HUB_CACHE']!, 'models--org--model', 'refs', 'v1')));
});

test('a content with another hash is refused and not kept', async () => {
  faults.corrupt = true;
  assert.match(
    await refusal(resolve('org/model')),
    /org\/model\/model.safetensors: the content does not have the hash/,
  );
  assert.not(existsSync(join(env['HF_HUB_CACHE']!, 'models--org--model', 'refs')));
  faults.corrupt = false;
  assert.ok(readFileSync(join((await resolve('org/model')).folder, 'model.safetensors')).equals(weights));
});

test('an ETag that is no hash is not taken for one', async () => {
  for (const etag of ['config-v1', '../blob', 'x'.repeat(64), 'a'.repeat(63)]) {
    faults.etag = etag;
    assert.match(
      await refusal(resolve('org/model')),
      /config\.json: expected an ETag that is a SHA-256 or git hash.*found "/,
    );
  }
  assert.not(existsSync(join(env['HF_HUB_CACHE']!, 'models--org--model', 'blobs', 'config-v1')));
});

test('gated models need the token', async () => {
  faults.gated = true;
  assert.match(await refusal(resolve('org/model')), /access refused \(401\).*set HF_TOKEN/);
  mkdirSync(join(root, 'home'), { recursive: true });
  writeFileSync(join(root, 'home', 'token'), 'secret\n');
  assert.ok((await resolve('org/model')).commit);
  env['HF_TOKEN'] = 'wrong';
  assert.match(await refusal(resolve('org/model')), /access refused/);
  rmSync(join(root, 'home', 'token'));
});

test('what cannot be found is one clear line', async () => {
  assert.match(await refusal(resolve('org/absent')), /org\/absent@main: not found.*check the name/);
  assert.match(await refusal(resolve('no-such-folder')), /no such folder, and not a hub id of the form org\/name/);
  assert.match(await refusal(resolve('../org/model')), /no such folder/);
  env['HF_HUB_OFFLINE'] = 'true';
  assert.match(await refusal(resolve('org/model')), /not in the cache .*HF_HUB_OFFLINE is set/);
  assert.equal(
    requests.filter((request) => request.includes('org/model')),
    [],
  );
  assert.equal(await resolve(root), { folder: root });
});

test('without a connection a whole snapshot serves, a partial one does not', async () => {
  const { folder } = await resolve('org/model');
  const closed = createServer();
  await new Promise<void>((listening) => closed.listen(0, '127.0.0.1', listening));
  env['HF_ENDPOINT'] = `http://127.0.0.1:${(closed.address() as AddressInfo).port}`;
  await new Promise((done) => closed.close(done));
  assert.is((await resolve('org/model')).folder, folder);
  rmSync(join(folder, 'model.safetensors'));
  assert.match(await refusal(resolve('org/model')), /download failed 5 times \(ECONNREFUSED\): check the connection/);
});

test('settings follow the order of the Hugging Face libraries', async () => {
  const cache = async (variables: Record<string, string>) => (await hubSettings(variables)).cache;
  assert.is(await cache({ HF_HUB_CACHE: '/a', HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' }), '/a');
  assert.is(await cache({ HUGGINGFACE_HUB_CACHE: '/b', HF_HOME: '/c' }), '/b');
  assert.is(await cache({ HF_HOME: '/c', XDG_CACHE_HOME: '/d' }), '/c/hub');
  assert.is(await cache({ XDG_CACHE_HOME: '/d' }), '/d/huggingface/hub');
  assert.match(await cache({ HF_HOME: '' }), /\.cache\/huggingface\/hub$/);
  await refusal(hubSettings({ HF_ENDPOINT: 'not a url' }));
  for (const good of ['org/name', 'a/b@v1.0', 'EleutherAI/pythia-70m-deduped@refs/pr/1'])
    assert.ok(isHubReference(good), good);
  for (const bad of ['name', 'a/b/c', '../b', 'a/..', 'a/b@', 'a/b@../x', '/a/b', 'a b/c'])
    assert.not(isHubReference(bad), bad);
});

test.run();
