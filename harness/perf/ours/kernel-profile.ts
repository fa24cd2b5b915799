/** @file Where a step's time goes, kernel by kernel: what a missed target is explained with. */
import { tf } from '../../num/tf.ts';

/**
 * Runs `step` twice untimed, then `repeats` times with every kernel of the backend in use timed, and prints seconds,
 * CPU seconds of all threads, calls and share of the CPU time for each. Kernels that call others count the time of these too.
 */
export async function profileKernels(step: () => unknown, repeats: number): Promise<void> {
  await step();
  await step();
  const cpuSeconds = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  };
  const totals = new Map<string, { seconds: number; cpu: number; calls: number }>();
  const backend = tf.getBackend();
  for (const config of tf.getKernelsForBackend(backend)) {
    const total = { seconds: 0, cpu: 0, calls: 0 };
    totals.set(config.kernelName, total);
    const { kernelFunc } = config;
    tf.unregisterKernel(config.kernelName, backend);
    tf.registerKernel({
      ...config,
      kernelFunc: (params) => {
        const [start, cpuStart] = [performance.now(), cpuSeconds()];
        const result = kernelFunc(params);
        total.seconds += (performance.now() - start) / 1000;
        total.cpu += cpuSeconds() - cpuStart;
        total.calls++;
        return result;
      },
    });
  }
  const [start, cpuStart] = [performance.now(), cpuSeconds()];
  for (let i = 0; i < repeats; i++) await step();
  const whole = (performance.now() - start) / 1000;
  const wholeCpu = cpuSeconds() - cpuStart;
  console.log(`${(whole / repeats).toFixed(4)} s a step, ${(wholeCpu / repeats).toFixed(4)} CPU s`);
  const used = [...totals].filter(([, { calls }]) => calls > 0).sort(([, a], [, b]) => b.cpu - a.cpu);
  for (const [name, { seconds, cpu, calls }] of used) {
    const share = ((100 * cpu) / wholeCpu).toFixed(1);
    const each = `${(seconds / repeats).toFixed(4)} s  ${(cpu / repeats).toFixed(4)} CPU s`;
    console.log(`${name.padEnd(26)} ${each}  ${calls / repeats} calls  ${share} %`);
  }
  const inKernels = used.reduce((sum, [, { cpu }]) => sum + cpu, 0);
  console.log(`${'outside kernels'.padEnd(26)} ${((wholeCpu - inKernels) / repeats).toFixed(4)} CPU s`);
}
