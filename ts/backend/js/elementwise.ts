/**
 * Element-wise kernels. Every op has its own small loop on purpose: a shared loop that calls the op as a closure is
 * megamorphic and several times slower.
 */
import type { Heap } from '../heap.js'
import type { Binary, Kernels, Unary } from '../kernels.js'
import { erf } from './math.js'
import { floatShift } from './shift.js'

/** Kernels that few programs need. */
export function rareElementwise(heap: Heap) {
  return { ...powerKernel(heap), ...signKernels(heap), ...functionKernels(heap), ...rowKernels(heap) }
}

/** Kernels that any program may need: sums and products, fills, copies */
export function basicElementwise(heap: Heap): Pick<Kernels, 'add' | 'mul' | 'fill' | 'copy' | 'addScaled' | 'clip'> {
  const shift = floatShift(heap)
  return {
    add(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc) f[i++] = f[p] + f[q]
    },
    mul(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc) f[i++] = f[p] * f[q]
    },
    fill(y, n, value) {
      heap.floats.fill(value, y >>> shift, (y >>> shift) + n)
    },
    copy(x, y, n) {
      heap.floats.copyWithin(y >>> shift, x >>> shift, (x >>> shift) + n)
    },
    addScaled(x, y, n, scale) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] += scale * f[p]
    },
    clip(x, y, n, low, high) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.min(Math.max(f[p], low), high)
    },
  }
}

/** The rest of arithmetic: y = a ∘ b, y = f(x), transposes */
export function arithmeticKernels(
  heap: Heap,
): Record<'sub' | 'div' | 'greater', Binary> & Record<'neg' | 'exp' | 'square', Unary> & Pick<Kernels, 'transpose'> {
  const shift = floatShift(heap)
  return {
    sub(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc) f[i++] = f[p] - f[q]
    },
    div(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc) f[i++] = f[p] / f[q]
    },
    greater(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc)
          f[i++] = f[p] > f[q] ? 1 : 0
    },
    neg(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = -f[p]
    },
    exp(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.exp(f[p])
    },
    square(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = f[p] * f[p]
    },
    transpose(x, y, outer, rows, cols, inner) {
      const f = heap.floats
      for (let o = 0, p = x >>> shift, q = y >>> shift; o < outer; o++, q += rows * cols * inner)
        for (let r = 0; r < rows; r++)
          for (let c = 0; c < cols; c++) for (let i = q + (c * rows + r) * inner, end = i + inner; i < end; i++) f[i] = f[p++]
    },
  }
}

/** The larger or smaller of a and b, and 0/1 comparisons */
export function choiceKernels(heap: Heap): Record<'maximum' | 'minimum' | 'greaterEqual' | 'equal', Binary> {
  const shift = floatShift(heap)
  return {
    maximum(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc)
          f[i++] = Math.max(f[p], f[q])
    },
    minimum(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc)
          f[i++] = Math.min(f[p], f[q])
    },
    greaterEqual(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc)
          f[i++] = f[p] >= f[q] ? 1 : 0
    },
    equal(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc)
          f[i++] = f[p] === f[q] ? 1 : 0
    },
  }
}

function powerKernel(heap: Heap): Pick<Kernels, 'pow'> {
  const shift = floatShift(heap)
  return {
    pow(a, b, y, rows, cols, ar, ac, br, bc) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++)
        for (let c = 0, p = (a >>> shift) + r * ar, q = (b >>> shift) + r * br; c < cols; c++, p += ac, q += bc) f[i++] = power(f[p], f[q])
    },
  }
}

/** The power of IEEE 754: 1 to any power is 1, even to NaN, and −1 to ±∞ is 1; `**` gives NaN for both. */
function power(a: number, b: number): number {
  return a === 1 || (a === -1 && Math.abs(b) === Number.POSITIVE_INFINITY) ? 1 : a ** b
}

/** Exact functions of one number */
function signKernels(heap: Heap): Record<'abs' | 'sign' | 'sqrt' | 'reciprocal', Unary> {
  const shift = floatShift(heap)
  return {
    abs(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.abs(f[p])
    },
    sign(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.sign(f[p])
    },
    sqrt(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.sqrt(f[p])
    },
    reciprocal(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = 1 / f[p]
    },
  }
}

/** Rounded functions of one number */
function functionKernels(heap: Heap): Record<'log' | 'sin' | 'cos' | 'erf', Unary> {
  const shift = floatShift(heap)
  return {
    log(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.log(f[p])
    },
    sin(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.sin(f[p])
    },
    cos(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = Math.cos(f[p])
    },
    erf(x, y, n) {
      const f = heap.floats
      for (let p = x >>> shift, i = y >>> shift, end = i + n; i < end; p++, i++) f[i] = erf(f[p])
    },
  }
}

/** Rows of a table by index */
function rowKernels(heap: Heap): Pick<Kernels, 'gatherRows' | 'scatterAddRows' | 'toIndices'> {
  const shift = floatShift(heap)
  return {
    gatherRows(table, index, y, rows, cols) {
      const f = heap.floats
      for (let r = 0, i = y >>> shift; r < rows; r++, i += cols) {
        const row = (table >>> shift) + heap.ints[(index >>> 2) + r] * cols
        f.copyWithin(i, row, row + cols)
      }
    },
    scatterAddRows(dy, index, table, rows, cols) {
      const f = heap.floats
      for (let r = 0, p = dy >>> shift; r < rows; r++) {
        const row = (table >>> shift) + heap.ints[(index >>> 2) + r] * cols
        for (let c = 0; c < cols; c++) f[row + c] += f[p++]
      }
    },
    toIndices(x, y, rows, stride) {
      for (let r = 0, p = x >>> shift; r < rows; r++, p += stride) heap.ints[(y >>> 2) + r] = heap.floats[p]
    },
  }
}
