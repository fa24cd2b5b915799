/** @file The machine that a speed table was measured on, in one line. */
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { cpuModel } from '../num/backends/record.ts';

/** What decides how fast products are, as Linux names it. */
const SETS = ['avx2', 'avx_vnni', 'avx512f', 'avx512_vnni', 'avx512_bf16', 'avx512_fp16', 'amx_tile', 'amx_bf16'];
const ARM = ['asimd', 'bf16', 'i8mm', 'sve', 'sve2', 'sme'];

/** Those of the sets that a text like /proc/cpuinfo lists. */
export function instructionSetsOf(cpuinfo: string): string[] {
  const flags = new Set(/^(?:flags|Features)\s*:\s*(.*)$/m.exec(cpuinfo)?.[1]?.split(/\s+/));
  return [...SETS, ...ARM].filter((name) => flags.has(name));
}

function cpuinfo(): string {
  try {
    return readFileSync('/proc/cpuinfo', 'utf8');
  } catch {
    return '';
  }
}

/** Model, cores, instruction sets. */
export function machineInWords(): string {
  const sets = instructionSetsOf(cpuinfo());
  const listed = sets.length > 0 ? sets.join(' ') : 'instruction sets not told by this system';
  return `${cpuModel()}, ${os.availableParallelism()} cores, ${listed}; Node ${process.version}`;
}
