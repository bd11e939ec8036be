/** Families of kernels: a backend gets one when code first asks for it, so a bundle contains only the families of its imports. */
import type { Heap } from './heap.js'
import type { Backend } from './index.js'
import type { BasicKernels, Kernels } from './kernels.js'
import type { WasmPart } from './wasm/types.js'

/** Adds the kernels of a family to a backend, if they are missing, and returns the kernels with a type that includes them. */
export type With<Name extends keyof Kernels> = (backend: Backend) => BasicKernels & Pick<Kernels, Name>

export interface Family<Name extends keyof Kernels = keyof Kernels> extends With<Name> {
  /** The loops in JavaScript over a heap. */
  readonly loops: (heap: Heap) => Pick<Kernels, Name>
  readonly part?: WasmPart
}

export function family<Name extends keyof Kernels>(
  first: NoInfer<Name>,
  loops: (heap: Heap) => Pick<Kernels, Name>,
  part?: WasmPart,
): Family<Name> {
  const withFamily: With<Name> = (backend) => {
    const kernels = backend.kernels as BasicKernels & Pick<Kernels, Name>
    if (typeof kernels[first] !== 'function') Object.assign(kernels, (part && backend.part(part)) ?? loops(backend.heap))
    return kernels
  }
  return Object.assign(withFamily, { loops, part })
}

/**
 * A family whose calls threads share by a function of its part. Where one file has all kernels, as in Node, a backend has them from the start, on one
 * thread; at the first use on a backend with threads those of the part take their place.
 */
export function sharedFamily<Name extends keyof Kernels>(
  first: NoInfer<Name>,
  loops: (heap: Heap) => Pick<Kernels, Name>,
  part: WasmPart,
): Family<Name> {
  const seen = new WeakSet<Backend>()
  const plain = family(first, loops, part)
  const withFamily: With<Name> = (backend) => {
    const kernels = plain(backend)
    if (backend.pool === undefined || seen.has(backend)) return kernels
    seen.add(backend)
    const shared = backend.part(part)
    if (shared) for (const name of Object.keys(loops(backend.heap))) Object.assign(kernels, { [name]: shared[name] })
    return kernels
  }
  return Object.assign(withFamily, { loops, part })
}
