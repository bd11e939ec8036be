/**
 * The gradient of a scan step by step, in operations that can be differentiated again: the readable form of the kernels' formulas, for gradients of
 * gradients.
 */

import { CELLS, type CellName } from '../backend/recurrent-kernels.js'
import { sigmoid, tanh } from '../ops/activation.js'
import { dense } from '../ops/dense.js'
import { add, mul, sub } from '../ops/elementwise.js'
import { matmul } from '../ops/matmul.js'
import { sum } from '../ops/reduce.js'
import { concat, reshape, slice } from '../ops/shape.js'
import { floatArray, Tensor } from '../tensor.js'
import type { Call, Gradients, Wanted } from './call.js'

/** Gradients of a step: of its x·W + b, of U, of q's bias, and of the state before it. */
interface StepGradient {
  dz: Tensor
  du: Tensor
  dr?: Tensor
  before: Tensor[]
}

/** A step, and its gradient from that of the state after it. */
interface Step {
  after: Tensor[]
  gradient(after: readonly Tensor[]): StepGradient
}

/** A step of a cell: from x·W + b, the state, U and q's bias. */
type Cell = (z: Tensor, state: readonly Tensor[], u: Tensor, b: Tensor | null) => Step

/** Joins matrices side by side. */
const beside = (...parts: Tensor[]): Tensor => concat(parts, 1) as Tensor
/** Columns of some parts of a matrix, each of `units` columns. */
const parts = (x: Tensor, units: number, from: number, count = 1): Tensor => slice(x, from * units, (from + count) * units, 1) as Tensor
const transposedTimes = (a: Tensor, b: Tensor): Tensor => matmul(a, b, { transposeA: true }) as Tensor
const timesTransposed = (a: Tensor, b: Tensor): Tensor => matmul(a, b, { transposeB: true }) as Tensor
const times = (a: Tensor, b: Tensor): Tensor => matmul(a, b) as Tensor
const product = (...factors: Tensor[]): Tensor => factors.reduce((a, b) => mul(a, b) as Tensor)
const plus = (...terms: Tensor[]): Tensor => terms.reduce((a, b) => add(a, b) as Tensor)
const oneMinus = (x: Tensor): Tensor => sub(1, x) as Tensor
const minus = (a: Tensor, b: Tensor): Tensor => sub(a, b) as Tensor
/** f′ of the sigmoid and of tanh, from their values. */
const slope = (y: Tensor): Tensor => product(y, oneMinus(y))
const slopeOfTanh = (y: Tensor): Tensor => oneMinus(product(y, y))

const simple: Cell = (z, [h], u) => {
  const next = tanh(plus(z, times(h, u)))
  return {
    after: [next],
    gradient: ([dh]) => {
      const dz = product(dh, slopeOfTanh(next))
      return { dz, du: transposedTimes(h, dz), before: [timesTransposed(dz, u)] }
    },
  }
}

const gruAfter: Cell = (z, [h], u, b) => {
  const units = h.shape[1]
  const fromState = times(h, u)
  const [r, update] = [0, 1].map((gate) => sigmoid(plus(parts(z, units, gate), parts(fromState, units, gate))))
  const q = b === null ? parts(fromState, units, 2) : plus(parts(fromState, units, 2), b)
  const n = tanh(plus(parts(z, units, 2), product(r, q)))
  return {
    after: [plus(n, product(update, minus(h, n)))],
    gradient: ([dh]) => {
      const dn = product(dh, oneMinus(update), slopeOfTanh(n))
      const gates = beside(product(dn, q, slope(r)), product(dh, minus(h, n), slope(update)))
      const dq = product(dn, r)
      const through = beside(gates, dq)
      return {
        ...{ dz: beside(gates, dn), du: transposedTimes(h, through), dr: sum(dq, 0) as Tensor },
        before: [plus(product(dh, update), timesTransposed(through, u))],
      }
    },
  }
}

const gruBefore: Cell = (z, [h], u) => {
  const units = h.shape[1]
  const [ofGates, ofCandidate] = [parts(u, units, 0, 2), parts(u, units, 2)]
  const both = sigmoid(plus(parts(z, units, 0, 2), times(h, ofGates)))
  const [r, update] = [parts(both, units, 0), parts(both, units, 1)]
  const q = product(r, h)
  const n = tanh(plus(parts(z, units, 2), times(q, ofCandidate)))
  return {
    after: [plus(n, product(update, minus(h, n)))],
    gradient: ([dh]) => {
      const dn = product(dh, oneMinus(update), slopeOfTanh(n))
      const dq = timesTransposed(dn, ofCandidate)
      const gates = beside(product(dq, h, slope(r)), product(dh, minus(h, n), slope(update)))
      return {
        ...{ dz: beside(gates, dn), du: beside(transposedTimes(h, gates), transposedTimes(q, dn)) },
        before: [plus(product(dh, update), product(dq, r), timesTransposed(gates, ofGates))],
      }
    },
  }
}

