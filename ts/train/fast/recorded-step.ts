/** The properties of a recorded step, apart from numbers that change from batch to batch, and the comparison of two steps. */
import { COUNTER_ARGUMENTS, type Ptr } from '../../backend/kernels.js'
import { Parameter } from '../../parameter.js'
import type { Generator } from '../../random.js'
import type { Tensor } from '../../tensor.js'
import type { KernelCall } from './program.js'

/** A step as it was recorded. */
export interface RecordedStep {
  /** The kernel calls, in order. */
  readonly calls: readonly KernelCall[]
  readonly constants: readonly Constant[]
  readonly parameters: readonly RecordedParameter[]
  /** The generators that kernels draw from, with the number of draws. */
  readonly draws: readonly (readonly [Generator, number])[]
}

/** The state of a parameter when a step was recorded: its addresses, and the step's use of its gradient. */
export interface RecordedParameter {
  parameter: Parameter
  address: Ptr
  gradientAddress: Ptr
  requiresGrad: boolean
  /** True if a gradient was already there, and was added to. */
  accumulates: boolean
  /** True if the step computes its gradient. */
  isTrained: boolean
}

/** An array that was copied in from the host. */
export interface Constant {
  ptr: Ptr
  bytes: Uint8Array
}

/** The calls, each with its generator's counter if it draws random numbers. */
export function withCounters(calls: readonly KernelCall[], draws: RecordedStep['draws']): KernelCall[] {
  return calls.map((call) => {
    const argument = COUNTER_ARGUMENTS[call.name]
    if (argument === undefined) return call
    const [low, high, stream] = call.args.slice(argument - 3)
    const found = draws.find(([g]) => g.seedLow === low && g.seedHigh === high && g.stream === stream)
    if (found === undefined) return call
    const [generator, perStep] = found
    const offset = call.args[argument] - (generator.counter - perStep)
    return { ...call, counter: { argument, generator, offset, perStep } }
  })
}

/** The parameters that a result was computed from; the result lets go of its graph. */
export function parametersOf(result: Tensor): Parameter[] {
  const found = new Set<Parameter>()
  const seen = new Set<unknown>()
  const nodes = [result.node as unknown as { inputs: readonly Tensor[] } | null]
  for (let node = nodes.pop(); node !== undefined; node = nodes.pop()) {
    if (node === null || seen.has(node)) continue
    seen.add(node)
    for (const input of node.inputs) {
      if (input instanceof Parameter) found.add(input)
      nodes.push(input.node as typeof node | null)
    }
  }
  result.node = null
  return [...found]
}

export function recordedParameters(parameters: ReadonlySet<Parameter>, waiting: ReadonlySet<Parameter>): RecordedParameter[] {
  return Array.from(parameters, (parameter) => {
    const { address, gradientAddress, requiresGrad, gradientState } = parameter
    const isTrained = gradientState === 'ready'
    return { parameter, address, gradientAddress, requiresGrad, accumulates: waiting.has(parameter), isTrained }
  })
}

/** True if two recordings are of the same step. */
export function isSameStep(a: RecordedStep, b: RecordedStep): boolean {
  return (
    sameLists(a.calls, b.calls, isSameCall) &&
    sameLists(a.constants, b.constants, (x, y) => x.ptr === y.ptr && sameLists(x.bytes, y.bytes, Object.is)) &&
    sameLists(a.parameters, b.parameters, isSameParameter) &&
    haveSameDraws(a, b)
  )
}

export function haveSameDraws(a: RecordedStep, b: RecordedStep): boolean {
  return sameLists(a.draws, b.draws, (x, y) => x[0] === y[0] && x[1] === y[1])
}

function isSameParameter(a: RecordedParameter, b: RecordedParameter): boolean {
  return (Object.keys(a) as (keyof RecordedParameter)[]).every((key) => a[key] === b[key])
}

function isSameCall(a: KernelCall, b: KernelCall): boolean {
  if (a.name !== b.name || a.kernel !== b.kernel || a.args.length !== b.args.length) return false
  for (let i = 0; i < a.args.length; i++) {
    // counters are compared by their distance from the first draw of the step, above
    if (a.counter?.argument === i && b.counter?.argument === i) continue
    if (!Object.is(a.args[i], b.args[i])) return false
  }
  const [p, q] = [a.counter, b.counter]
  return p?.generator === q?.generator && p?.offset === q?.offset && p?.perStep === q?.perStep
}

function sameLists<T>(a: ArrayLike<T>, b: ArrayLike<T>, isSame: (x: T, y: T) => boolean): boolean {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!isSame(a[i], b[i])) return false
  return true
}
