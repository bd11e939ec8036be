/**
 * The pure-JS twin of every kernel: the readable specification, the fallback without WebAssembly SIMD, the baseline of
 * the benchmarks and, over a float64 heap, the double-precision mode. Arithmetic is in doubles throughout; in float32
 * mode only stores round.
 */
import type { Heap } from '../heap.js'
import type { BasicKernels } from '../kernels.js'
import { basicElementwise } from './elementwise.js'
import { norms } from './reduce.js'

/** The part of the kernel table that any program needs; ts/backend/families.ts adds the rest on demand. */
export function createBasicKernels(heap: Heap): BasicKernels {
  return { ...basicElementwise(heap), ...norms(heap) }
}
