/** The dense layer as one operation: y = f(x·w + b), one kernel forward and one backward. */

import { apply, needsGradient } from '../autograd.js'
import { withDense } from '../backend/families.js'
import { ACCUMULATE_B, ACCUMULATE_W, type Activation, type Ptr, SAVES_INPUT } from '../backend/kernels.js'
import { ShapeError, typeError } from '../common/errors.js'
import { formatShape } from '../common/shape.js'
import { asTensor, Tensor, type TensorLike } from '../tensor.js'
import { activationNumber } from './activation.js'
import { gradientTarget } from './gradient-target.js'

interface DenseCall {
  x: Tensor
  w: Tensor
  b: Tensor | null
  m: number
  k: number
  n: number
  activation: Activation
  number: number
  /** The name of the layer in messages. */
  name: string
}

/**
 * y[..., n] = f(x[..., k] · w[k, n] + b[n]).
 *
 * @param activation default `linear`
 * @param name for error messages
 * @example dense([[1, 2]], tensor([[1], [10]]), tensor([100])) // [[121]]
 * @throws ShapeError naming the layer if the last axis of x is not k, or w no matrix
 */
export function dense(input: TensorLike, w: Tensor, b: Tensor | null = null, activation: Activation = 'linear', name = 'dense'): Tensor {
  const x = asTensor(input, w.backend, name)
  if (w.rank !== 2) throw new ShapeError(`${name}: wants weights of shape [inputs, outputs], got ${formatShape(w.shape)}`)
  const [k, n] = w.shape
  if (x.rank === 0 || x.shape[x.rank - 1] !== k)
    throw new ShapeError(
      `${name}: wants inputs of shape [..., ${k}], got shape ${formatShape(x.shape)}${x.rank !== 1 ? '' : k === 1 ? '; rows of one number each are [[1], [2], [3]]' : `; rows of ${k} numbers each are [[…], […]]`}`,
    )
  if (x.dtype !== 'float') throw typeError(`${name}: wants floats, got whole numbers (Int32Array)`)
  if (b !== null && b.size !== n) throw new ShapeError(`${name}: wants a bias of ${n}, got shape ${formatShape(b.shape)}`)
  const m = k === 0 ? x.shape.slice(0, -1).reduce((p, d) => p * d, 1) : x.size / k
  return applyDense({ x, w, b, m, k, n, activation, number: activationNumber(activation, name), name })
}

function applyDense(call: DenseCall): Tensor {
  const { x, w, b, m, k, n, activation, number, name } = call
  const inputs = b === null ? [x, w] : [x, w, b]
  let z: Ptr = 0
  const keepsZ = SAVES_INPUT.has(activation) && needsGradient(inputs)
  return apply(
    inputs,
    [...x.shape.slice(0, -1), n],
    (y, backend) => {
      const { heap, arena } = backend
      if (keepsZ) z = arena.allocate(m * n * heap.elementSize)
      withDense(backend).denseForward(x.address, w.address, b === null ? 0 : b.address, z, y, m, k, n, number, heap.scratch)
    },
    (y) => ({
      operation: name,
      vjp: (g, { denseGradients }) => denseGradients(x, w, b, activation, y, g),
      fused: (g, direct) => fusedGradient(call, z === 0 ? y.address : z, g, direct),
    }),
  )
}

/** dz, dw, db and dx in one kernel call; gradients of parameters are written in place. */
function fusedGradient({ x, w, b, m, k, n, activation, number }: DenseCall, saved: Ptr, g: Tensor, direct: boolean): (Tensor | null)[] {
  const { heap, arena } = x.backend
  const dz = activation === 'linear' ? 0 : arena.gradientPlace(g.size * heap.elementSize, g.address)
  const dx = x.requiresGrad ? arena.gradientPlace(x.size * heap.elementSize) : 0
  const [xAt, gAt] = [x.address, g.address]
  // weights are read for dx alone, so without dx it does not matter that they have changed since
  const wAt = dx === 0 ? 0 : w.address
  const dw = gradientTarget(w, direct, ACCUMULATE_W)
  const db = gradientTarget(b, direct, ACCUMULATE_B)
  const accumulate = dw.accumulate | db.accumulate
  withDense(x.backend).denseBackward(xAt, wAt, saved, gAt, dz, dw.ptr, db.ptr, dx, m, k, n, number, accumulate, heap.scratch)
  return [dx === 0 ? null : Tensor.inArena(x.backend, x.shape, dx), dw.result, db.result]
}
