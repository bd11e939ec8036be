/** A recurrent cell over all steps of a batch of sequences, as one operation. */

import { apply } from '../autograd.js'
import { withDense } from '../backend/families.js'
import { ACCUMULATE_B, ACCUMULATE_W, type Ptr } from '../backend/kernels.js'
import { CELLS, kindOf } from '../backend/recurrent-kernels.js'
import { withRecurrent } from '../backend/rooms/recurrent.js'
import { reshape, slice } from '../ops/shape.js'
import { Parameter } from '../parameter.js'
import { Tensor } from '../tensor.js'
import { type Call, type Gradients, INPUTS, type Scanned, type Wanted } from './call.js'
import { unrolledGradient } from './unrolled.js'

/** Runs all steps. */
export function scan(call: Call, wanted: Wanted): Scanned {
  const { rows, steps, units } = call
  const state = CELLS[call.cell].state * units
  const [outputs, last] = [rows * steps * units, rows * state]
  const shapes = { output: [rows, steps, units], state: [rows, state] }
  if (!wanted.state) return { output: applyScan(call, wanted, shapes.output), state: null }
  if (!wanted.outputs) return { output: null, state: applyScan(call, wanted, shapes.state) }
  const both = applyScan(call, wanted, [outputs + last])
  return {
    output: reshape(slice(both, 0, outputs) as Tensor, shapes.output),
    state: reshape(slice(both, outputs) as Tensor, shapes.state),
  }
}

function applyScan(call: Call, wanted: Wanted, shape: readonly number[]): Tensor {
  const { x, weight, recurrentWeight, bias, recurrentBias, initial, mask, rows, steps, inputs, units, name } = call
  const parts = CELLS[call.cell]
  const all = rows * steps
  const kind = kindOf(call.cell, call.reverse)
  const used = INPUTS.filter((name) => call[name] !== null)
  const inOrder = (gradients: Gradients) => used.map((name) => gradients[name] ?? null)
  // addresses of the gates and of what is saved for the gradient
  let [z, saved] = [0, 0]
  return apply(
    used.map((name) => call[name] as Tensor),
    shape,
    (y, backend) => {
      const { heap, arena } = backend
      const allocate = (floats: number) => arena.allocate(floats * heap.elementSize)
      z = allocate(all * parts.gates * units)
      saved = allocate(all * parts.saved * units)
      // steps that the mask leaves out save nothing, and the product for the gradient of U multiplies what is there by 0
      if (mask !== null) backend.kernels.fill(saved, all * parts.saved * units, 0)
      const last = wanted.state ? y + (wanted.outputs ? all * units * heap.elementSize : 0) : allocate(rows * parts.state * units)
      const addressOf = (t: Tensor | null) => (t === null ? 0 : t.address)
      withDense(backend).denseForward(
        ...([x.address, weight.address, addressOf(bias), 0, z, all, inputs, parts.gates * units, 0, heap.scratch] as const),
      )
      withRecurrent(backend).recurrentForward(
        ...([z, recurrentWeight.address, addressOf(recurrentBias), addressOf(initial), saved] as const),
        ...([wanted.outputs ? y : 0, last, addressOf(mask), rows, steps, units, kind, heap.scratch] as const),
      )
      call.observe?.(last, backend)
    },
    () => ({
      operation: name,
      vjp: (g) => inOrder(unrolledGradient(call, wanted, g)),
      fused: (g, direct) => inOrder(fusedGradient(call, wanted, { z, saved }, g, direct)),
    }),
  )
}

/** Addresses of what the forward pass kept. */
interface Kept {
  z: Ptr
  saved: Ptr
}

/** Gradients of the inputs by kernels; those of parameters are written in place. */
function fusedGradient(call: Call, wanted: Wanted, { z, saved }: Kept, g: Tensor, direct: boolean): Gradients {
  const { x, weight, recurrentWeight, initial, mask, rows, steps, inputs, units } = call
  const { backend } = x
  const { heap, arena } = backend
  const parts = CELLS[call.cell]
  const [all, width] = [rows * steps, parts.gates * units]
  const allocate = (floats: number) => (floats === 0 ? 0 : arena.allocate(floats * heap.elementSize))
  const [dy, dlast] = [wanted.outputs ? g.address : 0, wanted.state ? g.address + (wanted.outputs ? all * units * heap.elementSize : 0) : 0]
  const [dz, dq, carry] = [allocate(all * width), allocate(all * parts.extra * units), allocate(rows * parts.state * units)]
  const maskAt = mask === null ? 0 : mask.address
  const { recurrentBackward, recurrentWeights } = withRecurrent(backend)
  const kind = kindOf(call.cell, call.reverse)
  recurrentBackward(z, recurrentWeight.address, saved, dy, dlast, maskAt, dz, dq, carry, rows, steps, units, kind, heap.scratch)

  const found: Gradients = {}
  /** The place for a gradient, and whether it is added to what is there. 0 if no gradient is needed. */
  const target = (name: keyof Gradients): [at: Ptr, adds: number] => {
    const t = call[name]
    if (!t?.requiresGrad) return [0, 0]
    if (direct && t instanceof Parameter) {
      const adds = t.claimGradient() ? 1 : 0
      return [t.gradientAddress, adds]
    }
    const at = allocate(t.size)
    found[name] = Tensor.inArena(backend, t.shape, at)
    return [at, 0]
  }
  const dense = withDense(backend)
  const [dx] = target('x')
  const [dw, addsW] = target('weight')
  const [db, addsB] = target('bias')
  const adds = addsW * ACCUMULATE_W + addsB * ACCUMULATE_B
  const xAt = dw === 0 ? 0 : x.address
  const wAt = dx === 0 ? 0 : weight.address
  if (dx + dw + db > 0) dense.denseBackward(xAt, wAt, 0, dz, 0, dw, db, dx, all, inputs, width, 0, adds, heap.scratch)
  const [dr, addsR] = target('recurrentBias')
  if (dr > 0) dense.denseBackward(0, 0, 0, dq, 0, 0, dr, 0, all, 0, units, 0, addsR * ACCUMULATE_B, heap.scratch)
  const [du, addsU] = target('recurrentWeight')
  if (du > 0) {
    const kept = parts.saved * units
    /** The gradient of some gates' columns of U, from the states at `from` (in units) and gradients of gates. */
    const columns = (from: number, gradient: Ptr, stride: number, gate: number, gates: number) =>
      recurrentWeights(
        ...([saved + from * units * heap.elementSize, gradient, du + gate * units * heap.elementSize] as const),
        ...([kept, stride, width, units, gates * units, all, addsU, heap.scratch] as const),
      )
    if (parts.extra === 0) columns(0, dz, width, 0, parts.gates)
    else {
      columns(0, dz, width, 0, 2)
      if (call.cell === 'gruAfter') columns(0, dq, units, 2, 1)
      else columns(1, dz + 2 * units * heap.elementSize, width, 2, 1)
    }
  }
  if (initial?.requiresGrad) found.initial = Tensor.inArena(backend, initial.shape, carry)
  return found
}
