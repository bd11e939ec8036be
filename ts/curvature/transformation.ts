/**
 * The base of all transformations of functions (grad, jvp, hvp …).
 *
 * A transformation at the top runs in a scope of the arena, with recording on: its recording is gone when it returns or throws, memory stays flat,
 * and a surrounding training step continues undisturbed. A transformation inside the function of another one is *nested*: it records its own backward
 * pass and returns tensors of the graph, so that `grad((x) => sum(grad(f)(x)))` is the second derivative and not, silently, zero.
 */

import { apply, isRecording, needsGradient, recordedView, withRecording } from '../autograd.js'
import type { Backend } from '../backend/index.js'
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { formatShape, sameShape } from '../common/shape.js'
import { show } from '../common/show.js'
import { gradients } from '../ops/gradients.js'
import { asTensor, floatArray, Tensor, type TensorLike } from '../tensor.js'

/** Tensors that a loss depends on, in the order of results: a list, or a model for all of its trainable parameters. */
export type ParameterSource = readonly Tensor[] | { parameters(): readonly Tensor[] }

/** Backends of the transformations that are running, innermost last. */
const running: Backend[] = []

/** Runs a transformation; with `nested` it returns tensors of the surrounding graph. @internal */
export function transform<T>(backend: Backend, body: (nested: boolean) => T): T {
  const nested = running.includes(backend) && isRecording()
  return nested ? recorded(backend, () => body(true)) : isolated(backend, () => recorded(backend, () => body(false)))
}

/** Runs fn with recording on and transformations inside nested. @internal */
export function recorded<T>(backend: Backend, fn: () => T): T {
  running.push(backend)
  try {
    return withRecording(true, fn)
  } finally {
    running.pop()
  }
}

/** Runs fn in a scope of the arena; fn must keep results that outlive it. @internal */
export function isolated<T>(backend: Backend, fn: () => T): T {
  const { arena } = backend
  const mark = arena.openScope()
  try {
    return fn()
  } finally {
    arena.closeScope(mark)
  }
}

/** The trainable tensors of a source. @throws RangeError if there are none, TypeError for anything else @internal */
export function inputsOf(source: ParameterSource, what: string): readonly Tensor[] {
  const isModel = !Array.isArray(source) && typeof (source as { parameters?: unknown })?.parameters === 'function'
  const found = isModel ? (source as { parameters(): readonly Tensor[] }).parameters().filter((p) => p.requiresGrad) : source
  if (!Array.isArray(found) || found.some((t) => !(t instanceof Tensor)))
    throw typeError(`${what}: wants a model or an array of parameters, got ${show(source)}`)
  if (found.length === 0) throw rangeError(`${what}: there are no parameters`)
  return found as readonly Tensor[]
}

/** An argument as a tensor of floats. @throws TypeError for whole numbers @internal */
export function floats(value: TensorLike, what: string, backend?: Backend): Tensor {
  const x = asTensor(value, backend, what)
  if (x.dtype !== 'float') throw typeError(`${what}: wants floats, got whole numbers (Int32Array), which have no derivative`)
  return x
}

/** Vectors shaped like their tensors. @throws ShapeError naming the one that does not fit @internal */
export function vectorsLike(values: readonly TensorLike[], inputs: readonly Tensor[], what: string): Tensor[] {
  if (!Array.isArray(values) || values.length !== inputs.length)
    throw new ShapeError(`${what}: wants ${inputs.length} vectors, one for each parameter, got ${values?.length ?? show(values)}`)
  return inputs.map((input, i) => vectorLike(values[i], input, inputs.length === 1 ? `${what}: v` : `${what}: vector ${i}`))
}

/** @internal */
export function vectorLike(value: TensorLike, like: Tensor, what: string): Tensor {
  const v = floats(value, what, like.backend)
  if (!sameShape(v.shape, like.shape)) throw new ShapeError(`${what} has shape ${formatShape(v.shape)}, wants ${formatShape(like.shape)}`)
  return v
}

/**
 * The tensor by which a transformation differentiates. It is a copy, so that a function which also uses the caller's tensor from outside does not
 * count twice; in a nested transformation the graph connects both. @internal
 */
export function ownInput(x: Tensor, nested: boolean): Tensor {
  if (!nested || !needsGradient([x])) return Tensor.onHost(x.backend, x.shape, x.data(), true)
  return recordedView(x, x.shape, (g) => g)
}

/**
 * The result of the user's function.
 * @throws TypeError for anything but a tensor, ShapeError for more than one number if `scalar` @internal
 */
export function checkResult(y: Tensor, what: string, scalar: boolean): Tensor {
  if (!(y instanceof Tensor)) {
    const got = (y as unknown) instanceof Promise ? 'a Promise: it cannot be asynchronous' : show(y)
    throw typeError(`${what}: the function wants to return a tensor, got ${got}`)
  }
  if (scalar && y.size !== 1)
    throw new ShapeError(
      `${what}: the function wants to return a single number, got shape ${formatShape(y.shape)}; reduce it (sum, mean), or see jacobian`,
    )
  return y
}

/**
 * Σ Jᵢᵀ·seedᵢ over several outputs in one backward pass. With `record` it can be differentiated again; otherwise the results are permanent copies.
 * The graph is always kept: it may be shared, and ends with its scope.
 * @internal
 */
export function pullback(outputs: readonly Tensor[], seeds: readonly Tensor[], inputs: readonly Tensor[], record: boolean): Tensor[] {
  const options = { createGraph: record, retainGraph: true }
  if (outputs.length === 1) return gradients(outputs[0], inputs, { ...options, seed: seeds[0] })
  return gradients(join(outputs, seeds), inputs, options)
}

/** A number without meaning whose gradient at the outputs is the seeds. */
function join(outputs: readonly Tensor[], seeds: readonly Tensor[]): Tensor {
  const rules = () => ({ vjp: () => seeds })
  return apply(outputs, [], (y, { kernels }) => kernels.fill(y, 1, 0), rules)
}

/** A leaf of zeros: a seed by which to differentiate, in which everything is linear. @internal */
export function zeroLeaf(like: Tensor): Tensor {
  return Tensor.onHost(like.backend, like.shape, floatArray(like.backend, like.size), true)
}

/** The tensor itself in a nested transformation, else a copy that lasts. @internal */
export function settle(t: Tensor, nested: boolean): Tensor {
  return nested ? t : t.keep()
}
