/** From text to a running WebAssembly instance whose exports are the kernel table. */
import { wasmCode } from './bytes.js'
import { applyDifference, decode } from './decode.js'
import type { Kernels, Ptr, Update } from './kernels.js'
import { withSharedMemory } from './threads/share.js'

/** `simd`: plain SIMD, the same bits on every engine. `relaxed`: fused multiply-add, faster, differs in the last bit. */
export type Variant = 'simd' | 'relaxed'

/** Each variant that an entry carries: as text, `relaxed` as its difference to `simd`; or compiled already where the runtime did that. */
export type WasmCode = Partial<Record<Variant, string | WebAssembly.Module>>

/** The exports of an instance: the kernel table, the optimizer updates by name, and where free memory begins. */
export interface WasmExports extends Kernels {
  memory: WebAssembly.Memory
  heapBase(): Ptr
  [update: string]: unknown
}

const decoded = new Map<Variant, Uint8Array<ArrayBuffer>>()
/** By variant; those for a shared memory by variant and `shared`. */
const modules = new Map<string, WebAssembly.Module>()

/**
 * The variants that this engine can run, best first; none without SIMD or WebAssembly, or where compiling is forbidden.
 *
 * @example const hasSimd = supportedVariants().includes('simd')
 */
export function supportedVariants(): Variant[] {
  if (typeof WebAssembly === 'undefined') return []
  return (['relaxed', 'simd'] as const).filter((variant) => {
    const code = wasmCode[variant]
    if (typeof code !== 'string') return code !== undefined
    return refusal() === undefined && WebAssembly.validate(bytesOf(variant, code))
  })
}

let probed: { refusal?: string } | undefined

/**
 * What the runtime says when it forbids compiling bytes that it could run: a page's Content-Security-Policy, or an edge runtime
 * reached through the wrong entry. Asked of the empty module; undefined where compiling is allowed, or nothing is to compile.
 */
export function refusal(): string | undefined {
  if (typeof WebAssembly === 'undefined' || !Object.values(wasmCode).some((code) => typeof code === 'string')) return undefined
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

/** Whether there is a module of this variant that threads can share: not where the runtime compiled it. */
export function isShareable(variant: Variant): boolean {
  return typeof wasmCode[variant] === 'string'
}

/** The module, compiled once; `shared`: with its memory imported, for threads. */
export function compiled(variant: Variant, shared = false): WebAssembly.Module {
  const code = codeOf(variant)
  if (typeof code !== 'string') return code
  const key = shared ? `${variant}, shared` : variant
  const module = modules.get(key) ?? new WebAssembly.Module(bytesFor(variant, code, shared))
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
  const code = codeOf(variant)
  const key = shared ? `${variant}, shared` : variant
  if (typeof code === 'string' && !modules.has(key)) modules.set(key, await WebAssembly.compile(bytesFor(variant, code, shared)))
}

/** The update kernel of an optimizer, if the crate has one of that name. */
export function updateKernel(exports: WasmExports, name: string): Update | undefined {
  const found = exports[name]
  return typeof found === 'function' ? (found as Update) : undefined
}

function codeOf(variant: Variant): string | WebAssembly.Module {
  const code = wasmCode[variant]
  if (code === undefined) throw new Error(`gradus: this entry carries no WebAssembly variant '${variant}'`)
  return code
}

function bytesFor(variant: Variant, text: string, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = bytesOf(variant, text)
  return shared ? withSharedMemory(bytes) : bytes
}

function bytesOf(variant: Variant, text: string): Uint8Array<ArrayBuffer> {
  let bytes = decoded.get(variant)
  if (!bytes) {
    bytes = decode(text)
    if (variant === 'relaxed') bytes = applyDifference(bytesOf('simd', codeOf('simd') as string), bytes)
    decoded.set(variant, bytes)
  }
  return bytes
}
