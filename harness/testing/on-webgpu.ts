/**
 * @file `npm run on-webgpu`: installs the packages of backend `webgpu` into a temporary folder, and runs there the tests of operations,
 * gradients, optimiser and training steps. Says why it skips that: no packages, no driver. Without a GPU's driver it takes the software one of Debian's package chromium (SwiftShader).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { packageRoot } from '../paths.ts';
import { PACKAGES } from '../webgpu/packages.ts';

const TESTS = '^harness/webgpu/|^harness/num/(gradients|ops|optimiser|read-together)|^models/sae/golden';
const INSTALL_MS = 60_000;

const CHROMIUM = '/usr/lib/chromium';
const SOFTWARE_DRIVER = join(CHROMIUM, 'vk_swiftshader_icd.json');

/** Where Vulkan is looked for: as on this machine, else chromium's folder. */
function driver(): Record<string, string> {
  const named = process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES'];
  const installed = existsSync('/usr/share/vulkan/icd.d') || existsSync('/etc/vulkan/icd.d');
  if (named || installed || !existsSync(SOFTWARE_DRIVER)) return {};
  return { LD_LIBRARY_PATH: CHROMIUM, VK_DRIVER_FILES: SOFTWARE_DRIVER, VK_ICD_FILENAMES: SOFTWARE_DRIVER };
}

/** Why it cannot be installed; undefined where it was. */
function install(folder: string): string | undefined {
  const names = Object.entries(PACKAGES).map(([name, version]) => `${name}@${version}`);
  // tfjs-core is saxbench's own.
  const how = ['--omit=peer', '--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
  const { status, stderr } = spawnSync('npm', ['install', ...how, ...names], { encoding: 'utf8', timeout: INSTALL_MS });
  if (status === 0) return undefined;
  return `the packages cannot be installed: ${stderr.trim().split('\n').at(-1) || `longer than ${INSTALL_MS / 1000} s`}`;
}

const folder = await mkdtemp(join(tmpdir(), 'saxbench-webgpu-'));
const modules = [join(folder, 'node_modules'), join(packageRoot, 'node_modules')].join(delimiter);
const env = { ...process.env, ...driver(), NODE_PATH: modules, SAXBENCH_TEST_BACKEND: 'webgpu' };
const cli = join(packageRoot, 'dist/harness/cli.js');

function reasonAgainst(): string | undefined {
  const failed = install(folder);
  if (failed) return failed;
  const said = execFileSync(process.execPath, [cli, 'doctor', '--json'], {
    env,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = JSON.parse(said) as { name: string; ok: boolean; text: string }[];
  const { ok, text } = lines.find(({ name }) => name === 'backend webgpu')!;
  if (ok) console.log(`webgpu: ${text}`);
  return ok ? undefined : text;
}

try {
  const reason = reasonAgainst();
  if (reason) {
    console.log(`skipped: tests on backend webgpu: ${reason}`);
  } else {
    const tests = spawnSync('npm', ['test', '--', TESTS], { cwd: packageRoot, env, stdio: 'inherit' });
    process.exitCode = tests.status === 0 ? 0 : 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
