/** From base64 to a running WebAssembly instance whose exports are the kernel table. */
import { wasmBytes } from './bytes.js'
import type { Kernels, Ptr, Update } from './kernels.js'

/** `simd`: plain SIMD, the same bits on every engine. `relaxed`: fused multiply-add, faster, differs in the last bit. */
export type Variant = 'simd' | 'relaxed'

/** The exports of an instance: the kernel table, the optimizer updates by name, and where free memory begins. */
export interface WasmExports extends Kernels {
  memory: WebAssembly.Memory
  heapBase(): Ptr
  [update: string]: unknown
}

const decoded = new Map<Variant, Uint8Array<ArrayBuffer>>()
const modules = new Map<Variant, WebAssembly.Module>()

/** The variants that this engine can run, best first; none without SIMD, WebAssembly or the bytes. */
export function supportedVariants(): Variant[] {
  if (typeof WebAssembly === 'undefined' || wasmBytes === null) return []
  return (['relaxed', 'simd'] as const).filter((variant) => WebAssembly.validate(bytesOf(variant)))
}

/** Compiles (once per variant) and instantiates on the calling thread. */
export function instantiate(variant: Variant): WasmExports {
  const module = modules.get(variant) ?? new WebAssembly.Module(bytesOf(variant))
  modules.set(variant, module)
  return new WebAssembly.Instance(module, {}).exports as unknown as WasmExports
}

/** Compiles off the calling thread, so that a later {@link instantiate} is instant. */
export async function precompile(variant: Variant): Promise<void> {
  if (!modules.has(variant)) modules.set(variant, await WebAssembly.compile(bytesOf(variant)))
}

/** The update kernel of an optimizer, if the crate has one of that name. */
export function updateKernel(exports: WasmExports, name: string): Update | undefined {
  const found = exports[name]
  return typeof found === 'function' ? (found as Update) : undefined
}

function bytesOf(variant: Variant): Uint8Array<ArrayBuffer> {
  let bytes = decoded.get(variant)
  if (!bytes) {
    bytes = decodeBase64((wasmBytes as { simd: string; relaxed: string })[variant])
    decoded.set(variant, bytes)
  }
  return bytes
}

function decodeBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}
