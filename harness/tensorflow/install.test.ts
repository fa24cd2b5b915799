/** @file `doctor --install tensorflow` with a pip, npm and compiler of our own: whole or not at all, and each refusal in one line. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { UserError } from '../errors.ts';
import { sha256 } from '../io/hash.ts';
import { packageRoot } from '../paths.ts';
import { refusal, rejection } from '../testing/failing.ts';
import { wordAfter, writeProgram } from '../testing/program.ts';
import { zipOf } from '../testing/zip.ts';
import { type InstallOptions, installTensorflow } from './install.ts';
import { isCudaMember, PINS } from './pins.ts';
import { checkPlatform, checkRoom } from './requirements.ts';

const test = suite('tensorflow/install');
const folder = mkdtempSync(join(tmpdir(), 'saxbench-tensorflow-'));
test.after(() => rmSync(folder, { recursive: true }));

const text = (content: string) => Buffer.from(content);
const TENSORFLOW = zipOf([
  { name: 'tensorflow/libtensorflow_cc.so.2', content: Buffer.alloc(300_000, 'cc'), deflated: true },
  { name: 'tensorflow/libtensorflow_framework.so.2', content: text('framework') },
  { name: 'tensorflow/include/tensorflow/c/c_api.h', content: text('  # include "tensorflow/c/tf_status.h"\n') },
  { name: 'tensorflow/include/tensorflow/c/tf_status.h', content: text('#include <string>\n'), deflated: true },
  { name: 'tensorflow/include/tensorflow/core/graph.h', content: text('not included') },
  { name: 'tensorflow/python/large.so', content: text('not needed') },
]);
const CUBLAS = zipOf([
  { name: 'nvidia/cublas/lib/libcublas.so.12', content: text('cublas') },
  { name: 'nvidia/cublas/bin/ptxas', content: text('ptxas') },
  { name: 'nvidia/cublas/include/cublas.h', content: text('not needed') },
]);

const TENSORFLOW_FILE = 'tensorflow-2-cp311-cp311-manylinux_2_27_x86_64.whl';
const CUBLAS_FILE = 'nvidia_cublas_cu12-12-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl';
const pins = {
  tensorflow: { package: 'tensorflow', version: '2', file: TENSORFLOW_FILE, sha256: sha256(TENSORFLOW) },
  cuda: [{ package: 'nvidia-cublas-cu12', version: '12', file: CUBLAS_FILE, sha256: sha256(CUBLAS) }],
  download: 1e6,
  installed: 1e6,
};

/** A machine of its own: programs that note how they were called, wheels that its pip finds, a cache. */
function machine(without: string[] = []) {
  const home = mkdtempSync(join(folder, 'machine-'));
  const [bin, index, calls] = [join(home, 'bin'), join(home, 'index'), join(home, 'calls')];
  mkdirSync(bin);
  mkdirSync(index);
  writeFileSync(join(index, TENSORFLOW_FILE), TENSORFLOW);
  writeFileSync(join(index, CUBLAS_FILE), CUBLAS);
  const program = (name: string, script: string) => {
    if (!without.includes(name)) writeProgram(bin, name, script);
  };
  program(
    'pip',
    `echo "pip $*" >> ${calls}; ${wordAfter('--dest')}; name=$(echo "\${last%%==*}" | tr - _)
ls ${index}/$name-* > /dev/null 2>&1 || { echo "WARNING: Retrying after connection broken by 'x'" >&2; echo "ERROR: No matching distribution" >&2; exit 1; }
cp ${index}/$name-* "$FOUND"`,
  );
  program(
    'npm',
    `echo "npm $*" >> ${calls}; ${wordAfter('--prefix')}; [ -f "$FOUND/package-lock.json" ] || exit 1
b="$FOUND/node_modules/@tensorflow/tfjs-node/binding"; mkdir -p $b
echo '#include "tensorflow/c/c_api.h"' > $b/tfjs_backend.cc; echo '#include <node_api.h>' > $b/tfjs_binding.cc`,
  );
  program(
    'g++',
    `[ "$1" = --version ] && exit 0; echo "g++ $*" >> ${calls}; ${wordAfter('-o')}; echo addon > "$FOUND"`,
  );
  for (const name of ['ls', 'tr', 'cp', 'mkdir', 'sleep']) symlinkSync(`/bin/${name}`, join(bin, name));
  const env = { PATH: bin, HOME: home, SAXBENCH_CACHE: join(home, 'cache') };
  const root = join(home, 'cache/tensorflow');
  const probed = { gpu: false, device: 'a CPU', version: '2' };
  const platform = { os: 'linux', arch: 'x64', glibc: '2.36' };
  const options = { env, pins, platform, tryOut: async () => probed } satisfies InstallOptions;
  return {
    root,
    options,
    program,
    env,
    index,
    place: join(root, 'tfjs-4.22.0-cuda'),
    install: (more: Partial<InstallOptions> = {}) => installTensorflow('cuda', { ...options, ...more }),
    /** Calls since the last time. */
    calls() {
      const said = existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [];
      rmSync(calls, { force: true });
      return said;
    },
    names: () => (existsSync(root) ? readdirSync(root).sort() : []),
  };
}

