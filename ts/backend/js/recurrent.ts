/** Recurrent layers: all steps of a batch of sequences, row after row. */
import type { Heap } from '../heap.js'
import { CELLS, type CellParts, type RecurrentKernels } from '../recurrent-kernels.js'
import { floatShift } from './shift.js'

/** Numbers of the heap, by index. */
type Numbers = Heap['floats']

/** The steps of one row: places of its arrays as indices into the numbers, and sizes. */
interface Step {
  f: Numbers
  /** Gates of the step. */
  z: number
  u: number
  saved: number
  units: number
}

interface ForwardStep extends Step {
  /** Bias of q, or −1. */
  b: number
  /** The state after the step. */
  next: number
}

interface BackwardStep extends Step {
  dz: number
  dq: number
  /** Gradient of the state after the step, then of the state before it. */
  carry: number
}

interface Cell {
  forward(step: ForwardStep): void
  backward(step: BackwardStep): void
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x))

/** Σ over p < n of f[a + p] · f[b + p·step] */
function dot(f: Numbers, a: number, b: number, step: number, n: number): number {
  let sum = 0
  for (let p = 0; p < n; p++) sum += f[a + p] * f[b + p * step]
  return sum
}

/** z[gates] += h · u[units, gates] for `count` gates from `from` on; h is at `a`, a row of u has `width` gates. */
function addProduct({ f, z, u, units }: Step, a: number, from: number, count: number, width: number): void {
  for (let j = from; j < from + count; j++) f[z + j] += dot(f, a, u + j, width, units)
}

/** The sum over some gates of dz · uᵀ, for unit i; dz of the first is at `d`. */
function backThrough({ f, u }: Step, d: number, i: number, from: number, count: number, width: number): number {
  return dot(f, d, u + i * width + from, 1, count)
}

const simple: Cell = {
  forward(step) {
    const { f, z, saved, units, next } = step
    addProduct(step, saved, 0, units, units)
    for (let i = 0; i < units; i++) f[next + i] = f[z + i] = Math.tanh(f[z + i])
  },
  backward(step) {
    const { f, z, dz, carry, units } = step
    for (let i = 0; i < units; i++) f[dz + i] = f[carry + i] * (1 - f[z + i] ** 2)
    for (let i = 0; i < units; i++) f[carry + i] = backThrough(step, dz, i, 0, units, units)
  },
}

const gruAfter: Cell = {
  forward(step) {
    const { f, z, u, b, saved, units, next } = step
    const [q, width] = [saved + units, 3 * units]
    addProduct(step, saved, 0, 2 * units, width)
    for (let i = 0; i < units; i++) f[q + i] = (b < 0 ? 0 : f[b + i]) + dot(f, saved, u + 2 * units + i, width, units)
    for (let i = 0; i < units; i++) {
      const r = (f[z + i] = sigmoid(f[z + i]))
      const update = (f[z + units + i] = sigmoid(f[z + units + i]))
      const n = (f[z + 2 * units + i] = Math.tanh(f[z + 2 * units + i] + r * f[q + i]))
      f[next + i] = n + update * (f[saved + i] - n)
    }
  },
  backward(step) {
    const { f, z, saved, units, dz, dq, carry } = step
    for (let i = 0; i < units; i++) {
      const [r, update, n] = [f[z + i], f[z + units + i], f[z + 2 * units + i]]
      const [h, q, dh] = [f[saved + i], f[saved + units + i], f[carry + i]]
      const dn = dh * (1 - update) * (1 - n * n)
      f[dz + i] = dn * q * r * (1 - r)
      f[dz + units + i] = dh * (h - n) * update * (1 - update)
      f[dz + 2 * units + i] = dn
      f[dq + i] = dn * r
      f[carry + i] = dh * update
    }
    for (let i = 0; i < units; i++)
      f[carry + i] += backThrough(step, dz, i, 0, 2 * units, 3 * units) + backThrough(step, dq, i, 2 * units, units, 3 * units)
  },
}

const gruBefore: Cell = {
  forward(step) {
    const { f, z, saved, units, next } = step
    const q = saved + units
    addProduct(step, saved, 0, 2 * units, 3 * units)
    for (let i = 0; i < 2 * units; i++) f[z + i] = sigmoid(f[z + i])
    for (let i = 0; i < units; i++) f[q + i] = f[z + i] * f[saved + i]
    addProduct(step, q, 2 * units, units, 3 * units)
    for (let i = 0; i < units; i++) {
      const n = (f[z + 2 * units + i] = Math.tanh(f[z + 2 * units + i]))
      f[next + i] = n + f[z + units + i] * (f[saved + i] - n)
    }
  },
  backward(step) {
    const { f, z, saved, units, dz, dq, carry } = step
    for (let i = 0; i < units; i++) {
      const [update, n, h, dh] = [f[z + units + i], f[z + 2 * units + i], f[saved + i], f[carry + i]]
      f[dz + units + i] = dh * (h - n) * update * (1 - update)
      f[dz + 2 * units + i] = dh * (1 - update) * (1 - n * n)
      f[carry + i] = dh * update
    }
    for (let i = 0; i < units; i++) f[dq + i] = backThrough(step, dz + 2 * units, i, 2 * units, units, 3 * units)
    for (let i = 0; i < units; i++) {
      const r = f[z + i]
      f[dz + i] = f[dq + i] * f[saved + i] * r * (1 - r)
      f[carry + i] += f[dq + i] * r
    }
    for (let i = 0; i < units; i++) f[carry + i] += backThrough(step, dz, i, 0, 2 * units, 3 * units)
  },
}

