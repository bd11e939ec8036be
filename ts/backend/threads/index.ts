/** Threads: their number, the check whether they are possible here, and the pool that shares a backend's kernels. */
import { rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { warnOnce } from '../../common/warn.js'
import { FIRST_BYTES, type Heap } from '../heap.js'
import { type Kernel, type Kernels, SCRATCH_BYTES, type Update } from '../kernels.js'
import { compiled, isShareable } from '../wasm/load.js'
import type { WasmExports, WasmPart } from '../wasm/types.js'
import type { Variant } from '../wasm/variants.js'
import { Pool } from './pool.js'
import { shareKernels, shareOthers, shareUpdate } from './split.js'

/** Largest number of threads of a backend. */
const MOST = 16
/** Largest number of threads that 'auto' uses. */
const MAX_AUTO = 8
/** The stack of a worker; kernels use a hundredth of it. */
const STACK_BYTES = 1 << 16
/** Pages that the module's own data takes. */
const MIN_PAGES = 17
/** Limit of the growth of a shared memory: 4 GiB less one page of 64 KiB. */
const MAX_PAGES = 65_536
const PAGE = 65_536

/** The exports and pool that a backend with threads uses instead of the plain exports. */
export interface Threads {
  kernels: Kernels
  pool: Pool
  /** Resolves once the workers have started, or have failed to start. */
  ready: Promise<void>
  /** An optimizer's update kernel, divided among the threads. */
  share(update: Update): Update
  /** Shares the kernels of a part, too. `exports` belong to its instance on the calling thread, which may be the core's. */
  add(exports: WasmExports, part: WasmPart): WasmExports
}

/** The requested number of threads. @throws RangeError */
export function wantedThreads(threads: number | 'auto' = 1): number {
  if (threads === 'auto') return automaticThreads(processors())
  if (Number.isInteger(threads) && threads >= 1 && threads <= MOST) return threads
  throw rangeError(`load: threads wants 'auto' or a whole number from 1 to ${MOST}, got ${show(threads)}`)
}

/** The threads of 'auto': one for each core. Most machines report two processors for each core, or have slow cores besides fast ones. */
export function automaticThreads(processors: number): number {
  return Math.min(MAX_AUTO, processors <= 2 ? processors : Math.ceil(processors / 2))
}

function processors(): number {
  const { navigator, process } = globalThis as {
    navigator?: { hardwareConcurrency?: number }
    process?: { getBuiltinModule?(name: string): { availableParallelism(): number } | undefined }
  }
  return process?.getBuiltinModule?.('node:os')?.availableParallelism() ?? navigator?.hardwareConcurrency ?? 1
}

/** True if threads can share a memory here; otherwise warns with the reason, once. */
export function canShare(): boolean {
  const shared = typeof SharedArrayBuffer !== 'undefined'
  if (shared && isShareable()) return true
  warnOneThread(
    shared
      ? 'this runtime compiled the module for one'
      : 'threads need SharedArrayBuffer, which a page has only with the headers ' +
          "'Cross-Origin-Opener-Policy: same-origin' and 'Cross-Origin-Embedder-Policy: require-corp'",
  )
  return false
}

function warnOneThread(why: string): void {
  warnOnce(`one thread is used: ${why}`)
}

/** A memory that threads can share. Its maximum size takes address space, which is limited on some machines. @throws RangeError */
export function sharedMemory(limit = MAX_PAGES * PAGE): WebAssembly.Memory {
  const most = Math.max(MIN_PAGES, Math.min(MAX_PAGES, Math.floor(limit / PAGE)))
  const initial = Math.min(FIRST_BYTES / PAGE, most)
  for (let maximum = most; ; maximum = Math.floor(maximum / 2)) {
    try {
      return new WebAssembly.Memory({ initial, maximum, shared: true })
    } catch (error) {
      if (maximum < 2 * initial) throw error
    }
  }
}

/** Starts workers that share the memory of the calling thread. */
export function startThreads(variant: Variant, exports: WasmExports, heap: Heap, threads: number): Threads {
  const blocks = Array.from({ length: threads - 1 }, () => heap.allocate(STACK_BYTES + SCRATCH_BYTES, 'any'))
  const scratches = blocks.map((block) => block + STACK_BYTES)
  const memory = exports.memory as WebAssembly.Memory
  const pool = new Pool(Object.values(exports) as Kernel[], compiled(variant, true), memory, scratches, exports.table as WebAssembly.Table)
  const threaded = { exports, pool, scratches }
  const ready = pool.ready.catch(({ message }: Error) => warnOneThread(`workers do not start (${message})`))
  const add: Threads['add'] = (added, part) => {
    // where one file has all kernels, as in Node, the pool has them already
    if (added === exports) return part.share?.(threaded) ?? exports
    pool.add(Object.values(added) as Kernel[], compiled(variant, true, part))
    return (part.share ?? shareOthers)({ exports: added, pool, scratches })
  }
  return { kernels: shareKernels(threaded), pool, ready, share: (update) => shareUpdate(pool, update), add }
}
