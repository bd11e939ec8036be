/** The twin of crate/double/: kernels in double precision as plain loops, over the memory of a JS backend. */
import type { DoubleKernels } from '../double-kernels.js'
import type { Heap } from '../heap.js'
import type { Ptr } from '../kernels.js'
import { addGram, addProduct, cholesky, solveCholesky } from './normal-equations.js'
import { sigmoidValues, tanhValues } from './squash.js'

/** The table of kernels; see ts/backend/double-kernels.ts. */
export function createJsDoubleKernels(heap: Heap): DoubleKernels {
  const from = (ptr: Ptr) => heap.doubles.subarray(ptr / 8)
  const view = (ptr: Ptr, n: number) => heap.doubles.subarray(ptr / 8, ptr / 8 + n)
  return {
    doubleGram: (j, n, m, stride, h) => addGram(from(j), n, m, stride, from(h)),
    doubleProduct: (j, n, m, stride, r, g) => addProduct(from(j), n, m, stride, from(r), from(g)),
    doubleCholesky: (h, n, mu, d, l) => Number(cholesky(from(h), n, mu, d === 0 ? null : from(d), from(l))),
    doubleSolve: (l, n, x) => solveCholesky(from(l), n, view(x, n), view(x, n)),
    doubleAffine: (w, byUnit, byTerm, b, a, y, units, terms, count) => {
      for (let u = 0; u < units; u++) {
        const unit = view(y + 8 * u * count, count)
        unit.fill(b === 0 ? 0 : heap.doubles[b / 8 + u])
        for (let t = 0; t < terms; t++) addScaled(unit, heap.doubles[w / 8 + u * byUnit + t * byTerm], view(a + 8 * t * count, count))
      }
    },
    doubleColumns: (a, delta, out, inputs, units, step, count, stride) => {
      for (let i = 0; i < inputs; i++) {
        const ai = view(a + 8 * i * count, count)
        for (let j = 0; j < units; j++) multiply(ai, view(delta + 8 * j * count, count), view(out + 8 * (i * step + j) * stride, count))
      }
    },
    doubleMultiply: (x, y, out, n) => multiply(view(x, n), view(y, n), view(out, n)),
    doubleResidual: (y, t, r, n) => residual(view(y, n), view(t, n), view(r, n)),
    doubleSquash: (z, a, n, sigmoid) => (sigmoid ? sigmoidValues : tanhValues)(view(z, n), view(a, n)),
    doubleSquashSlope: (a, d, n, sigmoid) => slopes(view(a, n), view(d, n), sigmoid !== 0),
  }
}

function addScaled(y: Float64Array, scale: number, x: Float64Array): void {
  for (let i = 0; i < y.length; i++) y[i] += scale * x[i]
}

function multiply(x: Float64Array, y: Float64Array, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = x[i] * y[i]
}

function residual(y: Float64Array, t: Float64Array, r: Float64Array): number {
  let sum = 0
  for (let i = 0; i < r.length; i++) {
    const difference = y[i] - t[i]
    r[i] = difference
    sum += difference * difference
  }
  return sum
}

function slopes(a: Float64Array, d: Float64Array, sigmoid: boolean): void {
  if (sigmoid) for (let i = 0; i < d.length; i++) d[i] = a[i] * (1 - a[i])
  else for (let i = 0; i < d.length; i++) d[i] = 1 - a[i] * a[i]
}
