/**
 * @file Lets synchronous code wait for Dawn. In Node, Dawn tells what has come to pass from a callback that it hands to the global
 * `setImmediate`, which runs when all synchronous code is through; who gets hold of that callback can run it before.
 */

type Callback = () => void;

/** Methods of Dawn's classes that begin to wait for something. */
const WAITING: readonly [className: string, method: string][] = [
  ['GPU', 'requestAdapter'],
  ['GPUAdapter', 'requestDevice'],
  ['GPUBuffer', 'mapAsync'],
  ['GPUQueue', 'onSubmittedWorkDone'],
  ['GPUDevice', 'popErrorScope'],
  ['GPUDevice', 'createComputePipelineAsync'],
];

/** Looks at once, since a device answers within this many looks where it is idle; then it gives others the core. */
const LOOKS_BEFORE_SLEEP = 20;
const SLEEP_MS = 0.05;
/** A device that has not answered by then is taken for lost: drivers give up after seconds. */
const PATIENCE_MS = 120_000;

const sleeping = new Int32Array(new SharedArrayBuffer(4));

/** Dawn's callback, as long as it waits to be called. */
let waiting: Callback | undefined;
let scheduled = false;

/** Runs what makes Dawn ask for `setImmediate`, and keeps what it asks for. */
function catching<T>(call: () => T): T {
  const own = globalThis.setImmediate;
  const caught = (callback: Callback) => {
    waiting = callback;
    if (scheduled) return;
    scheduled = true;
    own(() => {
      scheduled = false;
      look();
    });
  };
  globalThis.setImmediate = caught as typeof globalThis.setImmediate;
  try {
    return call();
  } finally {
    globalThis.setImmediate = own;
  }
}

/** Lets Dawn tell what has come to pass. False where it waits for nothing. */
function look(): boolean {
  const callback = waiting;
  if (!callback) return false;
  waiting = undefined;
  catching(callback);
  return true;
}

/** Has every method that waits ask us; once in a thread, before the first of them is called. */
export function catchEvents(globals: Record<string, unknown>): void {
  for (const [className, method] of WAITING) {
    const { prototype } = globals[className] as { prototype: Record<string, (...args: unknown[]) => unknown> };
    const own = prototype[method]!;
    prototype[method] = function (this: unknown, ...args: unknown[]) {
      return catching(() => own.apply(this, args));
    };
  }
}

/** Waits, without giving way to other code of this thread. @throws Error where Dawn waits for nothing, or too long. */
export function waitWhile(pending: () => boolean): void {
  const deadline = performance.now() + PATIENCE_MS;
  for (let looks = 0; pending(); looks++) {
    if (!look()) throw new Error('webgpu: Dawn does not ask for its events by setImmediate');
    if (performance.now() > deadline) throw new Error('webgpu: the device does not answer');
    if (looks >= LOOKS_BEFORE_SLEEP && pending()) Atomics.wait(sleeping, 0, 0, SLEEP_MS);
  }
}