test('what is needed of the wheels, modules and the addon appear together; the second time nothing is fetched', async () => {
  const { install, place, calls, names } = machine();
  const done = await install();
  assert.equal(done, { gpu: false, device: 'a CPU', version: '2', flavour: 'cuda', folder: place, before: false });
  const files = readdirSync(join(place, 'site-packages'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(place, 'site-packages/').length))
    .sort();
  assert.equal(files, [
    'nvidia/cublas/bin/ptxas',
    'nvidia/cublas/lib/libcublas.so.12',
    'tensorflow/include/tensorflow/c/c_api.h',
    'tensorflow/include/tensorflow/c/tf_status.h',
    'tensorflow/libtensorflow_cc.so.2',
    'tensorflow/libtensorflow_framework.so.2',
  ]);
  const library = readFileSync(join(place, 'site-packages/tensorflow/libtensorflow_cc.so.2'));
  assert.ok(library.equals(Buffer.alloc(300_000, 'cc')));
  assert.is(statSync(join(place, 'site-packages/nvidia/cublas/bin/ptxas')).mode & 0o111, 0o111);
  assert.ok(existsSync(join(place, 'node_modules/@tensorflow/tfjs-node/lib/napi-v8/tfjs_binding.node')));

  const [first, second, npm, ...compiled] = calls();
  const compiler = compiled.at(-1);
  const exact = '--no-deps --only-binary=:all: --quiet';
  assert.match(
    first!,
    `pip download ${exact} --implementation cp --python-version 3.11 --abi cp311 --platform manylinux_2_27_x86_64 --dest`,
  );
  assert.match(second!, `${exact} --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64 --dest`);
  assert.match(npm!, /^npm ci --ignore-scripts /);
  // Five folders up from the addon lies the installation, wherever that is.
  assert.match(compiler!, '-rpath,$ORIGIN/../../../../../site-packages/tensorflow ');
  assert.match(compiler!, '-rpath,$ORIGIN/../../../../../site-packages/nvidia/cublas/lib');
  assert.equal(names(), ['downloads', 'tfjs-4.22.0-cuda']);
  assert.equal(readdirSync(join(place, '../downloads')), []);

  assert.ok((await install()).before);
  assert.equal(calls(), []);
  // What no longer computes is made anew, and so is what other wheels are pinned for.
  let tries = 0;
  const failingOnce = async () => {
    tries += 1;
    if (tries === 1) throw new UserError('it does not load');
    return { gpu: true, device: 'GPU', version: '2' };
  };
  assert.is((await install({ tryOut: failingOnce })).before, false);
  assert.is(calls().filter((line) => line.startsWith('pip')).length, 2);
  assert.is((await install({ pins: { ...pins, cuda: [] } })).before, false);
});

