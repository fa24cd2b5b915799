/** @file What every measurement of ours shares: the timer, and the JSON line that the driver reads. */
import { initBackend } from '../../num/backend.ts';
import type { Precision } from '../../num/precision.ts';

/** The line that a measurement, ours or a peer's, prints last. */
export interface Measurement {
  value: number;
  unit: string;
  /** CPU seconds of all threads for one repetition (one batch of it): what a busy machine leaves comparable. */
  cpu_s?: number;
  /** Largest resident set of the process, MiB. */
  peak_mib: number;
  note: string;
}

let cpuSeconds: number | undefined;

/**
 * Median wall seconds of `step` after `warmup` untimed calls, for one of the `batches` that a call works off; keeps the
 * mean of their CPU seconds for `report`.
 */
export async function seconds(step: () => unknown, repeats: number, warmup = 2, batches = 1): Promise<number> {
  for (let i = 0; i < warmup; i++) await step();
  const before = process.cpuUsage();
  const times: number[] = [];
  for (let i = 0; i < repeats; i++) {
    const start = performance.now();
    await step();
    times.push((performance.now() - start) / 1000 / batches);
  }
  const { user, system } = process.cpuUsage(before);
  cpuSeconds = (user + system) / 1e6 / repeats / batches;
  times.sort((a, b) => a - b);
  const middle = times.length >> 1;
  return times.length % 2 === 1 ? times[middle]! : (times[middle - 1]! + times[middle]!) / 2;
}

/** Prints the line. */
export function report(value: number, unit: string, note: string): void {
  const peak_mib = Math.round(process.resourceUsage().maxRSS / 1024);
  const line: Measurement = { value, unit, peak_mib, note, ...(cpuSeconds !== undefined && { cpu_s: cpuSeconds }) };
  console.log(JSON.stringify(line));
}

/** Starts the best backend for a precision, or `webgpu` where the command line says so; what it says of itself for the note. */
export async function startBackend(precision: Precision = 'float32'): Promise<string> {
  const onGpu = process.argv.includes('webgpu');
  const { name, device, detail } = await initBackend(onGpu ? 'webgpu' : 'auto', precision);
  return [name, ...(onGpu ? [device] : []), detail].join(', ');
}

/** The command line's arguments from position `from`, as whole numbers. */
export function numbers(from: number): number[] {
  return process.argv.slice(2 + from).map(Number);
}
