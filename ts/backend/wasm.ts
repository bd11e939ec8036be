/** From text to a running WebAssembly instance whose exports are the kernel table. */
import { wasmCode } from './bytes.js'
import { decode } from './decode.js'
import type { Kernels, Ptr, Update } from './kernels.js'

/** `simd`: plain SIMD, the same bits on every engine. `relaxed`: fused multiply-add, faster, differs in the last bit. */
export type Variant = 'simd' | 'relaxed'

/** What an entry carries: both variants as text, or `simd` alone, compiled already where the runtime did that; or nothing. */
export interface WasmCode {
  packed?: string
  simd?: WebAssembly.Module
}

/** In the order of `packed`. */
const VARIANTS: readonly Variant[] = ['simd', 'relaxed']

/** The exports of an instance: the kernel table, the optimizer updates by name, and where free memory begins. */
export interface WasmExports extends Kernels {
  memory: WebAssembly.Memory
  heapBase(): Ptr
  [update: string]: unknown
}

let unpacked: Uint8Array<ArrayBuffer>[] | undefined
const modules = new Map<Variant, WebAssembly.Module>()

/** The variants that this engine can run, best first; none without SIMD or WebAssembly, or where compiling is forbidden. */
export function supportedVariants(): Variant[] {
  if (typeof WebAssembly === 'undefined') return []
  if (wasmCode.simd !== undefined) return ['simd']
  if (wasmCode.packed === undefined || refusal() !== undefined) return []
  return VARIANTS.filter((variant) => WebAssembly.validate(bytesOf(variant))).reverse()
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

/** Compiles (once per variant) and instantiates on the calling thread. */
export function instantiate(variant: Variant): WasmExports {
  const module = modules.get(variant) ?? wasmCode.simd ?? new WebAssembly.Module(bytesOf(variant))
  modules.set(variant, module)
  return new WebAssembly.Instance(module, {}).exports as unknown as WasmExports
}

/** Compiles off the calling thread, so that a later {@link instantiate} is instant. */
export async function precompile(variant: Variant): Promise<void> {
  if (wasmCode.simd === undefined && !modules.has(variant)) modules.set(variant, await WebAssembly.compile(bytesOf(variant)))
}

/** The update kernel of an optimizer, if the crate has one of that name. */
export function updateKernel(exports: WasmExports, name: string): Update | undefined {
  const found = exports[name]
  return typeof found === 'function' ? (found as Update) : undefined
}

function bytesOf(variant: Variant): Uint8Array<ArrayBuffer> {
  unpacked ??= decode(wasmCode.packed ?? '')
  return unpacked[VARIANTS.indexOf(variant)]
}
