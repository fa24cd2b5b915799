/** @file Progress: two bars on a terminal, one quiet line a step elsewhere, nothing with `--no-progress`. */

export interface StepProgress {
  update(done: number, total: number, note?: string): void;
  /** Ends the step. `outcome` says how, e.g. `3.1 s`. */
  end(outcome: string): void;
}

export interface Progress {
  /** Starts a step; `steps` of them will come in all. */
  step(label: string): StepProgress;
  /** A line that stays while the bars go on: a method that failed. */
  say(line: string): void;
  stop(): void;
}

type Stream = NodeJS.WriteStream;

/** Between two updates of a step: training reports every step, thousands a second. */
const UPDATE_EVERY_MS = 80;

/** An update that passes on the last one, and of the others what comes {@link UPDATE_EVERY_MS} after what it passed on. */
export function rarely(update: StepProgress['update']): StepProgress['update'] {
  let told = 0;
  return (done, total, note) => {
    const now = performance.now();
    if (now - told < UPDATE_EVERY_MS && done < total) return;
    told = now;
    update(done, total, note);
  };
}

/**
 * The progress for a stream: bars when it is a terminal.
 *
 * @param total Steps to come.
 */
export async function createProgress(total: number, options: { stream?: Stream; enabled: boolean }): Promise<Progress> {
  const stream = options.stream ?? process.stderr;
  if (!options.enabled) return { step: () => ({ update() {}, end() {} }), say() {}, stop() {} };
  return stream.isTTY ? barProgress(stream, total) : lineProgress(stream, total);
}

function lineProgress(stream: Stream, total: number): Progress {
  let begun = 0;
  return {
    step(label) {
      begun += 1;
      const number = `[${String(begun).padStart(String(total).length)}/${total}]`;
      return { update() {}, end: (outcome) => stream.write(`${number} ${label}: ${outcome}\n`) };
    },
    say: (line) => stream.write(`${line}\n`),
    stop() {},
  };
}

async function barProgress(stream: Stream, total: number): Promise<Progress> {
  const { default: cliProgress } = await import('cli-progress');
  const bars = new cliProgress.MultiBar(
    {
      format: ' {bar} {value}/{total} {label} {note}',
      barsize: 20,
      hideCursor: true,
      clearOnComplete: true,
      stream,
      fps: 8,
    },
    cliProgress.Presets.shades_classic,
  );
  const all = bars.create(total, 0, { label: 'steps', note: '' });
  return {
    step(label) {
      const bar = bars.create(1, 0, { label, note: '' });
      return {
        update: rarely((done, of, note = '') => {
          bar.setTotal(Math.max(1, of));
          bar.update(done, { note });
        }),
        end() {
          bars.remove(bar);
          all.increment();
        },
      };
    },
    say: (line) => bars.log(`${line}\n`),
    stop: () => bars.stop(),
  };
}
