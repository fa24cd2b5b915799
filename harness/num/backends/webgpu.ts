/** @file tfjs's WebGPU backend on Dawn, for GPUs. Both packages are optional, and it is used only where it is asked for. */
import { checkPackages, INSTALL_LINE } from '../../webgpu/packages.ts';
import { tf } from '../tf.ts';
import { loadCpuPackage } from './cpu.ts';
import { defineBackend, makeCurrent, NotHere, type RunningBackend, reasonOf } from './record.ts';

const DRIVER =
  "install the GPU's driver with Vulkan (on Linux also libvulkan.so.1, Debian's libvulkan1), and see that VK_DRIVER_FILES names no other";

async function load(): Promise<RunningBackend> {
  checkPackages();
  await loadCpuPackage();
  const { register } = await import('../../webgpu/index.ts');
  try {
    const says = await register(tf);
    await makeCurrent('webgpu');
    return { says: { version: tf.version_core, ...says } };
  } catch (error) {
    throw new NotHere(reasonOf(error), DRIVER);
  }
}

export const webgpu = defineBackend({
  load,
  chosen: 'where it is asked for alone: its speed on a GPU is unmeasured',
  mend: INSTALL_LINE,
});