test('another content than is pinned is refused before anything is unpacked; what was right is not fetched again', async () => {
  const { install, place, calls, names, index } = machine();
  writeFileSync(join(index, CUBLAS_FILE), 'no wheel at all');
  const message = await refusal(install());
  assert.match(message, /pypi nvidia-cublas-cu12==12: expected a wheel of SHA-256 [0-9a-f]{64}, found .*: not used/);
  assert.is(calls().length, 2);
  assert.equal(names(), ['downloads']);
  assert.equal(readdirSync(join(place, '../downloads')), [TENSORFLOW_FILE]);
  writeFileSync(join(index, CUBLAS_FILE), CUBLAS);
  // What was kept is not believed either.
  writeFileSync(join(place, '../downloads', TENSORFLOW_FILE), TENSORFLOW.subarray(0, 1000));
  await install();
  assert.equal(
    calls().map((line) => line.split(' ').at(line.startsWith('pip') ? -1 : 0)),
    ['tensorflow==2', 'nvidia-cublas-cu12==12', 'npm', 'g++', 'g++', 'g++'],
  );
});

test('a compiler or a trial that fails leaves what was there, and the wheels; the next call fetches none', async () => {
  const { install, place, calls, names, program } = machine();
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, 'older'), '');
  program(
    'g++',
    '[ "$1" = --version ] && exit 0; echo "a.cc:1: note" >&2; echo "a.cc:2: fatal error: no c_api.h" >&2; exit 1',
  );
  assert.is(
    await refusal(install()),
    'tensorflow: g++ cannot compile the addon of tfjs-node: a.cc:2: fatal error: no c_api.h',
  );
  program('g++', '[ "$1" = --version ] && exit 0; for w in "$@"; do [ "$l" = -o ] && echo a > "$w"; l="$w"; done');
  const tryOut = () => Promise.reject(new UserError('tensorflow: it does not start: no GLIBC'));
  assert.is(await refusal(install({ tryOut })), 'tensorflow: it does not start: no GLIBC');
  assert.equal(names(), ['downloads', 'tfjs-4.22.0-cuda']);
  assert.equal(readdirSync(place), ['older']);
  calls();
  await install();
  assert.equal(
    calls().map((line) => line.split(' ')[0]),
    ['npm'],
  );
  assert.not.ok(readdirSync(place).includes('older'));
});

test('no pip, npm, compiler, connection or leave to fetch: one line each, and nothing is left but wheels', async () => {
  for (const [missing, line] of [
    ['pip', /pip: expected pip, to download tensorflow==2/],
    ['npm', /^tensorflow: expected npm, to install tfjs-node/],
    ['g++', /^tensorflow: expected a C\+\+17 compiler.*none of g\+\+, clang\+\+, c\+\+: install one/],
  ] as const) {
    const { install, names } = machine([missing]);
    assert.match(await refusal(install()), line);
    assert.not.ok(names().some((name) => name !== 'downloads'));
  }
  const { install, env, calls, program } = machine();
  assert.match(await refusal(install({ env: { ...env, HF_HUB_OFFLINE: '1' } })), /HF_HUB_OFFLINE is set/);
  assert.equal(calls(), []);
  program('npm', 'echo "npm error code EAI_AGAIN" >&2; echo "npm error A complete log is in x" >&2; exit 1');
  assert.match(
    await refusal(install()),
    /npm cannot install tfjs-node: the registry is out of reach \(code EAI_AGAIN\)/,
  );
  const unreachable = machine();
  rmSync(join(unreachable.index, CUBLAS_FILE));
  assert.match(
    await refusal(unreachable.install()),
    /pip download nvidia-cublas-cu12==12 failed: the package index is out of reach \(ERROR: No matching distribution\)/,
  );
  writeFileSync(join(env.HOME, 'file'), '');
  const noFolder = { ...env, SAXBENCH_CACHE: join(env.HOME, 'file') };
  assert.match(await refusal(install({ env: noFolder })), /^cannot write .*ENOTDIR/);
});

