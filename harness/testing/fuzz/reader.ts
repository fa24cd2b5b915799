/** @file What is fuzzed: a reader of files, and the good files that its mutants are made of. */
import type { Mutation, Seed } from './mutate.ts';

export interface FuzzReader {
  seeds(): Promise<Seed[]>;
  mutate: Mutation;
  /** Reads the changed file or its folder, to the end. */
  read(file: string, folder: string): Promise<unknown>;
  /**
   * Reads in a thread with limits of its own, which the mutants here do without: where one ends the thread or takes too long,
   * this must end in one line.
   */
  limited?(file: string): Promise<unknown>;
}
