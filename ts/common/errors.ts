/** Errors that callers may want to distinguish. Bad arguments otherwise throw TypeError (wrong kind) or RangeError (wrong value). */
import { fromCaller } from './caller.js'
import { visible } from './visible.js'

/** @internal a RangeError, for a wrong value, whose stack trace begins at the line that called this library */
export function rangeError(message: string, options?: ErrorOptions): RangeError {
  return fromCaller(new RangeError(visible(message), options))
}

/** @internal a TypeError, for a wrong kind of value, whose stack trace begins at the line that called this library */
export function typeError(message: string, options?: ErrorOptions): TypeError {
  return fromCaller(new TypeError(visible(message), options))
}

/** @internal an Error about the state of things, not an argument, whose stack trace begins at the line that called this library */
export function plainError(message: string, options?: ErrorOptions): Error {
  return fromCaller(new Error(visible(message), options))
}

/** @internal gives an error another message, in its stack too, also where it cannot be assigned, as of a DOMException; a frozen error keeps its own */
export function reword(error: unknown, message: (own: string) => string): void {
  if (!(error instanceof Error)) return
  const { message: own, stack } = error
  const text = message(own)
  const set = (name: 'message' | 'stack', value: string) =>
    Reflect.defineProperty(error, name, { value, configurable: true, writable: true })
  set('message', text)
  // Node prints the stack of an error that nobody catches
  const replaced = stack?.replace(`: ${own}`, () => `: ${text}`)
  if (replaced !== undefined && own !== '') set('stack', replaced)
}

/** Two shapes that do not fit; the message names the layer or operation, the shape that it got and the shape that it wants. */
export class ShapeError extends RangeError {
  override name = 'ShapeError'
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options)
    fromCaller(this)
  }
}

/** The linear memory cannot grow any further. Nothing was lost: parameters are as they were before the call. */
export class OutOfMemoryError extends RangeError {
  override name = 'OutOfMemoryError'
  constructor(
    readonly requestedBytes: number,
    readonly usedBytes: number,
    readonly limitBytes: number,
    cause?: unknown,
  ) {
    const mib = (bytes: number) => `${(bytes / 1048576).toFixed(1)} MiB`
    super(
      `out of memory: ${mib(requestedBytes)} more requested with ${mib(usedBytes)} in use and a limit of ${mib(limitBytes)}. ` +
        'Use a smaller batch or model, noGrad() for evaluation, or a higher memoryLimit in load(); a loop that makes many models has ' +
        'the memory of those that are gone back only where it waits for a task, as fit does: ' +
        'await new Promise((resolve) => setTimeout(resolve)) in it now and then (await alone is not enough)',
      cause === undefined ? undefined : { cause },
    )
  }
}

/** A tensor of an earlier training step, whose memory has been reused. `keep()` makes a lasting copy. */
export class StaleTensorError extends Error {
  override name = 'StaleTensorError'
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options)
    fromCaller(this)
  }
}

/** A loss, gradient or parameter that is NaN or infinite. */
export class NonFiniteError extends Error {
  override name = 'NonFiniteError'
  constructor(message?: string, options?: ErrorOptions) {
    super(message, options)
    fromCaller(this)
  }
}

/**
 * WebAssembly trapped in a kernel: a mistake of gradus, or arguments that it should have refused. The memory of that backend may be wrong, so every
 * later computation on it throws this error; parameters can still be read. `reset()` makes a new engine, for which models are made again and loaded
 * from their saved states.
 */
export class EngineCrashedError extends Error {
  override name = 'EngineCrashedError'
  constructor(
    /** The kernel that trapped, such as `denseForward`. */
    readonly kernel: string,
    cause: unknown,
  ) {
    super(
      `the engine crashed in ${kernel} (${cause instanceof Error ? cause.message : String(cause)}) and computes no more; call reset(), make ` +
        'models and tensors again, and load what was saved last. Please report it with the lines that led there',
      { cause },
    )
  }
}