test('platforms that no wheel is for, and a full disk', async () => {
  const refused = (os: string, arch: string, glibc?: string) => refusal(() => checkPlatform({ os, arch, glibc }));
  checkPlatform({ os: 'linux', arch: 'x64', glibc: '2.27' });
  checkPlatform({ os: 'linux', arch: 'x64', glibc: '3.0' });
  assert.match(await refused('darwin', 'arm64'), /expected Linux on x64 .*; found darwin on arm64\. Elsewhere/);
  assert.match(await refused('linux', 'arm64', '2.36'), /found linux on arm64, glibc 2.36/);
  assert.match(await refused('linux', 'x64', '2.17'), /found linux on x64, glibc 2.17/);
  assert.match(await refused('linux', 'x64'), /found linux on x64, another C library/);
  assert.match(await refusal(checkRoom(folder, 1e18)), /expected 1000000000.0 GB free in .*; found .* GB: free some/);
  const { install, calls } = machine();
  assert.match(await refusal(install({ pins: { ...pins, installed: 1e18 } })), /^tensorflow: expected .* GB free/);
  assert.equal(calls(), []);
});

test('stopped in a download: nothing is left of it, nor of installations whose process is gone', async () => {
  const { install, names, program, root } = machine();
  const [gone, elsewhere] = [`making-${hostname()}-999999999`, 'making-other.host-1'];
  for (const name of [gone, elsewhere]) mkdirSync(join(root, name), { recursive: true });
  program('pip', 'exec sleep 20');
  const controller = new AbortController();
  const said = (line: string) => line.startsWith('1 of 2: tensorflow 2') && setTimeout(() => controller.abort(), 50);
  const error = await rejection(install({ signal: controller.signal, say: said }));
  assert.is(error.name, 'AbortError');
  assert.equal(names(), ['downloads', elsewhere]);
});

test('what is pinned: files of the packages and versions that it says, tfjs-node of the version of tfjs here', async () => {
  const wheels = Object.values(PINS).flatMap(({ tensorflow, cuda }) => [tensorflow, ...cuda]);
  for (const wheel of wheels) {
    assert.ok(wheel.file.startsWith(`${wheel.package.replaceAll('-', '_')}-${wheel.version}-`), wheel.file);
    assert.match(wheel.file, /x86_64\.whl$/);
    assert.match(wheel.sha256, /^[0-9a-f]{64}$/);
  }
  assert.is(new Set(wheels.map(({ sha256 }) => sha256)).size, wheels.length);
  assert.is(PINS.cuda.cuda.length, 12);
  const read = (file: string) => JSON.parse(readFileSync(join(packageRoot, file), 'utf8'));
  const { packages } = read('harness/tensorflow/tfjs-node.lock.json') as {
    packages: Record<string, { version: string; integrity?: string }>;
  };
  const { dependencies } = read('package.json');
  for (const name of ['tfjs-node', 'tfjs-core', 'tfjs'])
    assert.is(packages[`node_modules/@tensorflow/${name}`]!.version, dependencies['@tensorflow/tfjs-core']);
  for (const [name, { integrity }] of Object.entries(packages)) {
    if (name !== '') assert.match(integrity ?? 'none', /^sha512-/, name);
  }
  assert.ok(isCudaMember('nvidia/cuda_nvcc/nvvm/libdevice/libdevice.10.bc'));
  assert.not.ok(isCudaMember('nvidia/cuda_nvcc/nvvm/bin/cicc') || isCudaMember('nvidia/cudnn/include/cudnn.h'));
});

test.run();
