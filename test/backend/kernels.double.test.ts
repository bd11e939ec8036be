/**
 * The kernels in double precision against naive loops, on every backend: ragged sizes, strides, values that are not finite,
 * canaries around every buffer, every offset from 16 bytes.
 *
 * Tolerances: a sum of n products is within (n + 2)·u·Σ|terms|; tanh and the sigmoid are within 8u of Math's, relatively.
 */
import { describe, expect, test } from 'vitest'
import { doubleKernels } from '../../ts/backend/double.js'
import type { DoubleKernels } from '../../ts/backend/double-kernels.js'
import type { Heap } from '../../ts/backend/heap.js'
import { type Backend, createBackend } from '../../ts/backend/index.js'
import type { Ptr } from '../../ts/backend/kernels.js'
import { supportedVariants } from '../../ts/backend/wasm/load.js'
import { numbers } from '../tools/backends.js'

const U = 2 ** -53
const CANARY = 0x7ff8a5a5_a5a5a5a5n
const GUARDS = 8

const backends: [string, Backend][] = [
  ['js float32', createBackend({ backend: 'js' })],
  ['js float64', createBackend({ backend: 'js', dtype: 'float64' })],
  ...supportedVariants().map((variant): [string, Backend] => [`wasm ${variant}`, createBackend({ backend: 'wasm', variant })]),
]

/** Buffers of doubles between canaries in the memory of a backend. */
class Doubles {
  readonly kernels: DoubleKernels
  private readonly heap: Heap
  private readonly base: Ptr
  private next = 0
  private buffers: { ptr: Ptr; n: number; before: Float64Array | null }[] = []

  constructor(backend: Backend) {
    this.kernels = doubleKernels(backend)
    this.heap = backend.heap
    this.base = this.heap.allocate(8 << 18)
  }

  /** Runs a case, then looks for changed canaries and inputs. */
  check(what: string, run: (kernels: DoubleKernels) => void): void {
    this.next = 0
    this.buffers = []
    run(this.kernels)
    for (const { ptr, n, before } of this.buffers) {
      const words = new BigInt64Array(this.heap.doubles.buffer, ptr - 8 * GUARDS, n + 2 * GUARDS)
      for (let i = 0; i < GUARDS; i++) {
        if (words[i] !== CANARY || words[GUARDS + n + i] !== CANARY) throw new Error(`${what}: wrote outside of a buffer of ${n}`)
      }
      if (before !== null) expect(this.read(ptr, n), `${what}: an input changed`).toEqual([...before])
    }
  }

  /** Numbers that must not change, `offset` doubles off a multiple of 64 bytes. */
  input(values: ArrayLike<number>, offset = 0): Ptr {
    const ptr = this.output(values, offset)
    this.buffers[this.buffers.length - 1].before = Float64Array.from(values)
    return ptr
  }

  /** Numbers that may change. */
  output(values: ArrayLike<number>, offset = 0): Ptr {
    const n = values.length
    const at = Math.ceil((this.next + GUARDS) / 8) * 8 + offset
    this.next = at + n + GUARDS
    if (this.next > 1 << 18) throw new Error('the room is full')
    const ptr = this.base + 8 * at
    new BigInt64Array(this.heap.doubles.buffer, ptr - 8 * GUARDS, n + 2 * GUARDS).fill(CANARY)
    this.heap.doubles.set(Float64Array.from(values), ptr / 8)
    this.buffers.push({ ptr, n, before: null })
    return ptr
  }

  read(ptr: Ptr, n: number): number[] {
    return Array.from(this.heap.doubles.subarray(ptr / 8, ptr / 8 + n))
  }
}

const sumOf = (n: number, term: (i: number) => number) => Array.from({ length: n }, (_, i) => term(i)).reduce((a, b) => a + b, 0)

/** NaN equals NaN and an infinity itself; other numbers are compared to the tolerance. */
function close(actual: number, expected: number, tolerance: number, what: string): void {
  if (Object.is(actual, expected) || actual === expected) return
  if (Math.abs(actual - expected) <= tolerance) return
  throw new Error(`${what}: ${actual}, expected ${expected}, off by ${actual - expected}, allowed ${tolerance}`)
}

