/** Many products at one point: the function is recorded once, each product is one backward pass (Gauss-Newton: two). */

import type { FloatArray } from '../backend/heap.js'
import { type Backend, doubleBackend } from '../backend/index.js'
import { plainError, rangeError, ShapeError, typeError } from '../common/errors.js'
import { add, mul } from '../ops/elementwise.js'
import { gradients } from '../ops/gradients.js'
import { sum } from '../ops/reduce.js'
import { floatArray, Tensor, type TensorLike } from '../tensor.js'
import { gaussNewton, type OutputLoss } from './products.js'
import { checkResult, floats, inputsOf, isolated, type ParameterSource, pullback, recorded } from './transformation.js'

/** Value, gradient and curvature at one point; all parameters end to end in one vector of `size` numbers. */
export interface CurvaturePoint {
  readonly value: number
  readonly gradient: FloatArray
  /** Numbers in all parameters. */
  readonly size: number
  /** The curvature matrix times v. @throws ShapeError unless v has `size` numbers; Error once `use` has returned */
  product(v: ArrayLike<number>): FloatArray
}

/** A point that can also evaluate its function along a line. */
export interface HessianPoint extends CurvaturePoint {
  /** dⁱ/dtⁱ f(x + t·v) at t = 0 for i = 1 … order, exactly. @throws ShapeError unless v has `size` numbers */
  derivatives(v: ArrayLike<number>, order: number): number[]
  /** f(x + t·v), by calling the function there. @throws ShapeError unless v has `size` numbers */
  valueAlong(v: ArrayLike<number>, t: number): number
}

/** A function of x, or with a list of parameters or a model instead of a point: a loss computed from them. */
export type CurvatureFunction = ((x: Tensor) => Tensor) | (() => Tensor)

/**
 * Runs `use` with the Hessian of a loss at the present parameters. Tensors made inside `use` last as long as it does.
 *
 * @param loss computes a single number from the parameters
 * @param parameters of a model, or a list of tensors that require a gradient
 * @throws ShapeError unless the loss is a single number; TypeError if `use` is asynchronous
 * @example
 * const w = new Parameter([1, 2])
 * withHessian(() => sum(mul(w, square(w))), [w], (at) => at.product([1, 1])) // 6w = [6, 12]
 */
export function withHessian<T>(loss: () => Tensor, parameters: ParameterSource, use: (point: HessianPoint) => T): T {
  return hessianAt('withHessian', loss, parameters, use)
}

function hessianAt<T>(what: string, loss: () => Tensor, parameters: ParameterSource, use: (point: HessianPoint) => T): T {
  const inputs = inputsOf(parameters, what)
  let y: Tensor
  const point = (at: CurvaturePoint) =>
    use({
      ...at,
      derivatives: (v, order) => derivativesAlong(y, inputs, v, order),
      valueAlong: (v, t) => shifted(inputs, v, t, () => isolated(y.backend, () => loss().item())),
    })
  return open(inputs, point, () => {
    y = checkResult(loss(), what, true)
    const slopes = gradients(y, inputs, { createGraph: true })
    return { value: y.item(), slopes, product: (vectors) => pullback(slopes, vectors, inputs, false) }
  })
}

function derivativesAlong(y: Tensor, inputs: readonly Tensor[], v: ArrayLike<number>, order: number): number[] {
  return isolated(y.backend, () =>
    recorded(y.backend, () => {
      const vectors = split(v, inputs)
      const found: number[] = []
      for (let slope = y; found.length < order; found.push(slope.item()))
        slope = gradients(slope, inputs, { createGraph: true })
          .map((g, i) => sum(mul(g, vectors[i])))
          .reduce((a, b) => add(a, b))
      return found
    }),
  )
}

/** Runs fn, which computes from the inputs, with t·v added to them, and restores them. */
function shifted<T>(inputs: readonly Tensor[], v: ArrayLike<number>, t: number, fn: () => T): T {
  const memory = (input: Tensor) => input.read()
  const before = inputs.map((input) => memory(input).slice())
  const by = split(v, inputs)
  inputs.forEach((input, i) => {
    const step = by[i].read()
    memory(input).forEach((x, j, values) => {
      values[j] = x + t * step[j]
    })
  })
  try {
    return fn()
  } finally {
    inputs.forEach((input, i) => memory(input).set(before[i]))
  }
}

