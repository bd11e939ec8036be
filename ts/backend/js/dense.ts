/** The dense layer: one call forward, one call backward. */
import type { FloatArray, Heap } from '../heap.js'
import { ACCUMULATE_B, ACCUMULATE_W, ACCUMULATE_X, ACTIVATIONS, type Kernels, SAVES_INPUT } from '../kernels.js'
import { activationKernels } from './activation.js'
import { copyNumbers, fillNumbers } from './few.js'
import { gemmKernels } from './gemm.js'
import { columnSums } from './reduce.js'
import { floatShift } from './shift.js'

const LINEAR = ACTIVATIONS.indexOf('linear')

export function denseKernels(heap: Heap): Pick<Kernels, 'denseForward' | 'denseBackward'> {
  const shift = floatShift(heap)
  const { matmul, matmulNT, matmulTN } = gemmKernels(heap)
  const { activationForward, activationBackward } = activationKernels(heap)

  return {
    denseForward(x, w, b, z, y, m, k, n, activation, scratch) {
      const sum = z !== 0 && SAVES_INPUT.has(ACTIVATIONS[activation]) ? z : y
      startWithBias(heap.floats, b >>> shift, sum >>> shift, m, n)
      matmul(x, w, sum, m, n, k, 1, scratch)
      if (activation !== LINEAR) activationForward(sum, y, m * n, activation)
    },
    denseBackward(x, w, saved, dy, dz, dw, db, dx, m, k, n, activation, accumulate, scratch) {
      const d = activation === LINEAR ? dy : dz
      if (activation !== LINEAR) activationBackward(saved, dy, dz, m * n, activation)
      if (dw !== 0) matmulTN(x, d, dw, k, n, m, accumulate & ACCUMULATE_W, scratch)
      if (db !== 0) columnSums(heap.floats, d >>> shift, db >>> shift, m, n, (accumulate & ACCUMULATE_B) !== 0)
      if (dx !== 0) matmulNT(d, w, dx, m, k, n, accumulate & ACCUMULATE_X, scratch)
    },
  }
}

/** z[m,n] = b[n] in every row, or 0 if b is absent */
function startWithBias(f: FloatArray, b: number, z: number, m: number, n: number): void {
  if (b === 0) fillNumbers(f, z, m * n, 0)
  else for (let i = 0; i < m; i++) copyNumbers(f, b, z + i * n, n)
}
