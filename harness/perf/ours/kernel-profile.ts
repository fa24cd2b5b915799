/** @file Where a step's time goes, kernel by kernel: what a missed target is explained with. */
import { tf } from '../../num/tf.ts';

/**
 * Runs `step` twice untimed, then `repeats` times with every kernel of the backend in use timed, and prints seconds,
 * calls and share of the whole for each. Kernels that call others count the time of these too.
 */
export async function profileKernels(step: () => unknown, repeats: number): Promise<void> {
  await step();
  await step();
  const totals = new Map<string, { seconds: number; calls: number }>();
  const backend = tf.getBackend();
  for (const config of tf.getKernelsForBackend(backend)) {
    const total = { seconds: 0, calls: 0 };
    totals.set(config.kernelName, total);
    const { kernelFunc } = config;
    tf.unregisterKernel(config.kernelName, backend);
    tf.registerKernel({
      ...config,
      kernelFunc: (params) => {
        const start = performance.now();
        const result = kernelFunc(params);
        total.seconds += (performance.now() - start) / 1000;
        total.calls++;
        return result;
      },
    });
  }
  const start = performance.now();
  for (let i = 0; i < repeats; i++) await step();
  const whole = (performance.now() - start) / 1000;
  console.log(`${(whole / repeats).toFixed(4)} s a step`);
  const used = [...totals].filter(([, { calls }]) => calls > 0).sort(([, a], [, b]) => b.seconds - a.seconds);
  for (const [name, { seconds, calls }] of used) {
    const share = ((100 * seconds) / whole).toFixed(1);
    console.log(`${name.padEnd(26)} ${(seconds / repeats).toFixed(4)} s  ${calls / repeats} calls  ${share} %`);
  }
  const inKernels = used.reduce((sum, [, { seconds }]) => sum + seconds, 0);
  console.log(`${'outside kernels'.padEnd(26)} ${((whole - inKernels) / repeats).toFixed(4)} s`);
}