/**
 * The same with the Gauss-Newton matrix Jᵀ·H·J in place of the Hessian; see {@link gnvp}.
 * @example
 * const w = new Parameter([1, 2])
 * withGaussNewton(() => square(w), (y) => sum(square(y)), [w], (at) => at.product([1, 1])) // [8, 32]
 */
export function withGaussNewton<T>(
  output: () => Tensor,
  loss: OutputLoss,
  parameters: ParameterSource,
  use: (point: CurvaturePoint) => T,
): T {
  return open(inputsOf(parameters, 'withGaussNewton'), use, (inputs) => {
    const y = checkResult(output(), 'withGaussNewton', false)
    const { value, slope, product } = gaussNewton(y, loss, inputs, false)
    const slopes = pullback([y], [slope], inputs, false)
    return { value: value.item(), slopes, product: (vectors) => product(vectors, false) }
  })
}

/** Hessian of f at a point or over parameters. Points given as plain numbers are taken in double precision. @internal */
export function withHessianAt<T>(f: CurvatureFunction, at: TensorLike | ParameterSource, what: string, use: (point: HessianPoint) => T): T {
  const isList = Array.isArray(at) && at[0] instanceof Tensor
  if (isList || typeof (at as { parameters?: unknown }).parameters === 'function')
    return hessianAt(what, f as () => Tensor, at as ParameterSource, use)
  const x = floats(at as TensorLike, what, at instanceof Tensor ? undefined : doubleBackend())
  const leaf = Tensor.onHost(x.backend, x.shape, x.data(), true)
  return hessianAt(what, () => (f as (x: Tensor) => Tensor)(leaf), [leaf], use)
}

interface Recorded {
  value: number
  slopes: readonly Tensor[]
  product: (vectors: readonly Tensor[]) => Tensor[]
}

function open<T>(inputs: readonly Tensor[], use: (point: CurvaturePoint) => T, record: (inputs: readonly Tensor[]) => Recorded): T {
  const { backend } = inputs[0]
  const size = inputs.reduce((n, t) => n + t.size, 0)
  if (size === 0) throw rangeError('withHessian: there is nothing to differentiate by, all parameters are empty')
  let isOpen = true
  try {
    return isolated(backend, () => {
      const { value, slopes, product } = recorded(backend, () => record(inputs))
      const apply = (v: ArrayLike<number>): FloatArray => {
        if (!isOpen) throw plainError('product: the point was left; call product() inside of the function given to withHessian')
        return isolated(backend, () => flatten(product(split(v, inputs)), size))
      }
      const result = use({ value, gradient: flatten(slopes, size), size, product: apply })
      if (result instanceof Promise)
        throw typeError('withHessian: wants a function that is not asynchronous, got a Promise; await outside of it')
      return result
    })
  } finally {
    isOpen = false
  }
}

function split(v: ArrayLike<number>, inputs: readonly Tensor[]): Tensor[] {
  const total = inputs.reduce((n, t) => n + t.size, 0)
  if (v.length !== total) throw new ShapeError(`product: wants a vector of ${total} numbers, got ${v.length}`)
  const floats = v instanceof Float32Array || v instanceof Float64Array ? v : Float64Array.from(v)
  let from = 0
  return inputs.map(({ backend, shape, size }) => {
    const part = floats.subarray(from, (from += size))
    const fits = backend.dtype === 'float64' ? part instanceof Float64Array : part instanceof Float32Array
    return Tensor.onHost(backend, shape, fits ? part : converted(part, backend))
  })
}

function converted(values: FloatArray, backend: Backend): FloatArray {
  return backend.dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values)
}

function flatten(parts: readonly Tensor[], size: number): FloatArray {
  const out = floatArray(parts[0].backend, size)
  let at = 0
  for (const part of parts) {
    out.set(part.read(), at)
    at += part.size
  }
  return out
}
