/** From text to a running WebAssembly instance whose exports are the kernel table. */

import type { Backend } from '../backend.js'
import { ACTIVATIONS, type Kernels, type Update } from '../kernels.js'
import { wasmCode } from './bytes.js'
import { withMemoryImported } from './imported-memory.js'
import { bytesOf } from './module-text.js'
import type { WasmExports, WasmPart } from './types.js'
import { type Variant, variantOf } from './variants.js'

/** In ascending order: an engine that runs one variant runs the earlier ones, too. */
const VARIANTS: readonly Variant[] = ['simd', 'relaxed']

/** Distance of the parts' stack below the core's (stacks grow down). Kernels use less than 1 kB. */
export const STACK_BETWEEN = 1 << 15

const files = new Map<Variant, Uint8Array<ArrayBuffer> | undefined>()
const unpacked = new Map<WasmPart, Uint8Array>()
const modules = new Map<WasmPart, Record<string, WebAssembly.Module>>()

/**
 * The variants that this engine can run, best first; none without SIMD or WebAssembly, or if compiling is forbidden.
 *
 * @example const hasSimd = supportedVariants().includes('simd')
 */
export function supportedVariants(): Variant[] {
  if (typeof WebAssembly === 'undefined') return []
  if (wasmCode.simd !== undefined) return ['simd']
  if (wasmCode.text === '' || refusal() !== undefined) return []
  const best = [...VARIANTS].reverse().findIndex(isKnown)
  return best < 0 ? [] : [...VARIANTS].reverse().slice(best)
}

/** A module with a function of three vectors, up to the opcode of the function's only instruction. */
const PROBE = [0, 97, 115, 109, 1, 0, 0, 0, 1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0, 10, 13, 1, 11, 0, 32, 0, 32, 1, 32, 2, 253]
/** True if the engine has the instructions of a variant. It validates a module of one instruction, as the whole module takes a millisecond. */
function isKnown(variant: Variant): boolean {
  const instruction = variant === 'simd' ? [210, 0] : [133, 2] // v128.bitselect, f32x4.relaxed_madd
  return (known[variant] ??= WebAssembly.validate(Uint8Array.of(...PROBE, ...instruction, 11)))
}

/** Results of {@link isKnown}, since each backend asks again. */
const known: { [variant in Variant]?: boolean } = {}

let probed: { refusal?: string } | undefined

/**
 * The message of a runtime that forbids compiling bytes that it could run: a page's Content-Security-Policy, or an edge runtime reached through the
 * wrong entry. Tested with the empty module; undefined if compiling is allowed, or there is nothing to compile.
 */
export function refusal(): string | undefined {
  if (typeof WebAssembly === 'undefined' || wasmCode.text === '') return undefined
  if (!probed) {
    probed = {}
    try {
      new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0))
    } catch (error) {
      probed.refusal = String(error)
    }
  }
  return probed.refusal
}

/** True if there are modules that threads can share; false if the runtime compiled them. */
export function isShareable(): boolean {
  return wasmCode.simd === undefined
}

/** The compiled module of a part, or of the core. It is compiled once. `shared` means with imported memory, for threads. */
export function compiled(variant: Variant, shared = false, part: WasmPart = wasmCode): WebAssembly.Module {
  const found = compiledOf(part)
  return (found[keyOf(variant, shared)] ??= wasmCode.simd ?? new WebAssembly.Module(codeOf(part, variant, shared)))
}

/** Instantiates on the calling thread; `memory` is one that threads share. */
export function instantiate(variant: Variant, memory?: WebAssembly.Memory): WasmExports {
  return exportsOf(compiled(variant, memory !== undefined), memory)
}

/**
 * Instantiates a part on the memory of an instance; returns the instance itself if that has all kernels. Undefined if a bundler left the part out, or
 * if the calling thread may not compile a module of this size, as in pages of old Chrome versions; the callers then use their twin in JavaScript.
 */
export function instantiatePart(part: WasmPart, variant: Variant, core: WasmExports, shared: boolean): WasmExports | undefined {
  if (wasmCode.simd !== undefined || fileOf(variant)) return core
  if (part.text === '') return undefined
  try {
    const exports = exportsOf(compiled(variant, shared, part), core.memory as WebAssembly.Memory)
    exports.__stack_pointer.value = core.__stack_pointer.value - STACK_BETWEEN
    return exports
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/**
 * Compiles off the calling thread, so that a later {@link instantiate} is instant. A module from a file is compiled on the calling thread, as Node
 * takes longer to hand the work to another.
 */
export async function precompile(variant: Variant, shared = false): Promise<void> {
  if (fileOf(variant)) return void compiled(variant, shared)
  const [found, key] = [compiledOf(wasmCode), keyOf(variant, shared)]
  if (wasmCode.simd === undefined) found[key] ??= await WebAssembly.compile(codeOf(wasmCode, variant, shared))
}

/** The update kernel of an optimizer, if there is one of that name. */
export function updateKernel(exports: WasmExports | undefined, name: string): Update | undefined {
  const found = exports?.[name]
  return typeof found === 'function' ? (found as Update) : undefined
}

function exportsOf(module: WebAssembly.Module, memory?: WebAssembly.Memory): WasmExports {
  return new WebAssembly.Instance(module, memory ? { env: { memory } } : {}).exports as unknown as WasmExports
}

/** Rows, inputs and outputs of the layer that is run to warm up; it takes a tenth of a millisecond with optimized kernels. */
const ROWS = 32
const INPUTS = 128
const OUTPUTS = 128

/**
 * Engines compile a kernel quickly at first, and well in the background once it has run for a while. So a layer is run as soon as there is an engine,
 * which takes a millisecond: when the first batch comes, the products are fast. A second run would not make that happen earlier.
 */
export function warmUp(backend: Backend): void {
  const { heap } = backend
  const kernels = backend.kernels as Kernels // the core of WebAssembly has products
  const sizes = [ROWS * INPUTS, INPUTS * OUTPUTS, OUTPUTS, ROWS * OUTPUTS]
  const block = heap.allocate(8 * sizes.reduce((sum, n) => sum + n, 0))
  let end = block
  const relu = ACTIVATIONS.indexOf('relu')
  const [x, w, b, y, dx, dw, db, dy] = [...sizes, ...sizes].map((n) => (end += 4 * n) - 4 * n)
  kernels.denseForward(x, w, b, 0, y, ROWS, INPUTS, OUTPUTS, relu, heap.scratch)
  kernels.denseBackward(x, w, y, dy, dy, dw, db, dx, ROWS, INPUTS, OUTPUTS, relu, 0, heap.scratch)
  heap.free(block)
}

function keyOf(variant: Variant, shared: boolean): string {
  return shared ? `${variant}, shared` : variant
}

function compiledOf(part: WasmPart): Record<string, WebAssembly.Module> {
  let found = modules.get(part)
  if (!found) modules.set(part, (found = {}))
  return found
}

/** The bytes to compile. A part imports its memory, and so does the core if threads share it. */
function codeOf(part: WasmPart, variant: Variant, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = (part === wasmCode && fileOf(variant)) || variantOf(unpack(part), variant)
  return shared || part !== wasmCode ? withMemoryImported(bytes, shared) : bytes
}

function fileOf(variant: Variant): Uint8Array<ArrayBuffer> | undefined {
  if (!files.has(variant)) files.set(variant, wasmCode.read?.(variant))
  return files.get(variant)
}

function unpack(part: WasmPart): Uint8Array {
  let found = unpacked.get(part)
  if (!found) unpacked.set(part, (found = bytesOf(part.text)))
  return found
}
