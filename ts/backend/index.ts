/** Backends run the kernels. {@link load}, or the first use, chooses one. */

import { StepArena } from './arena.js'
import type { Backend } from './backend.js'
import { ArrayBufferSource, Heap, WasmMemorySource } from './heap.js'
import { createBasicKernels } from './js/index.js'
import { type Kernels, TILES, type TileName, type Update, WHOLE_UPDATES } from './kernels.js'
import { type BackendOptions, chooseThreads, chooseVariant } from './options.js'
import { sharedMemory, startThreads } from './threads/index.js'
import { instantiate, instantiatePart, precompile, updateKernel, warmUp } from './wasm/load.js'
import { type Tiled, tilesFor, withTileChoice } from './wasm/tiles.js'
import type { WasmExports, WasmPart } from './wasm/types.js'
import type { Variant } from './wasm/variants.js'
import { checkWidened, enableWidening, engineOf } from './wasm/widen.js'

export type { Backend } from './backend.js'
export type { BackendOptions } from './options.js'

let current: Backend | undefined
/** The options of the default backend. */
let loaded: BackendOptions = {}

/**
 * Makes a backend ready and the default for everything created afterwards. Optional: without it the first use
 * compiles synchronously (some ten milliseconds). Compiles off the calling thread, which old Chrome versions need, and runs large
 * kernels once, so that the engine compiles them well while the program prepares its data.
 *
 * @example
 * const backend = await load({ backend: 'js', dtype: 'float64' })
 * console.log(backend.name, backend.variant)
 *
 * await load({ threads: 'auto', reproducible: true }) // all cores, the bits of one
 * @throws RangeError for options that exclude each other, Error if WebAssembly SIMD was requested and is missing
 */
export async function load(options: BackendOptions = {}): Promise<Backend> {
  const variant = chooseVariant(options)
  if (variant !== 'js') await precompile(variant, chooseThreads(variant, options) > 1)
  current = createBackend(options)
  loaded = options
  if (variant !== 'js') warmUp(current)
  await current.ready
  return current
}

/**
 * A separate backend, in addition to the default one. Pass it as `backend` to models and tensors.
 *
 * @example
 * const exact = createBackend({ backend: 'js', dtype: 'float64' })
 * new Dense(2, 1, { backend: exact }).predict([[1, 2]]).data() instanceof Float64Array // true
 */
export function createBackend(options: BackendOptions = {}): Backend {
  const variant = chooseVariant(options)
  const threads = chooseThreads(variant, options)
  const backend = variant === 'js' ? createJs(options) : createWasm(variant, threads, options)
  // Node prints this instead of all kernels
  const value = () => `Backend(${backend.variant} ${backend.dtype}, threads: ${backend.threads})`
  return Object.defineProperty(backend, Symbol.for('nodejs.util.inspect.custom'), { value })
}

/**
 * The backend that {@link load} chose; the best available one if it was not called.
 *
 * @example tensor([1]).backend === defaultBackend() // true
 */
export function defaultBackend(): Backend {
  current ??= createBackend()
  return current
}

/**
 * Replaces the default engine by a new one, with the options of {@link load}, from the already compiled module: the way to continue after an {@link
 * EngineCrashedError}. Models and tensors of the old engine do not move; make them again, and load their saved states.
 *
 * @example
 * const fresh = reset()
 * fresh === defaultBackend() // true
 */
export function reset(): Backend {
  current = createBackend(loaded)
  return current
}

let double: Backend | undefined

/** @internal the backend in JavaScript with double precision that all second-order code shares */
export function doubleBackend(): Backend {
  double ??= createBackend({ backend: 'js', dtype: 'float64' })
  return double
}

function createJs({ dtype = 'float32', memoryLimit }: BackendOptions): Backend {
  const heap = new Heap(new ArrayBufferSource(), 0, dtype, memoryLimit)
  return {
    name: 'js',
    variant: 'js',
    dtype,
    kernels: createBasicKernels(heap),
    heap,
    arena: new StepArena(heap),
    widened: false,
    tile: null,
    threads: 1,
    ready: Promise.resolve(),
    update: () => undefined,
    part: () => undefined,
    exportsNumbered: () => [],
  }
}

function createWasm(variant: Variant, threads: number, { memoryLimit, widen = false, tile = 'auto' }: BackendOptions): Backend {
  const widening = widen && enableWidening()
  const exports = instantiate(variant, threads > 1 ? sharedMemory(memoryLimit) : undefined)
  const heap = new Heap(new WasmMemorySource(exports.memory, memoryLimit), exports.heapBase(), 'float32', memoryLimit)
  const shared = threads > 1 ? startThreads(variant, exports, heap, threads) : undefined
  const parts = new Map<WasmPart, WasmExports | undefined>()
  const partOf = (part: WasmPart): WasmExports | undefined => {
    if (!parts.has(part)) {
      const found = instantiatePart(part, variant, exports, shared !== undefined)
      parts.set(part, found && shared ? shared.add(found, part) : found)
    }
    return parts.get(part)
  }
  const updates = new Map<string, Update>()
  const findUpdate = (name: string, part?: WasmPart): Update | undefined => {
    const whole = updateKernel(exports, name) ?? updateKernel(part && partOf(part), name)
    const found = whole && shared && !WHOLE_UPDATES.includes(name) ? shared.share(whole) : whole
    if (found !== undefined) updates.set(name, found)
    return found
  }
  const tiles = tilesFor(variant)
  const backend = {
    name: 'wasm' as const,
    variant,
    dtype: 'float32' as const,
    // a copy, because exports are frozen and families of kernels are added later (families.ts)
    kernels: shared ? shared.kernels : ({ ...exports } as Kernels),
    heap,
    arena: new StepArena(heap),
    widened: false,
    tile: TILES[tiles[0]] as TileName,
    get threads() {
      return shared ? shared.pool.size : 1
    },
    ready: shared ? shared.ready : Promise.resolve(),
    update: (name: string, part?: WasmPart) => updates.get(name) ?? findUpdate(name, part),
    part: partOf,
    pool: shared?.pool,
    exportsNumbered: (number: string) =>
      [exports, ...parts.values()].flatMap((module) =>
        Object.entries(module ?? {}).flatMap(([name, kernel]) => (isNumbered(kernel, number) ? [name] : [])),
      ),
  }
  const use = (index: number) => {
    backend.tile = TILES[index]
  }
  if (tile !== 'auto') {
    ;(exports as unknown as Tiled).setTile(TILES.indexOf(tile))
    backend.tile = tile
  } else if (!widening) {
    backend.kernels = withTileChoice(backend.kernels, engineOf(variant), tiles, use)
  }
  if (widening) backend.widened = checkWidened(backend, tile === 'auto' ? use : undefined)
  return backend
}

/** True if a kernel is the exported function with this number: engines name exported functions by their numbers. */
function isNumbered(kernel: unknown, number: string): boolean {
  return typeof kernel === 'function' && kernel.name === number
}
