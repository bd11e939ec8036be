/**
 * The protocol between the main thread (pool.ts) and a worker (worker.ts): shared words. Each worker has a block of BLOCK bytes in the control
 * memory: 32-bit words of its state first, then the number of a kernel and its arguments as doubles.
 */

/** The first word of a block: the worker has nothing to do. */
export const IDLE = 0
/** A kernel and its arguments are in the block; the thread that first changes this to TAKEN runs it. */
export const OPEN = 1
export const TAKEN = 2
/** The worker must end. */
export const STOP = 3
/** LISTEN + n: n modules with further kernels have been sent to the worker as messages; it must instantiate the next one. */
export const LISTEN = 4

/** Bytes of a block. */
export const BLOCK = 256
/** Indices of 32-bit words: flags that the worker sleeps, and that the main thread sleeps until the worker is done. */
export const ASLEEP = 1
export const AWAITED = 2
/** Flag that the worker has ended, because its kernel threw. */
export const GONE = 3
/** Index among the doubles: the number of the kernel, then its arguments. */
export const KERNEL = 4
export const MAX_ARGUMENTS = 16

/** Start message of a worker. */
export interface Start {
  module: WebAssembly.Module
  memory: WebAssembly.Memory
  control: SharedArrayBuffer
  /** The number of its block. */
  index: number
  /** Start of its stack, which grows down. */
  stack: number
  /** Distance between the stacks of further modules, downwards. */
  between: number
  /** Index of its first kernel in the function table, as on the main thread. */
  first: number
}

/** A further module for a worker. */
export interface Further {
  module: WebAssembly.Module
  first: number
}
