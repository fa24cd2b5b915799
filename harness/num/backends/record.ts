/** @file What a backend of TensorFlow.js is to saxbench: one record in a file of its own. */
import os from 'node:os';
import type { StatisticsKernels } from '../kernels/statistics.ts';
import { tf } from '../tf.ts';
import type { BackendName } from './names.ts';

/** What a backend that loaded says about itself. */
export interface LoadedBackend {
  /** The processor that computes, in words: a CPU model or a GPU. */
  device: string;
  /** Version of the package or library that computes. */
  version: string;
  /** Instruction set, threads, package: what else decides the speed. */
  detail: string;
  /** What decides the last bits of every number: part of the keys of all steps. */
  arithmetic: string;
}

/** A backend that has loaded. */
export interface RunningBackend {
  says: LoadedBackend;
  /** What it computes products of bfloat16 by, where it can. */
  bfloat?: string;
  /** Whether it computes on the device for which it comes first. */
  leads?: boolean;
  /** Kernels of its own for loops over plain arrays. */
  statistics?: StatisticsKernels;
  /** Tells it that so many threads more (or fewer) call it side by side. */
  addCallers?(change: number): void;
}

/** Why a backend cannot run, where the usual mend would not help. `mistake`: the user's, so that no other is taken in its place. */
export class NotHere extends Error {
  readonly mend: string;
  readonly mistake: boolean;

  constructor(reason: string, mend: string, mistake = false) {
    super(reason);
    this.mend = mend;
    this.mistake = mistake;
  }
}

export interface Backend {
  /** Loads it once in a process, and makes it the current backend then. @throws Error with the reason why it cannot run. */
  load(): Promise<RunningBackend>;
  /** Whether a device is here for which it comes first, as far as can be told without loading it. */
  mayLead?(): boolean;
  /** When it is chosen, in words. */
  chosen: string;
  /** What a user can do where it does not load. */
  mend: string;
}

/**
 * A backend whose `load` loads its package, registers kernels and makes it the current one. What came of it stays, a failure
 * too: tfjs forgets a backend whose start failed.
 */
export function defineBackend({ load, ...rest }: Backend): Backend {
  let running: Promise<RunningBackend> | undefined;
  return {
    ...rest,
    load() {
      running ??= load();
      return running;
    },
  };
}

/** The model of the processor. */
export const cpuModel = (): string => os.cpus()[0]?.model.trim() ?? `unknown ${process.arch} CPU`;

/** CommonJS packages arrive under `default` when imported from an ES module. */
export async function importPackage<T>(specifier: string): Promise<T> {
  const loaded = (await import(specifier)) as T & { default?: T };
  return loaded.default ?? loaded;
}

/** Makes a registered backend the current one. */
export async function makeCurrent(name: BackendName): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Error('TensorFlow.js could not start it');
  await tf.ready();
}

/** The first line of an error. */
export function reasonOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.split('\n')[0]!.trim();
}
