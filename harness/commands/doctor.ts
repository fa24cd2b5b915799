/** @file `saxbench doctor`: what this machine offers and what is missing, with the mend. */
import { availableParallelism, cpus, freemem, platform, release, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { someOf, UserError } from '../errors.ts';
import { packageRoot, packageVersion } from '../paths.ts';
import type { Command, CommandContext } from './command.ts';

interface Line {
  name: string;
  ok: boolean;
  text: string;
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;

async function backendLines(): Promise<Line[]> {
  const { initBackend, probeBackends } = await import('../num/backend.ts');
  // With a wrong variable none is; the lines say which.
  const chosen = await initBackend().catch(() => undefined);
  const probes = await probeBackends();
  return probes.map((probe) => {
    const mark = probe.name === chosen?.name ? ' ← used by default: ' : '; chosen ';
    const text = probe.available
      ? `${probe.device}; ${probe.detail}; version ${probe.version}${mark}${probe.chosen}`
      : `not available: ${probe.reason}. To mend: ${probe.mend}`;
    return { name: `backend ${probe.name}`, ok: probe.available, text };
  });
}

/** The nearest folder above that exists: the store is made on first use. */
async function diskLine(store: string): Promise<Line> {
  const { existsSync } = await import('node:fs');
  const { access, constants, statfs } = await import('node:fs/promises');
  const { dirname } = await import('node:path');
  let folder = resolve(store);
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = await statfs(folder);
  const writable = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  const text = `${resolve(store)}: ${writable ? 'writable' : 'NOT writable: choose another with --store'}, ${gib(bavail * bsize)} free`;
  return { name: 'store', ok: writable, text };
}

async function subjectLine(): Promise<Line> {
  const { embeddedSubjectIds } = await import('../suite/subjects.ts');
  const ids = embeddedSubjectIds();
  const text = ids.length > 0 ? ids.join(', ') : `none in ${join(packageRoot, 'models/pretrained')}`;
  return { name: 'embedded subjects', ok: ids.length > 0, text };
}

/** Models named of an endpoint that lists many. */
const MAX_MODELS = 6;

/** What the judge `openai` would ask, and whether it can be. */
async function judgeLine(url: string | undefined, signal: AbortSignal): Promise<Line> {
  const name = 'judge endpoint';
  if (url === undefined) return { name, ok: true, text: 'none: --judge-url names what the judge openai asks' };
  const { endpointOf, KEY_VARIABLE } = await import('../chat/endpoint.ts');
  const { greet } = await import('../chat/models.ts');
  const endpoint = endpointOf(url, process.env);
  const { error, models } = await greet(endpoint, signal);
  if (error) return { name, ok: false, text: error.message };
  const listed = models ? `lists ${someOf(models, MAX_MODELS) || 'no model'}` : 'lists no models';
  const key = endpoint.key === undefined ? `no key (${KEY_VARIABLE})` : 'with a key';
  return { name, ok: true, text: `${endpoint.url}, ${key}: ${listed}` };
}

/** Installs backend `tensorflow`, and says in one line what came of it. */
async function install({ values, print, say, signal }: CommandContext): Promise<number> {
  const { installTensorflow } = await import('../tensorflow/install.ts');
  const flavour = values['cuda'] ? 'cuda' : 'cpu';
  const untested = flavour === 'cuda' ? ' With CUDA this is untested on a GPU: please report how it went.' : '';
  if (untested) say(`tensorflow:${untested} NVIDIA's libraries are under NVIDIA's own licence.`);
  const done = await installTensorflow(flavour, { say: (line) => say(`tensorflow: ${line}`), signal });
  const { folder, before, gpu, device, version } = done;
  const use = gpu
    ? 'it is used by default'
    : `${flavour === 'cuda' ? 'it found no CUDA device; ' : ''}on a CPU native is faster and stays the default, --backend tensorflow takes it`;
  if (values['json']) print(JSON.stringify(done));
  else
    print(
      `tensorflow: ${before ? 'was installed before' : 'installed'} in ${folder}: TensorFlow ${version} computes on ${device}; ${use}.${untested}`,
    );
  return 0;
}

export const command: Command = {
  name: 'doctor',
  usage: 'doctor',
  summary:
    'Say what this machine offers: backends and why not, memory, store, the endpoint of a judge; install a backend',
  positionals: {},
  examples: [
    ['saxbench doctor', ''],
    ['saxbench doctor --json', 'for scripts'],
    ['saxbench doctor --install tensorflow', 'backend tensorflow for CPUs: Linux on x64, g++, pip, npm'],
    ['saxbench doctor --install tensorflow --cuda', 'with CUDA 12, untested on a GPU'],
  ],
  async run(context) {
    const { values, print, signal } = context;
    if (values['install'] !== undefined) return install(context);
    if (values['cuda']) throw new UserError('doctor: expected --cuda beside --install tensorflow; found it alone.');
    const lines: Line[] = [
      { name: 'saxbench', ok: true, text: `${packageVersion()} in ${packageRoot}` },
      { name: 'node', ok: true, text: `${process.version} on ${platform()} ${release()} ${process.arch}` },
      { name: 'cpu', ok: true, text: `${cpus()[0]?.model.trim() ?? 'unknown'}, ${availableParallelism()} cores` },
      { name: 'memory', ok: true, text: `${gib(totalmem())}, ${gib(freemem())} free` },
      ...(await backendLines()),
      await diskLine(values['store'] as string),
      await subjectLine(),
      await judgeLine(values['judge-url'] as string | undefined, signal),
    ];
    if (values['json']) print(JSON.stringify(lines, null, 2));
    const width = Math.max(...lines.map(({ name }) => name.length));
    if (!values['json'])
      for (const { name, ok, text } of lines) print(`${ok ? 'ok' : '--'}  ${name.padEnd(width)}  ${text}`);
    return lines.some(({ name, ok }) => name === 'store' && !ok) ? 2 : 0;
  },
};
