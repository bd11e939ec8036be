/** Whole tables of kernels, for checks and benchmarks. Programs have only the families that they ask for. */
import type { Backend } from '../backend.js'
import * as common from '../families.js'
import type { Heap } from '../heap.js'
import type { Kernels } from '../kernels.js'
import { withAttention } from '../rooms/attention.js'
import { withConv } from '../rooms/conv.js'
import { withHead } from '../rooms/head.js'
import { withRecurrent } from '../rooms/recurrent.js'
import { createBasicKernels } from './index.js'

/** All families, by their names. */
export const families = { ...common, withAttention, withConv, withHead, withRecurrent }

/** Every kernel over the given memory, as float32 or float64 after `heap.dtype`. */
export function createJsKernels(heap: Heap): Kernels {
  return Object.assign(createBasicKernels(heap), ...Object.values(families).map(({ loops }) => loops(heap)))
}

/** Gives a backend the kernels of all families, and returns them. */
export function withAllKernels(backend: Backend): Kernels {
  for (const withFamily of Object.values(families)) withFamily(backend)
  return backend.kernels as Kernels
}
