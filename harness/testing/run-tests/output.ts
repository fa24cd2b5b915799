/** @file What uvu prints of one file of tests, read. */

/** A line that a worker writes when a file is through. */
export const END_OF_FILE = '\u0004 end of file';

/** How the tests of a file, or of several, ended. */
export interface Counts {
  total: number;
  passed: number;
  skipped: number;
}

export interface FileOutcome extends Counts {
  /** What was printed, without uvu's sums. */
  text: string;
  /** Why the file failed, where no single test says it. */
  fault?: string;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
const COLOUR = /\u001b\[\d+m/g;
const SUMS = /\n *Total: +(\d+)\n *Passed: +(\d+)\n *Skipped: +(\d+)\n *Duration: .*\n/;

/**
 * @param printed All that a worker printed of a file; without sums where it ended before.
 * @returns Of a file whose hooks fail uvu says that it passed 0 of its tests and nothing else; here it is a fault.
 */
export function outcomeOf(printed: string): FileOutcome {
  const plain = printed.replace(COLOUR, '');
  const sums = SUMS.exec(plain);
  if (!sums) return { text: printed, total: 1, passed: 0, skipped: 0, fault: 'ended before its tests did' };
  const [total, passed, skipped] = sums.slice(1).map(Number) as [number, number, number];
  const text = printed.slice(0, printed.lastIndexOf('\n  Total:'));
  // What a file needs may not be there: PyTorch, a real model.
  if (total + skipped === 0 && /^skipped: /m.test(plain)) return { text, total, passed, skipped };
  if (total + skipped === 0) return { text, total: 1, passed: 0, skipped, fault: 'no test ran: is .run() missing?' };
  const failed = plain.split(' FAIL ').length - 1;
  if (passed + failed < total)
    return { text, total, passed, skipped, fault: `a hook failed: ${total} tests, ${passed} passed` };
  return { text, total, passed, skipped };
}
