/**
 * A group of parameters with options of their own, and their optimizer state.
 *
 * The parameters of a group lie end to end in memory, and so does each slot of their state. One update call covers a {@link ParameterSpan}:
 * neighboring parameters that have a gradient and have taken the same number of steps; usually the whole group.
 */

import type { FloatArray, Heap } from '../../backend/heap.js'
import type { Backend } from '../../backend/index.js'
import { MAX_HYPER, type Ptr, SHARED_HYPER, SUMS_OFFSET, type Update } from '../../backend/kernels.js'
import { isLaidOut, layOut, type Parameter } from '../../parameter.js'
import type { ParameterSpan, Scalars, SpanViews } from './span.js'

/** Layout of the state that an optimizer keeps for its parameters. */
export interface StateLayout {
  /** State slots as large as the parameters. */
  slots: readonly string[]
  /** Initial values of the numbers that are kept for each parameter. */
  scalars: Scalars
  /** True to update each parameter separately. */
  perTensor: boolean
  /** Number of floats of each further state of a parameter, by name. */
  extras(parameter: Parameter): Readonly<Record<string, number>>
}

interface Extra {
  ptr: Ptr
  size: number
}

/** Floats for the hyper-parameters of an update kernel, the shared ones and its own, and for two sums behind them as doubles. */
export const HYPER_FLOATS = MAX_HYPER + 4

const stateBlocks = new FinalizationRegistry<{ heap: Heap; ptrs: Ptr[] }>(({ heap, ptrs }) => {
  for (const ptr of ptrs) heap.free(ptr)
})

/** Parameters that share options, with their state. An optimizer makes groups from its input. */
export class ParameterGroup<O extends object = object> {
  /** Given, or '' */
  readonly name: string
  readonly backend: Backend
  /** The parameters, in the order of their memory. */
  readonly parameters: readonly Parameter[]
  /** Options of this group: assign to change one from the next step on. */
  readonly options: O
  /** @internal the store behind `options` */
  readonly values: Readonly<O>
  /** @internal names of the state slots */
  readonly slotNames: readonly string[]
  /** @internal floats of all parameters: the distance from one slot to the next */
  readonly stride: number
  /** @internal address of the hyper-parameters */
  readonly h: Ptr
  /** @internal the fused update kernel, if the backend has one */
  kernel: Update | undefined = undefined
  /** @internal */
  spans: ParameterSpan[] = []

  /** Limits spans to one parameter. */
  private readonly perTensor: boolean
  private readonly extras: Record<string, Extra>[]
  private readonly state: Ptr
  private readonly offsets: number[]
  private readonly counts: number[]
  private readonly scalars: Scalars[]
  private readonly active: boolean[]
  private readonly addresses: Ptr[]
  private anyActive = false
  private viewsVersion = -1

  /** @internal groups are made by their optimizer */
  constructor(parameters: readonly Parameter[], values: O, options: O, layout: StateLayout, name = '') {
    const { slots: slotNames, scalars, perTensor, extras } = layout
    const { backend } = parameters[0]
    const { heap } = backend
    if (!isLaidOut(parameters)) layOut(parameters)
    this.name = name
    this.backend = backend
    this.parameters = parameters
    this.values = values
    this.options = options
    this.slotNames = slotNames
    this.offsets = []
    let floats = 0
    for (const p of parameters) {
      this.offsets.push(floats)
      floats += p.size
    }
    this.stride = floats
    // allocated first: it may fit into the blocks that layOut() has just freed
    this.state = heap.allocate(floats * slotNames.length * heap.elementSize)
    this.h = heap.allocate(HYPER_FLOATS * heap.elementSize)
    this.perTensor = perTensor
    this.extras = parameters.map((p) => allocateExtras(heap, extras(p)))
    const others = this.extras.flatMap((extra) => Object.values(extra).map(({ ptr }) => ptr))
    heap.weigh(this, floats * slotNames.length * heap.elementSize)
    stateBlocks.register(this, { heap, ptrs: [this.h, this.state, ...others] })
    this.counts = parameters.map(() => 0)
    this.scalars = parameters.map(() => ({ ...scalars }))
    this.active = parameters.map(() => false)
    this.addresses = parameters.map(() => 0)
  }

  /** @internal Updates the spans to the parameters that have a gradient; false if none has one. */
  refresh(): boolean {
    if (!this.isCurrent()) this.rebuild()
    return this.anyActive
  }

  /** @internal The gradients were used: the next backward() overwrites them. */
  markUsed(): void {
    const { parameters, active } = this
    for (let i = 0; i < parameters.length; i++) {
      if (!active[i]) continue
      parameters[i].gradientState = 'used'
      parameters[i].markChanged()
    }
  }

  /** @internal Typed arrays over a span, valid until more memory is allocated. */
  viewsOf(span: ParameterSpan): SpanViews {
    const { heap } = this.backend
    if (this.viewsVersion !== heap.version) {
      for (const other of this.spans) other.views = null
      this.viewsVersion = heap.version
    }
    span.views ??= {
      p: heap.view(span.p, span.n),
      g: heap.view(span.g, span.n),
      slots: this.slotNames.map((_, j) => heap.view(this.slotOf(span, j), span.n)),
    }
    return span.views
  }