const lstm: Cell = (z, [h, c], u) => {
  const units = h.shape[1]
  const gates = plus(z, times(h, u))
  const [input, forget, output] = [0, 1, 3].map((gate) => sigmoid(parts(gates, units, gate)))
  const g = tanh(parts(gates, units, 2))
  const next = plus(product(forget, c), product(input, g))
  const squashed = tanh(next)
  return {
    after: [product(output, squashed), next],
    gradient: ([dh, later]) => {
      const dc = plus(later, product(dh, output, slopeOfTanh(squashed)))
      const dz = beside(
        ...[product(dc, g, slope(input)), product(dc, c, slope(forget))],
        ...[product(dc, input, slopeOfTanh(g)), product(dh, squashed, slope(output))],
      )
      return { dz, du: transposedTimes(h, dz), before: [timesTransposed(dz, u), product(dc, forget)] }
    },
  }
}

const STEPS: Record<CellName, Cell> = { simple, gruAfter, gruBefore, lstm }

/** Gradients of the inputs of a call that need one, from that of its result. */
export function unrolledGradient(call: Call, wanted: Wanted, g: Tensor): Gradients {
  const { x, weight, recurrentWeight, bias, recurrentBias, initial, mask, rows, steps, units, inputs, cell, reverse } = call
  const { state, gates } = CELLS[cell]
  const width = gates * units
  const zeros = () => Tensor.onHost(x.backend, [rows, units], floatArray(x.backend, rows * units))
  const stateOf = (all: Tensor) => Array.from({ length: state }, (_, part) => parts(all, units, part))
  const stepOf = (all: Tensor, t: number, columns: number) => reshape(slice(all, t, t + 1, 1) as Tensor, [rows, columns]) as Tensor
  const z = dense(x, weight, bias)
  const order = Array.from({ length: steps }, (_, i) => (reverse ? steps - 1 - i : i))

  let now = initial === null ? Array.from({ length: state }, zeros) : stateOf(initial)
  const taken = order.map((t) => {
    const step = STEPS[cell](stepOf(z, t, width), now, recurrentWeight, recurrentBias)
    const counts = mask === null ? null : (slice(mask, t, t + 1, 1) as Tensor)
    const before = now
    now = counts === null ? step.after : step.after.map((after, i) => plus(product(counts, after), product(oneMinus(counts), before[i])))
    return { step, counts, t }
  })

  const flat = rows * steps * units
  const dOutputs = !wanted.outputs ? null : wanted.state ? (reshape(slice(g, 0, flat) as Tensor, [rows, steps, units]) as Tensor) : g
  const dState = !wanted.state ? null : wanted.outputs ? (reshape(slice(g, flat) as Tensor, [rows, state * units]) as Tensor) : g
  let carried = dState === null ? Array.from({ length: state }, zeros) : stateOf(dState)
  const dzs: Tensor[] = new Array(steps)
  let [du, dr]: (Tensor | null)[] = [null, null]
  for (const { step, counts, t } of taken.reverse()) {
    const arriving = [...carried]
    if (dOutputs !== null) arriving[0] = plus(arriving[0], stepOf(dOutputs, t, units))
    const { dz, du: ofStep, dr: ofBias, before } = step.gradient(counts === null ? arriving : arriving.map((d) => product(d, counts)))
    carried = counts === null ? before : before.map((d, i) => plus(d, product(oneMinus(counts), carried[i])))
    dzs[t] = reshape(dz, [rows, 1, width]) as Tensor
    du = du === null ? ofStep : plus(du, ofStep)
    if (ofBias !== undefined) dr = dr === null ? ofBias : plus(dr, ofBias)
  }
  const dz = reshape(concat(dzs, 1) as Tensor, [rows * steps, width]) as Tensor
  const found: Gradients = {}
  const note = (name: keyof Gradients, gradient: () => Tensor) => {
    if (call[name]?.requiresGrad) found[name] = gradient()
  }
  note('x', () => reshape(timesTransposed(dz, weight), x.shape) as Tensor)
  note('weight', () => transposedTimes(reshape(x, [rows * steps, inputs]) as Tensor, dz))
  note('bias', () => sum(dz, 0) as Tensor)
  note('recurrentWeight', () => du as Tensor)
  note('recurrentBias', () => dr as Tensor)
  note('initial', () => (state === 1 ? carried[0] : beside(...carried)))
  return found
}