describe.each(backends)('%s', (_, backend) => {
  const room = new Doubles(backend)
  const SIZES: [n: number, m: number, stride: number][] = []
  for (let n = 1; n <= 10; n++) for (const m of [0, 1, 2, 3, 5, 8]) SIZES.push([n, m, m + (n % 3)])
  SIZES.push([0, 5, 5], [61, 200, 200], [20, 33, 40])

  function checkGram(n: number, m: number, stride: number, special: number[] = []): void {
    const r = numbers(n * 100 + m)
    const j = r.list(Math.max(0, (n - 1) * stride + m)).map((x, i) => special[i % 7] ?? x)
    const right = r.list(m)
    const start = r.list(n * n)
    const what = `n=${n} m=${m} stride=${stride}`
    room.check(what, (kernels) => {
      const [pj, pr, h, g] = [room.input(j, n % 2), room.input(right, m % 2), room.output(start, 1), room.output(start.slice(0, n), 1)]
      kernels.doubleGram(pj, n, m, stride, h)
      kernels.doubleProduct(pj, n, m, stride, pr, g)
      const [hs, gs] = [room.read(h, n * n), room.read(g, n)]
      for (let a = 0; a < n; a++) {
        const at = (b: number, i: number) => j[b * stride + i]
        for (let b = 0; b <= a; b++) {
          const size = Math.abs(start[a * n + b]) + sumOf(m, (i) => Math.abs(at(a, i) * at(b, i)))
          close(hs[a * n + b], start[a * n + b] + sumOf(m, (i) => at(a, i) * at(b, i)), (m + 2) * U * size, `${what} H[${a},${b}]`)
        }
        const size = Math.abs(start[a]) + sumOf(m, (i) => Math.abs(at(a, i) * right[i]))
        close(gs[a], start[a] + sumOf(m, (i) => at(a, i) * right[i]), (m + 2) * U * size, `${what} g[${a}]`)
      }
    })
  }

  test('doubleGram and doubleProduct add to what is there', () => {
    for (const [n, m, stride] of SIZES) checkGram(n, m, stride)
  })

  test('doubleGram and doubleProduct with NaN and infinities', () => {
    for (const special of [[Number.NaN], [Number.POSITIVE_INFINITY], [0, Number.NEGATIVE_INFINITY, 1]]) {
      for (const [n, m] of [
        [1, 1],
        [4, 5],
        [7, 9],
      ])
        checkGram(n, m, m, special)
    }
  })

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 40, 61, 100])('doubleCholesky and doubleSolve, n = %i', (n) => {
    const r = numbers(n)
    const j = r.list(n * (n + 3))
    const full = Array.from({ length: n * n }, (_, at) =>
      sumOf(n + 3, (i) => j[Math.floor(at / n) * (n + 3) + i] * j[(at % n) * (n + 3) + i]),
    )
    // Elements above the diagonal are not read.
    const h = full.map((x, at) => (at % n > Math.floor(at / n) ? Number.NaN : x))
    const d = r.list(n).map((x) => 1 + Math.abs(x))
    const b = r.list(n)
    for (const scale of [null, d]) {
      room.check(`n=${n}`, (kernels) => {
        const [ph, pl, px] = [room.input(h, 1), room.output(new Array(n * n).fill(7), n % 2), room.output(b, 1)]
        expect(kernels.doubleCholesky(ph, n, 0.25, scale === null ? 0 : room.input(scale), pl)).toBe(1)
        const l = room.read(pl, n * n)
        const of = (i: number, k: number) => (i === k ? 1 / l[i * n + i] : l[i * n + k])
        for (let a = 0; a < n; a++) {
          for (let c = 0; c < n; c++) {
            if (c > a) expect(l[a * n + c]).toBe(7)
            else {
              const expected = full[a * n + c] + (a === c ? 0.25 * (scale?.[a] ?? 1) : 0)
              close(
                sumOf(c + 1, (k) => of(a, k) * of(c, k)),
                expected,
                4 * (n + 2) * U * Math.sqrt(full[a * n + a] * full[c * n + c] + 1),
                `L·Lᵀ[${a},${c}]`,
              )
            }
          }
        }
        kernels.doubleSolve(pl, n, px)
        const x = room.read(px, n)
        for (let a = 0; a < n; a++) {
          const terms = (c: number) => (full[a * n + c] + (a === c ? 0.25 * (scale?.[a] ?? 1) : 0)) * x[c]
          const size = sumOf(n, (c) => Math.abs(terms(c)))
          close(sumOf(n, terms), b[a], 1e3 * n * U * (size + 1), `(H + μD)·x [${a}]`)
        }
      })
    }
  })

  test('doubleCholesky says no to what is not positive definite', () => {
    const cases: [number, number[]][] = [
      [1, [0]],
      [1, [-1]],
      [1, [Number.NaN]],
      [1, [Number.POSITIVE_INFINITY]],
      [2, [1, 0, 1, 1]],
      [2, [1, 0, Number.NaN, 1]],
      [4, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0.5]],
      [5, [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 2, 4]],
    ]
    for (const [n, h] of cases) {
      room.check(`n=${n}`, (kernels) => {
        expect(kernels.doubleCholesky(room.input(h), n, 0, 0, room.output(new Array(n * n).fill(0)))).toBe(0)
      })
    }
    room.check('n=0', (kernels) => {
      expect(kernels.doubleCholesky(room.input([]), 0, 0, 0, room.output([]))).toBe(1)
    })
  })

  test('doubleAffine forward and backward, with and without a bias', () => {
    for (const [units, terms, count] of [
      [1, 1, 1],
      [3, 2, 7],
      [5, 4, 8],
      [2, 0, 3],
      [20, 1, 33],
      [0, 3, 4],
      [4, 3, 0],
    ]) {
      for (const forward of [true, false]) for (const bias of [true, false]) checkAffine(units, terms, count, forward, bias)
    }
  })

  function checkAffine(units: number, terms: number, count: number, forward: boolean, bias: boolean): void {
    const r = numbers(units * 31 + terms + count)
    const [w, b, a] = [r.list(units * terms), r.list(units), r.list(terms * count)]
    const [byUnit, byTerm] = forward ? [1, units] : [terms, 1]
    room.check(`${units}×${terms}×${count}`, (kernels) => {
      const y = room.output(new Array(units * count).fill(Number.NaN), 1)
      kernels.doubleAffine(room.input(w, 1), byUnit, byTerm, bias ? room.input(b, 1) : 0, room.input(a, 1), y, units, terms, count)
      const got = room.read(y, units * count)
      for (let u = 0; u < units; u++) {
        for (let i = 0; i < count; i++) {
          const term = (t: number) => w[u * byUnit + t * byTerm] * a[t * count + i]
          const start = bias ? b[u] : 0
          const size = Math.abs(start) + sumOf(terms, (t) => Math.abs(term(t)))
          close(got[u * count + i], start + sumOf(terms, term), (terms + 2) * U * size, `y[${u},${i}]`)
        }
      }
    })
  }

  test('doubleColumns, doubleMultiply, doubleResidual', () => {
    for (const count of [0, 1, 2, 3, 7, 8, 33]) {
      const r = numbers(count)
      const [inputs, units, step] = [2, 3, 4]
      const stride = count + 2
      const [a, delta] = [r.list(inputs * count), r.list(units * count)]
      room.check(`count=${count}`, (kernels) => {
        const n = ((inputs - 1) * step + units) * stride
        const out = room.output(new Array(n).fill(9))
        kernels.doubleColumns(room.input(a, 1), room.input(delta), out, inputs, units, step, count, stride)
        const expected = new Array(n).fill(9)
        for (let i = 0; i < inputs; i++)
          for (let j = 0; j < units; j++)
            for (let k = 0; k < count; k++) expected[(i * step + j) * stride + k] = a[i * count + k] * delta[j * count + k]
        expect(room.read(out, n)).toEqual(expected)

        const [x, y] = [a.slice(0, count), a.slice(count)]
        const [product, difference] = [room.output(x), room.output(x, 1)]
        kernels.doubleMultiply(room.input(x, 1), room.input(y), product, count)
        expect(room.read(product, count)).toEqual(x.map((v, i) => v * y[i]))
        const sum = kernels.doubleResidual(room.input(x), room.input(y, 1), difference, count)
        const differences = x.map((v, i) => v - y[i])
        expect(room.read(difference, count)).toEqual(differences)
        const squares = sumOf(count, (i) => differences[i] ** 2)
        close(sum, squares, (count + 2) * U * squares, 'Σr²')
      })
    }
  })

  test('doubleSquash is tanh or the sigmoid, doubleSquashSlope their slopes', () => {
    const z = [0, -0, 1e-300, 1e-9, -1e-5, 0.1, -0.3, 0.5, 1, -2, 5, -9, 19.06, 21, -30, 40, -100, 690, -690, 800, -800, Number.NaN]
    z.push(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, ...numbers(5).list(300, 4))
    for (const n of [0, 1, 2, 3, 5, z.length]) {
      for (const sigmoid of [0, 1]) {
        const exact = z.slice(0, n).map((x) => (sigmoid ? 1 / (1 + Math.exp(-x)) : Math.tanh(x)))
        room.check(`n=${n} sigmoid=${sigmoid}`, (kernels) => {
          const [a, d] = [
            room.output(exact.map(() => 9)),
            room.output(
              exact.map(() => 9),
              1,
            ),
          ]
          kernels.doubleSquash(room.input(z.slice(0, n), 1), a, n, sigmoid)
          const got = room.read(a, n)
          // Below the smallest normal number, and for exponents beyond 700, a sigmoid counts as 0.
          got.forEach((x, i) => {
            close(x, exact[i], 8 * U * Math.abs(exact[i]) + 2e-304, `f(${z[i]})`)
          })
          kernels.doubleSquashSlope(a, d, n, sigmoid)
          room.read(d, n).forEach((x, i) => {
            close(x, sigmoid ? got[i] * (1 - got[i]) : 1 - got[i] * got[i], 2 * U, `f′(${z[i]})`)
          })
        })
      }
    }
  })
})
