/** @file The thread of `parquet.ts`: reads a table and tells its rows or why there are none. */

import { parentPort, workerData } from 'node:worker_threads';
import type { ParquetMessage, ParquetTask } from './parquet.ts';
import { countTypedArrays, Refusal, readTable } from './parquet-table.ts';

const { path, options, arrayBytes } = workerData as ParquetTask;
const tell = (message: ParquetMessage) => parentPort!.postMessage(message);

try {
  const begun = () => {
    countTypedArrays()(arrayBytes);
    tell({ type: 'begun' });
  };
  tell({ type: 'rows', rows: await readTable(path, options, begun) });
} catch (error) {
  const { message } = error as Error;
  tell({
    type: 'failed',
    message: `${error instanceof Refusal ? '' : 'cannot be read: '}${message.replace(/\.$/, '')}.`,
  });
}
