/** Backends with threads for tests: kernels that share any call, however small. */
import { Heap, WasmMemorySource } from '../../ts/backend/heap.js'
import type { Kernel, Kernels, Update } from '../../ts/backend/kernels.js'
import { ATTENTION } from '../../ts/backend/rooms/attention.js'
import { CONV } from '../../ts/backend/rooms/conv.js'
import { HEAD } from '../../ts/backend/rooms/head.js'
import { RECURRENT } from '../../ts/backend/rooms/recurrent.js'
import type { Gain } from '../../ts/backend/threads/gain.js'
import { sharedMemory, startThreads } from '../../ts/backend/threads/index.js'
import { Pool } from '../../ts/backend/threads/pool.js'
import { compiled, instantiate, instantiatePart } from '../../ts/backend/wasm/load.js'
import { BATCH_NORM, OPERATIONS, OTHERS } from '../../ts/backend/wasm/parts.js'
import type { WasmExports, WasmPart } from '../../ts/backend/wasm/types.js'
import type { Variant } from '../../ts/backend/wasm/variants.js'
import type { TestBackend } from './backends.js'

/** Parts with these kernels, besides the core. */
const PARTS = [ATTENTION, BATCH_NORM, CONV, HEAD, OPERATIONS, OTHERS, RECURRENT]

export interface Team extends TestBackend {
  exports: WasmExports
  pool: Pool
  share(update: Update): Update
  /** Number of calls that were shared. */
  shared(): number
}

/** One thread with a memory of its own, as by default. */
export function alone(variant: Variant): TestBackend & { kernels: WasmExports } {
  const exports = instantiate(variant)
  const heap = new Heap(new WasmMemorySource(exports.memory), exports.heapBase())
  const parts = PARTS.map((part) => partBeside(part, variant, exports))
  const kernels = Object.assign({}, ...parts, exports) as WasmExports
  return { label: `wasm ${variant}`, kernels, heap, float64: false, unit: 2 ** -24 }
}

/** A pool of threads, each of which gets a share of every call that can be shared. */
export async function team(variant: Variant, threads: number): Promise<Team> {
  const exports = instantiate(variant, sharedMemory())
  const heap = new Heap(new WasmMemorySource(exports.memory), exports.heapBase())
  const { kernels, pool, share, add } = startThreads(variant, exports, heap, threads)
  await pool.ready
  const parts = PARTS.map((part) => add(partBeside(part, variant, exports, true), part))
  await allHave(pool)
  pool.sharesFor = () => threads
  ;(pool as unknown as { gain: Gain }).gain.wants = () => true
  let shared = 0
  const { run } = pool
  pool.run = (...call) => {
    shared++
    run.apply(pool, call)
  }
  const label = `wasm ${variant}, ${threads} threads`
  return {
    label,
    kernels: Object.assign({}, ...parts, kernels) as Kernels,
    heap,
    float64: false,
    unit: 2 ** -24,
    exports,
    pool,
    share,
    shared: () => shared,
  }
}

/** A part of the crate, on the memory of an instance of its core. */
export function partBeside(part: WasmPart, variant: Variant, core: WasmExports, shared = false): WasmExports {
  const exports = instantiatePart(part, variant, core, shared)
  if (exports === undefined || exports === core) throw new Error('the part is no module of its own')
  return exports
}

/** A part for all threads of a team; resolves once each has it. */
export async function addPart(part: WasmPart, variant: Variant, { exports, pool }: Team): Promise<WasmExports> {
  const added = partBeside(part, variant, exports, true)
  pool.add(Object.values(added) as Kernel[], compiled(variant, true, part))
  await allHave(pool)
  return added
}

async function allHave(pool: Pool): Promise<void> {
  while (Pool.prototype.sharesFor.call(pool, 1e9) < pool.size) await new Promise((resolve) => setTimeout(resolve, 1))
}
