/** Traps in kernels: the backend stops, so that no computation continues with memory that may be wrong. */
import { EngineCrashedError } from '../common/errors.js'
import type { Backend } from './index.js'

/**
 * The error to throw for an error that came out of kernels. For a trap of WebAssembly it is an {@link EngineCrashedError} that names the kernel; from
 * then on everything that takes memory of this backend, as each computation does, throws such an error. Other errors are returned unchanged.
 */
export function trapped(backend: Backend, error: unknown): unknown {
  if (typeof WebAssembly === 'undefined' || !(error instanceof WebAssembly.RuntimeError)) return error
  const kernel = kernelIn(backend, error)
  const fail = () => new EngineCrashedError(kernel, error)
  backend.heap.stop(fail)
  return fail()
}

/** The kernel in which a trap happened. Engines write the numbers of functions into the stack; the outermost is the export that was called. */
function kernelIn(backend: Backend, { stack = '' }: Error): string {
  const numbers = [...stack.matchAll(/wasm-function\[(\d+)\]/g)].map(([, number]) => number)
  const names = numbers.length > 0 ? backend.exportsNumbered(numbers[numbers.length - 1]) : []
  return names.length > 0 ? names.join(' or ') : 'a kernel'
}