  /** @internal address of slot j of a span */
  slotOf(span: ParameterSpan, j: number): Ptr {
    return span.s + j * this.stride * this.backend.heap.elementSize
  }

  /** @internal address of slot j of parameter i */
  slotAt(i: number, j: number): Ptr {
    return this.state + (this.offsets[i] + j * this.stride) * this.backend.heap.elementSize
  }

  /** @internal a view of slot j of parameter i */
  slotView(i: number, j: number): FloatArray {
    return this.backend.heap.view(this.slotAt(i, j), this.parameters[i].size)
  }

  /** @internal names of the further state of parameter i */
  extraNames(i: number): string[] {
    return Object.keys(this.extras[i])
  }

  /** @internal address of further state of parameter i */
  extraAt(i: number, name: string): Ptr {
    return this.extras[i][name].ptr
  }

  /** @internal a view of further state of parameter i */
  extraView(i: number, name: string): FloatArray {
    const { ptr, size } = this.extras[i][name]
    return this.backend.heap.view(ptr, size)
  }

  /** @internal gives every element of slot j a value */
  fillSlot(j: number, value: number): void {
    this.backend.kernels.fill(this.slotAt(0, j), this.stride, value)
  }

  /** @internal Writes the hyper-parameters for an update kernel, the shared numbers first: for this step at `h`, or for a later step at `to`. */
  writeHyper(scale: number, coupledDecay: number, decoupledDecay: number, own: readonly number[], to = this.h): void {
    const { floats, elementSize } = this.backend.heap
    const at = to / elementSize
    floats[at] = scale
    floats[at + 1] = coupledDecay
    floats[at + 2] = decoupledDecay
    for (let i = 0; i < own.length; i++) floats[at + SHARED_HYPER + i] = own[i]
  }

  /** @internal sum i of a kernel that left its sums behind the hyper-parameters */
  sumAt(i: number): number {
    return this.backend.heap.doubles[(this.h + SUMS_OFFSET) / 8 + i]
  }

  /** Steps that parameter i has taken: those at which it had a gradient. */
  stepCountOf(i: number): number {
    this.flush()
    return this.counts[i]
  }

  /** @internal */
  scalarsOf(i: number): Scalars {
    this.flush()
    return { ...this.scalars[i] }
  }

  /** @internal restores the step count and scalars of parameter i from a saved state */
  restore(i: number, stepCount: number, scalars: Scalars): void {
    this.flush()
    this.counts[i] = stepCount
    this.scalars[i] = { ...this.scalars[i], ...scalars }
    this.forgetSpans()
  }

  private forgetSpans(): void {
    this.spans = []
    this.active.fill(false)
    this.anyActive = false
  }

  private isCurrent(): boolean {
    const { parameters, active, addresses } = this
    for (let i = 0; i < parameters.length; i++) {
      const p = parameters[i]
      if (hasGradient(p) !== active[i] || p.address !== addresses[i]) return false
    }
    return true
  }

  /** Writes step counts and scalars of spans back to single parameters. */
  private flush(): void {
    for (const span of this.spans) {
      for (let i = span.first; i < span.end; i++) {
        this.counts[i] = span.t
        Object.assign(this.scalars[i], span.scalars)
      }
    }
  }

  private rebuild(): void {
    this.flush()
    const spans: ParameterSpan[] = []
    let last: ParameterSpan | undefined
    for (const [i, p] of this.parameters.entries()) {
      this.active[i] = hasGradient(p)
      this.addresses[i] = p.address
      if (!this.active[i] || p.size === 0) continue
      if (last && this.continues(last, i)) {
        last.end = i + 1
        last.n = this.offsets[i] + p.size - this.offsets[last.first]
      } else {
        last = this.newSpan(i)
        spans.push(last)
      }
    }
    this.spans = spans
    this.anyActive = this.active.includes(true)
  }

  private newSpan(i: number): ParameterSpan {
    const p = this.parameters[i]
    return {
      first: i,
      end: i + 1,
      p: p.address,
      g: p.gradientAddress,
      s: this.slotAt(i, 0),
      n: p.size,
      t: this.counts[i],
      scalars: { ...this.scalars[i] },
      views: null,
    }
  }

  /** True if parameter i, which has a gradient, directly follows the span in memory and has taken the same number of steps. */
  private continues(span: ParameterSpan, i: number): boolean {
    if (this.perTensor) return false
    const p = this.parameters[i]
    const bytes = (this.offsets[i] - this.offsets[span.first]) * this.backend.heap.elementSize
    return (
      this.offsets[i] === this.offsets[span.first] + span.n &&
      p.address === span.p + bytes &&
      p.gradientAddress === span.g + bytes &&
      this.counts[i] === span.t &&
      Object.keys(span.scalars).every((name) => Object.is(this.scalars[i][name], span.scalars[name]))
    )
  }
}

function hasGradient(p: Parameter): boolean {
  return p.gradientState === 'ready' && p.requiresGrad
}

function allocateExtras(heap: Heap, sizes: Readonly<Record<string, number>>): Record<string, Extra> {
  return Object.fromEntries(Object.entries(sizes).map(([name, size]) => [name, { ptr: heap.allocate(size * heap.elementSize), size }]))
}
