/** Batch normalization, shared by threads: each takes some of the columns. */
import type { BatchNormKernels } from '../batch-norm-kernels.js'
import type { Kernel } from '../kernels.js'
import type { Shareable, WasmExports } from '../wasm/types.js'
import { divided } from './split.js'

/** Nanoseconds of an element in each kernel, and the place of the number of rows among its arguments; the number of columns is next. */
const COSTS: Readonly<Record<keyof BatchNormKernels, readonly [nanoseconds: number, rowsAt: number]>> = {
  batchNormMoments: [0.4, 3],
  batchNormForward: [0.4, 6],
  batchNormBackward: [1, 9],
}
/** Columns of a share: a line of the cache. */
const LINE = 16

/** The kernels of the part, which may be called with surplus arguments; those with much work are divided among threads. */
export function shareKernels({ exports, pool }: Shareable): WasmExports {
  const table = { ...exports }
  for (const [name, [nanoseconds, rowsAt]] of Object.entries(COSTS)) {
    const single = exports[name] as Kernel
    const number = pool.numberOf(exports[`${name}Share`] as Kernel)
    table[name] = divided<(...args: number[]) => unknown>(pool, single, {
      number,
      time: (...args) => args[rowsAt] * args[rowsAt + 1] * nanoseconds,
      most: (...args) => Math.ceil(args[rowsAt + 1] / LINE),
      share: (args, index, shares) => [...args.slice(0, single.length), index, shares],
    })
  }
  return table
}
