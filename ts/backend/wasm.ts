/** From text to a running WebAssembly instance whose exports are the kernel table. */
import { wasmCode } from './bytes.js'
import { decode } from './decode.js'
import type { Backend } from './index.js'
import { ACTIVATIONS, type Kernels, type Ptr, type Update } from './kernels.js'
import { withSharedMemory } from './threads/share.js'

/** `simd`: plain SIMD, the same bits on every engine. `relaxed`: fused multiply-add, faster, differs in the last bit. */
export type Variant = 'simd' | 'relaxed'

/** What an entry carries: both variants as text, or `simd` alone, compiled already where the runtime did that; or nothing. */
export interface WasmCode {
  packed?: string
  simd?: WebAssembly.Module
}

/** In the order of `packed`; an engine that runs one runs those before it. */
const VARIANTS: readonly Variant[] = ['simd', 'relaxed']

/** The exports of an instance: the kernel table, the optimizer updates by name, and where free memory begins. */
export interface WasmExports extends Kernels {
  memory: WebAssembly.Memory
  heapBase(): Ptr
  [update: string]: unknown
}

let unpacked: Uint8Array<ArrayBuffer>[] | undefined
/** By variant; those for a shared memory by variant and `shared`. */
const modules = new Map<string, WebAssembly.Module>()

/**
 * The variants that this engine can run, best first; none without SIMD or WebAssembly, or where compiling is forbidden.
 *
 * @example const hasSimd = supportedVariants().includes('simd')
 */
export function supportedVariants(): Variant[] {
  if (typeof WebAssembly === 'undefined') return []
  if (wasmCode.simd !== undefined) return ['simd']
  if (wasmCode.packed === undefined || refusal() !== undefined) return []
  const best = [...VARIANTS].reverse().findIndex(isValid)
  return best < 0 ? [] : [...VARIANTS].reverse().slice(best)
}

function isValid(variant: Variant): boolean {
  const bytes = unpack()[VARIANTS.indexOf(variant)]
  return bytes !== undefined && WebAssembly.validate(bytes)
}

let probed: { refusal?: string } | undefined

/**
 * What the runtime says when it forbids compiling bytes that it could run: a page's Content-Security-Policy, or an edge runtime
 * reached through the wrong entry. Asked of the empty module; undefined where compiling is allowed, or nothing is to compile.
 */
export function refusal(): string | undefined {
  if (typeof WebAssembly === 'undefined' || wasmCode.packed === undefined) return undefined
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

/** Whether there are modules that threads can share: not where the runtime compiled them. */
export function isShareable(): boolean {
  return wasmCode.simd === undefined
}

/** The module, compiled once; `shared`: with its memory imported, for threads. */
export function compiled(variant: Variant, shared = false): WebAssembly.Module {
  const key = keyOf(variant, shared)
  const module = modules.get(key) ?? wasmCode.simd ?? new WebAssembly.Module(bytesOf(variant, shared))
  modules.set(key, module)
  return module
}

/** Instantiates on the calling thread; `memory`: on one that threads share. */
export function instantiate(variant: Variant, memory?: WebAssembly.Memory): WasmExports {
  const imports: WebAssembly.Imports = memory ? { env: { memory } } : {}
  return new WebAssembly.Instance(compiled(variant, memory !== undefined), imports).exports as unknown as WasmExports
}

/** Compiles off the calling thread, so that a later {@link instantiate} is instant. */
export async function precompile(variant: Variant, shared = false): Promise<void> {
  const key = keyOf(variant, shared)
  if (wasmCode.simd === undefined && !modules.has(key)) modules.set(key, await WebAssembly.compile(bytesOf(variant, shared)))
}

/** The update kernel of an optimizer, if the crate has one of that name. */
export function updateKernel(exports: WasmExports, name: string): Update | undefined {
  const found = exports[name]
  return typeof found === 'function' ? (found as Update) : undefined
}

/** Rows, inputs and outputs of a layer that takes a tenth of a millisecond once its kernels are compiled well. */
const ROWS = 32
const INPUTS = 128
const OUTPUTS = 128

/**
 * Engines compile a kernel fast at first, and well once it has run for a while, beside the program. So a layer is run twice as soon
 * as there is an engine, one or two milliseconds: by the time that the first batch comes, the products are fast.
 */
export function warmUp({ kernels, heap }: Pick<Backend, 'kernels' | 'heap'>): void {
  const sizes = [ROWS * INPUTS, INPUTS * OUTPUTS, OUTPUTS, ROWS * OUTPUTS]
  const block = heap.allocate(8 * sizes.reduce((sum, n) => sum + n, 0))
  let end = block
  const relu = ACTIVATIONS.indexOf('relu')
  const [x, w, b, y, dx, dw, db, dy] = [...sizes, ...sizes].map((n) => (end += 4 * n) - 4 * n)
  for (let i = 0; i < 2; i++) {
    kernels.denseForward(x, w, b, 0, y, ROWS, INPUTS, OUTPUTS, relu, heap.scratch)
    kernels.denseBackward(x, w, y, dy, dy, dw, db, dx, ROWS, INPUTS, OUTPUTS, relu, 0, heap.scratch)
  }
  heap.free(block)
}

function keyOf(variant: Variant, shared: boolean): string {
  return shared ? `${variant}, shared` : variant
}

function unpack(): Uint8Array<ArrayBuffer>[] {
  unpacked ??= decode(wasmCode.packed ?? '')
  return unpacked
}

function bytesOf(variant: Variant, shared = false): Uint8Array<ArrayBuffer> {
  const bytes = unpack()[VARIANTS.indexOf(variant)]
  return shared ? withSharedMemory(bytes) : bytes
}