const lstm: Cell = {
  forward(step) {
    const { f, z, saved, units, next } = step
    addProduct(step, saved, 0, 4 * units, 4 * units)
    for (let i = 0; i < units; i++) {
      const input = (f[z + i] = sigmoid(f[z + i]))
      const forget = (f[z + units + i] = sigmoid(f[z + units + i]))
      const g = (f[z + 2 * units + i] = Math.tanh(f[z + 2 * units + i]))
      const output = (f[z + 3 * units + i] = sigmoid(f[z + 3 * units + i]))
      const c = (f[next + units + i] = forget * f[saved + units + i] + input * g)
      const squashed = (f[saved + 2 * units + i] = Math.tanh(c))
      f[next + i] = output * squashed
    }
  },
  backward(step) {
    const { f, z, saved, units, dz, carry } = step
    for (let i = 0; i < units; i++) {
      const [input, forget, g, output] = [f[z + i], f[z + units + i], f[z + 2 * units + i], f[z + 3 * units + i]]
      const [c, squashed, dh] = [f[saved + units + i], f[saved + 2 * units + i], f[carry + i]]
      const dc = f[carry + units + i] + dh * output * (1 - squashed * squashed)
      f[dz + i] = dc * g * input * (1 - input)
      f[dz + units + i] = dc * c * forget * (1 - forget)
      f[dz + 2 * units + i] = dc * input * (1 - g * g)
      f[dz + 3 * units + i] = dh * squashed * output * (1 - output)
      f[carry + units + i] = dc * forget
    }
    for (let i = 0; i < units; i++) f[carry + i] = backThrough(step, dz, i, 0, 4 * units, 4 * units)
  },
}

/** In the order of CELLS. */
const STEPS: readonly Cell[] = [simple, gruAfter, gruBefore, lstm]

function cellOf(kind: number): [Cell, CellParts, reverse: boolean] {
  return [STEPS[kind >> 1], Object.values(CELLS)[kind >> 1], (kind & 1) === 1]
}

export function recurrentKernels(heap: Heap): RecurrentKernels {
  const shift = floatShift(heap)
  return {
    recurrentForward(z, u, b, initial, saved, y, last, mask, rows, steps, units, kind, _scratch) {
      const f = heap.floats
      const [cell, parts, reverse] = cellOf(kind)
      const [gates, state, kept] = [parts.gates * units, parts.state * units, parts.saved * units]
      for (let row = 0; row < rows; row++) {
        const at = (i: number) => row * steps + (reverse ? steps - 1 - i : i)
        const savedAt = (i: number) => (saved >>> shift) + at(i) * kept
        const lastAt = (last >>> shift) + row * state
        const first = steps === 0 ? lastAt : savedAt(0)
        for (let i = 0; i < state; i++) f[first + i] = initial === 0 ? 0 : f[(initial >>> shift) + row * state + i]
        for (let i = 0; i < steps; i++) {
          const next = i + 1 < steps ? savedAt(i + 1) : lastAt
          const counts = mask === 0 || f[(mask >>> shift) + at(i)] !== 0
          if (counts)
            cell.forward({
              ...{ f, units, next, z: (z >>> shift) + at(i) * gates, u: u >>> shift },
              ...{ saved: savedAt(i), b: b === 0 ? -1 : b >>> shift },
            })
          else f.copyWithin(next, savedAt(i), savedAt(i) + state)
          if (y === 0) continue
          for (let j = 0; j < units; j++) f[(y >>> shift) + at(i) * units + j] = counts ? f[next + j] : 0
        }
      }
    },
    recurrentBackward(z, u, saved, dy, dlast, mask, dz, dq, carry, rows, steps, units, kind, _scratch) {
      const f = heap.floats
      const [cell, parts, reverse] = cellOf(kind)
      const [gates, state, kept, extra] = [parts.gates * units, parts.state * units, parts.saved * units, parts.extra * units]
      for (let row = 0; row < rows; row++) {
        const carryAt = (carry >>> shift) + row * state
        for (let i = 0; i < state; i++) f[carryAt + i] = dlast === 0 ? 0 : f[(dlast >>> shift) + row * state + i]
        for (let i = steps - 1; i >= 0; i--) {
          const at = row * steps + (reverse ? steps - 1 - i : i)
          const [dzAt, dqAt] = [(dz >>> shift) + at * gates, (dq >>> shift) + at * extra]
          if (mask !== 0 && f[(mask >>> shift) + at] === 0) {
            f.fill(0, dzAt, dzAt + gates)
            f.fill(0, dqAt, dqAt + extra)
            continue
          }
          if (dy !== 0) for (let j = 0; j < units; j++) f[carryAt + j] += f[(dy >>> shift) + at * units + j]
          cell.backward({
            ...{ f, units, z: (z >>> shift) + at * gates, u: u >>> shift, saved: (saved >>> shift) + at * kept },
            ...{ dz: dzAt, dq: dqAt, carry: carryAt },
          })
        }
      }
    },
    recurrentWeights(a, b, c, aStride, bStride, cStride, m, n, k, accumulate, _scratch) {
      const f = heap.floats
      for (let i = 0; i < m; i++) {
        for (let j = 0; j < n; j++) {
          let sum = accumulate === 0 ? 0 : f[(c >>> shift) + i * cStride + j]
          for (let p = 0; p < k; p++) sum += f[(a >>> shift) + p * aStride + i] * f[(b >>> shift) + p * bStride + j]
          f[(c >>> shift) + i * cStride + j] = sum
        }
      }
    },
  }
}
