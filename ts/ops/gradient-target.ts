/** Places of gradients that kernels write. */
import type { Ptr } from '../backend/kernels.js'
import { Parameter } from '../parameter.js'
import { Tensor } from '../tensor.js'

/** Where a kernel writes the gradient of a weight or bias. */
export interface GradientTarget {
  /** 0 if it has no gradient. */
  ptr: Ptr
  /** The gradient, unless it is written in place. */
  result: Tensor | null
  /** The bit of `accumulate` if the kernel adds to what is there, else 0. */
  accumulate: number
}

/** The place of a gradient: in the parameter if `direct`, else a new tensor. @internal @param bit of the kernel's `accumulate` for this gradient */
export function gradientTarget(t: Tensor | null, direct: boolean, bit: number): GradientTarget {
  if (!t?.requiresGrad) return { ptr: 0, result: null, accumulate: 0 }
  if (direct && t instanceof Parameter) {
    const accumulate = t.claimGradient() ? bit : 0
    return { ptr: t.gradientAddress, result: null, accumulate }
  }
  const { arena, heap } = t.backend
  const ptr = arena.allocate(t.size * heap.elementSize)
  return { ptr, result: Tensor.inArena(t.backend, t.shape, ptr), accumulate: 0 }
}
