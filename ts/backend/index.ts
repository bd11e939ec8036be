/** Backends: what runs the kernels. Chosen once by {@link load}, or by the first use. */
import { StepArena } from './arena.js'
import { ArrayBufferSource, type DType, Heap, WasmMemorySource } from './heap.js'
import { createJsKernels } from './js/index.js'
import type { Kernels, Update } from './kernels.js'
import { instantiate, precompile, refusal, supportedVariants, updateKernel, type Variant } from './wasm.js'
import { enableWidening, useWideTile } from './widen.js'

/** Options of {@link load} and {@link createBackend}. */
export interface BackendOptions {
  /** `wasm` (default where the engine has SIMD) or `js`. */
  backend?: 'wasm' | 'js'
  /** The WebAssembly artefact. Default: `relaxed` where the engine accepts it, else `simd`. */
  variant?: Variant
  /**
   * Same seed, same bits on every runtime and machine: pins `simd`. Default false. Plain JavaScript (`gradus/js`, `backend: 'js'`)
   * cannot promise that: its bits are the same on one engine only, as engines differ in the last digit of Math.exp and its like,
   * and differ from those of WebAssembly; asked for there, a warning says so.
   */
  reproducible?: boolean
  /** `float64` is for the JS backend only. Default `float32`. */
  dtype?: DType
  /**
   * Experimental: let V8 use 256-bit vectors (Node 24 or newer, x86), about twice as fast on large layers. Sets a V8 flag
   * for the whole process. Ignored elsewhere; `backend.widened` tells. Default false.
   */
  widen?: boolean
  /** Most bytes of memory to take. Default: 4 GiB less one page. */
  memoryLimit?: number
}

/** An engine with its own memory. Tensors and parameters belong to one backend and do not mix. */
export interface Backend {
  readonly name: 'wasm' | 'js'
  readonly variant: Variant | 'js'
  readonly dtype: DType
  readonly kernels: Kernels
  readonly heap: Heap
  readonly arena: StepArena
  /** Whether {@link BackendOptions.widen} took effect. */
  readonly widened: boolean
  /** The fused update kernel of that name, if this backend has one; else the optimizer runs its own rule in JS. */
  update(name: string): Update | undefined
}

let current: Backend | undefined

/**
 * Makes a backend ready and the default for everything created afterwards. Optional: without it the first use
 * compiles synchronously (a few milliseconds). Compiles off the calling thread, which old Chrome versions need.
 *
 * @example
 * const backend = await load({ backend: 'js', dtype: 'float64' })
 * console.log(backend.name, backend.variant)
 * @throws RangeError for options that do not go together, Error where WebAssembly SIMD was asked for and is missing
 */
export async function load(options: BackendOptions = {}): Promise<Backend> {
  const variant = chooseVariant(options)
  if (variant !== 'js') await precompile(variant)
  current = createBackend(options)
  return current
}

/** A backend of its own, beside the default one. Pass it as `backend` to models and tensors. */
export function createBackend(options: BackendOptions = {}): Backend {
  const variant = chooseVariant(options)
  return variant === 'js' ? createJs(options) : createWasm(variant, options)
}

/** The backend that {@link load} chose; the best available one if it was not called. */
export function defaultBackend(): Backend {
  current ??= createBackend()
  return current
}

let double: Backend | undefined

/** @internal JavaScript in double precision, one for everything that looks at curvature */
export function doubleBackend(): Backend {
  double ??= createBackend({ backend: 'js', dtype: 'float64' })
  return double
}

function chooseVariant(options: BackendOptions): Variant | 'js' {
  const { backend, variant, reproducible = false, dtype = 'float32' } = options
  if (backend !== undefined && backend !== 'wasm' && backend !== 'js') {
    throw new RangeError(`load: backend is 'wasm' or 'js', got ${JSON.stringify(backend)}`)
  }
  if (variant !== undefined && variant !== 'simd' && variant !== 'relaxed') {
    throw new RangeError(`load: variant is 'simd' or 'relaxed', got ${JSON.stringify(variant)}`)
  }
  if (dtype !== 'float32' && dtype !== 'float64')
    throw new RangeError(`load: dtype is 'float32' or 'float64', got ${JSON.stringify(dtype)}`)
  const { memoryLimit = 1 } = options
  if (!(memoryLimit > 0)) throw new RangeError(`load: memoryLimit is a number of bytes above 0, got ${memoryLimit}`)
  if (dtype === 'float64') {
    if (backend !== 'js') throw new RangeError("load: dtype 'float64' needs backend 'js'")
    return 'js'
  }
  if (reproducible && variant === 'relaxed')
    throw new RangeError("load: reproducible pins variant 'simd'; 'relaxed' rounds differently by engine")
  if (backend === 'js') {
    if (reproducible) warnReproducible()
    return 'js'
  }
  const supported = supportedVariants()
  const wanted = reproducible ? 'simd' : variant
  const found = wanted ? supported.find((v) => v === wanted) : supported[0]
  if (found) return found
  const forbidden = refusal()
  if (backend === undefined && variant === undefined) {
    if (forbidden) warnForbidden(forbidden)
    if (reproducible) warnReproducible()
    return 'js'
  }
  throw new Error(
    `load: this engine cannot run the WebAssembly variant '${wanted ?? 'simd'}'${forbidden ? ` (${forbidden})` : ''}; ` +
      'leave the choice open to fall back to JS',
  )
}

const warned = new Set<string>()

function warnOnce(text: string): void {
  if (!warned.has(text)) console.warn(`gradus: ${text}`)
  warned.add(text)
}

function warnForbidden(reason: string): void {
  warnOnce(
    `WebAssembly may not be compiled here, so everything runs in plain JavaScript, several times slower (${reason}). ` +
      "A page's Content-Security-Policy has to allow 'wasm-unsafe-eval' in script-src; to use JavaScript on purpose, import 'gradus/js'.",
  )
}

function warnReproducible(): void {
  warnOnce(
    'reproducible: true promises the bits of WebAssembly; those of JavaScript, which runs instead, are others, and differ by engine.',
  )
}

function createJs({ dtype = 'float32', memoryLimit }: BackendOptions): Backend {
  const heap = new Heap(new ArrayBufferSource(), 0, dtype, memoryLimit)
  return {
    name: 'js',
    variant: 'js',
    dtype,
    kernels: createJsKernels(heap),
    heap,
    arena: new StepArena(heap),
    widened: false,
    update: () => undefined,
  }
}

function createWasm(variant: Variant, { memoryLimit, widen = false }: BackendOptions): Backend {
  const widening = widen && enableWidening()
  const exports = instantiate(variant)
  const heap = new Heap(new WasmMemorySource(exports.memory), exports.heapBase(), 'float32', memoryLimit)
  const arena = new StepArena(heap)
  const update = (name: string) => updateKernel(exports, name)
  const backend: Backend = { name: 'wasm', variant, dtype: 'float32', kernels: exports, heap, arena, widened: false, update }
  return widening ? { ...backend, widened: useWideTile(backend) } : backend
}
