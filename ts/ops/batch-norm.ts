/** Batch normalization as one operation, with an optional relu behind it. */
import { apply } from '../autograd.js'
import { withBatchNorm } from '../backend/families.js'
import type { Backend } from '../backend/index.js'
import { ACCUMULATE_B, ACCUMULATE_W, type Ptr } from '../backend/kernels.js'
import { Tensor } from '../tensor.js'
import { activationGradient } from './activation-gradient.js'
import { add, mul, reciprocal, sqrt, sub } from './elementwise.js'
import { gradientTarget } from './gradient-target.js'
import { mean as average, sum, variance as varianceOf } from './reduce.js'

/** Addresses of the moments of each column, and their size; the variance is the mean squared distance from the mean. */
export interface Moments {
  mean: Ptr
  variance: Ptr
  rows: number
  columns: number
}

/** Options of {@link batchNorm}. */
export interface BatchNormCall {
  weight: Tensor
  bias: Tensor
  epsilon: number
  /** Replaces negative results by 0. */
  relu: boolean
  /** Mean and variance of each column; null for those of x itself. */
  fixed: { mean: Tensor; variance: Tensor } | null
  /** Called with the moments of x while they are in memory. It may call kernels, and must not read numbers. */
  observe?: (moments: Moments, backend: Backend) => void
}

/**
 * (x − mean) / √(variance + epsilon) · weight + bias, for each column. Where mean and variance are those of x, they have gradients, too (Ioffe &
 * Szegedy 2015). It only calls kernels, so a step with it can be recorded and replayed.
 *
 * @internal
 * @param x [..., columns], with at least one axis
 */
export function batchNorm(x: Tensor, call: BatchNormCall): Tensor {
  const { weight, bias, epsilon, relu, fixed, observe } = call
  const columns = weight.size
  const rows = x.size / columns
  let moments: Moments = { mean: 0, variance: 0, rows, columns }
  const constants = fixed === null ? [] : [fixed.mean, fixed.variance]
  return apply(
    [x, weight, bias, ...constants],
    x.shape,
    (y, backend) => {
      const kernels = withBatchNorm(backend)
      if (fixed === null) {
        const [mean, variance] = [room(backend, columns), room(backend, columns)]
        moments = { mean, variance, rows, columns }
        kernels.batchNormMoments(x.address, mean, variance, rows, columns)
        observe?.(moments, backend)
      }
      const { mean, variance } = fixed === null ? moments : { mean: fixed.mean.address, variance: fixed.variance.address }
      const at = constant(backend, epsilon)
      kernels.batchNormForward(x.address, mean, variance, weight.address, bias.address, y, rows, columns, relu ? 1 : 0, at)
    },
    (y) => {
      const vjp = (g: Tensor) => writtenGradients(x, y, g, call)
      return { operation: 'batchNorm', vjp, ...(fixed === null && { fused: fusedGradients }) }

      function fusedGradients(g: Tensor, direct: boolean): (Tensor | null)[] {
        const { backend } = x
        const [toW, toB] = [gradientTarget(weight, direct, ACCUMULATE_W), gradientTarget(bias, direct, ACCUMULATE_B)]
        const dx = x.requiresGrad ? backend.arena.gradientPlace(x.size * backend.heap.elementSize, g.address) : 0
        withBatchNorm(backend).batchNormBackward(
          ...([x.address, moments.mean, moments.variance, weight.address, relu ? bias.address : 0, g.address] as const),
          ...([toW.ptr, toB.ptr, dx, rows, columns, relu ? 1 : 0, toW.accumulate | toB.accumulate, constant(backend, epsilon)] as const),
        )
        return [dx === 0 ? null : Tensor.inArena(backend, x.shape, dx), toW.result, toB.result]
      }
    },
  )
}

function room({ arena, heap }: Backend, count: number): Ptr {
  return arena.allocate(count * heap.elementSize)
}

function constant(backend: Backend, value: number): Ptr {
  const at = room(backend, 1)
  backend.kernels.fill(at, 1, value)
  return at
}

/** The gradients of x, weight and bias in operations, so that they can be differentiated again. */
function writtenGradients(x: Tensor, y: Tensor, g: Tensor, { weight, epsilon, relu, fixed }: BatchNormCall): (Tensor | null)[] {
  const axes = Array.from({ length: x.rank - 1 }, (_, axis) => axis)
  const mean = fixed?.mean ?? average(x, axes)
  const scale: Tensor = reciprocal(sqrt(add(fixed?.variance ?? varianceOf(x, axes), epsilon)))
  const normal = mul(sub(x, mean), scale)
  const dz = relu ? activationGradient('relu', y, g) : g
  const [along, total] = [sum(mul(dz, normal), axes), sum(dz, axes)]
  const share = x.size === 0 ? 0 : weight.size / x.size
  const centered = fixed !== null ? dz : sub(sub(dz, mul(total, share)), mul(normal, mul(along, share)))
  return [mul(centered, mul(scale, weight)), along, total, null, null]
}
