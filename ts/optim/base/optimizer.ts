/**
 * The base of all optimizers: groups of parameters and their state, steps over the parameters that have a gradient, hyper-parameters, gradient
 * transforms, weight decay, saving and restoring.
 *
 * An optimizer is a rule. Its class names the state slots, computes the numbers of a step in doubles ({@link Optimizer.hyper}, where bias correction
 * lives) and applies them to the elements ({@link Optimizer.update}, the readable specification, which any backend can run). If the backend has a
 * fused kernel of that name, one call of it updates a whole span instead.
 */

import { trapped } from '../../backend/crash.js'
import type { FloatArray } from '../../backend/heap.js'
import type { Update } from '../../backend/kernels.js'
import { plainError, rangeError, typeError } from '../../common/errors.js'
import { unknownName } from '../../common/names.js'
import { type AnySchema, checkOptions, checkValue } from '../../common/options.js'
import type { Parameter } from '../../parameter.js'
import { type ArrayBinding, copyIn, copyOut } from './arrays.js'
import { ParameterGroup, type StateLayout } from './group.js'
import {
  checkMembers,
  type DecayOptions,
  type GroupInput,
  type GroupOptions,
  type OptimizerInput,
  readGroups,
  readMembers,
  SHARED,
  type SharedOptions,
  STEP,
  type UpdateOptions,
} from './input.js'
import { type Allowed, checked, fromJson, schemaOf } from './options.js'
import type { ParameterSpan, Scalars } from './span.js'
import { captureState, checkState, type OptimizerState, restoreGroup } from './state.js'
import { TransformChain } from './transform.js'
import type { UpdateRule } from './update-rule.js'

const NO_NAMES: readonly string[] = []
const NO_SCALARS: Scalars = {}
const NO_EXTRAS: Readonly<Record<string, number>> = {}

/** The loop of {@link Optimizer.update}. */
export type ElementRule = (p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]) => void

/** Static members of an optimizer class. */
export interface OptimizerClass {
  readonly name: string
  readonly defaults: Readonly<Record<string, unknown>>
  readonly allowed: Readonly<Record<string, Allowed>>
  readonly perTensor: boolean
  /** @internal */
  readonly rule?: UpdateRule | ((options: never) => UpdateRule)
}

/**
 * The base of all optimizers, and of your own: give the class `defaults`, a {@link hyper} and an {@link update}.
 * It then has groups, weight decay, clipping, saving and schedules, and runs on every backend.
 *
 * @example
 * class SignDescent extends Optimizer<{ learningRate?: number }> {
 *   static override readonly defaults = { learningRate: 0.01 }
 *   hyper(o: { learningRate: number }) {
 *     return [o.learningRate]
 *   }
 *   update(p: FloatArray, g: FloatArray, _slots: FloatArray[], [learningRate]: readonly number[]) {
 *     for (let i = 0; i < p.length; i++) p[i] -= learningRate * Math.sign(g[i])
 *   }
 * }
 */
export abstract class Optimizer<O extends object = object> {
  /** Names and defaults of the group options. */
  static readonly defaults: Readonly<Record<string, unknown>> = {}
  /** Allowed values of options that do not follow from their name and type. */
  static readonly allowed: Readonly<Record<string, Allowed>> = {}
  /** True to update each parameter separately, for methods that need whole tensors. */
  static readonly perTensor: boolean = false
  /** @internal Describes the kernel that does the same as {@link update}, or gives the description for some options, the same object for the same kind. */
  static readonly rule: UpdateRule | ((options: never) => UpdateRule) | undefined = undefined

  /** Groups of parameters; their `options` may change at any time. */
  readonly groups: readonly ParameterGroup<Required<O>>[]
  /** Number of calls of step() that changed something. */
  stepCount = 0

  protected readonly transforms: TransformChain
  /** Numbers that the optimizer keeps besides the state of parameters; they are saved with it. */
  protected globals: Scalars = {}
  private readonly bindings: ArrayBinding[] = []
  private scratch: FloatArray | null = null

  /**
   * @param parameters parameters, arrays of your own as `{ value, gradient }`, or groups `{ parameters, ...options }`
   * @throws RangeError for options out of range, Error for a parameter in two groups, of two backends, or none at all
   */
  constructor(parameters: OptimizerInput<O>, options: O & SharedOptions = {} as O & SharedOptions) {
    checkOptions(this.name, options, { ...this.schema, ...SHARED })
    if (typeof this.hyper !== 'function' || typeof this.update !== 'function')
      throw typeError(`${this.name}: an Optimizer wants methods hyper(options, t) and update(p, g, slots, hyper)`)
    this.transforms = new TransformChain(options, this.name)
    const own = Object.fromEntries(Object.entries(options).filter(([option]) => !(option in SHARED)))
    const inputs = this.arrange(readGroups(this.name, parameters), own as O)
    const members = inputs.map((input) => readMembers(this.name, input.parameters, options.backend, this.bindings))
    checkMembers(this.name, members)
    this.groups = inputs.map(({ parameters: _, name, ...override }, i) => this.makeGroup(members[i], { ...own, ...override } as O, name))
  }

  // ---- members that a class of optimizers defines ----

  /** The numbers that {@link update} receives at the t-th step of a parameter; runs once a step, so it may advance `scalars`. */
  protected abstract hyper(options: Required<O>, t: number, scalars: Scalars): readonly number[]

  /** The rule: new p from p, gradient g and state. Weight decay and gradient scale are in p and g already. */
  protected abstract update(p: FloatArray, g: FloatArray, slots: FloatArray[], hyper: readonly number[]): void

  /** @internal */
  protected rule(options: Required<O>): UpdateRule | undefined {
    const { rule } = this.definition
    return typeof rule === 'function' ? rule(options as never) : rule
  }

  /** Names of the state slots. Returns the same array for the same kind of options. */
  protected slots(options: Required<O>): readonly string[] {
    return this.rule(options)?.slots ?? NO_NAMES
  }

  /** State of a parameter besides its slots: names, and numbers of floats. */
  protected extras(_options: Required<O>, _parameter: Parameter): Readonly<Record<string, number>> {
    return NO_EXTRAS
  }

  /** Initial values of the scalars that are kept for each parameter. */
  protected initialScalars(_options: Required<O>): Scalars {
    return NO_SCALARS
  }

  /** Fills the slots of a new group with initial values other than 0. */
  protected initialize(_group: ParameterGroup<Required<O>>): void {}

  /** Called for parameters before their first step. */
  protected begin(_group: ParameterGroup<Required<O>>, _span: ParameterSpan): void {}

  /** λ in g ← g + λ·p. */
  protected coupledDecay(options: Required<O>): number {
    const { weightDecay = 0, decoupledWeightDecay = false } = options as DecayOptions
    return decoupledWeightDecay ? 0 : weightDecay
  }

  /** δ in p ← p − δ·p before the update. */
  protected decoupledDecay(options: Required<O>, _hyper: readonly number[]): number {
    const { weightDecay = 0, decoupledWeightDecay = false, learningRate = 0 } = options as DecayOptions
    return decoupledWeightDecay ? learningRate * weightDecay : 0
  }

  /** Updates all parameters of a group that have a gradient. Methods that need whole tensors override this. */
  protected applyToGroup(group: ParameterGroup<Required<O>>, scale: number): void {
    const { values, spans } = group
    for (let i = 0; i < spans.length; i++) {
      const span = spans[i]
      if (++span.t === 1) this.begin(group, span)
      this.applyToSpan(group, span, scale, this.hyper(values, span.t, span.scalars))
    }
  }

  /** One fused pass over a span, by the kernel or, without one, by {@link update}. */
  protected applyToSpan(
    group: ParameterGroup<Required<O>>,
    span: ParameterSpan,
    scale: number,
    hyper: readonly number[],
    kernel = group.kernel,
    rule: ElementRule = this.update,
  ): void {
    const { values } = group
    const signed = (values as GroupOptions).maximize ? -scale : scale
    const coupled = this.coupledDecay(values)
    const decoupled = this.decoupledDecay(values, hyper)
    this.pass(group, span, signed, coupled, decoupled, hyper, kernel, rule)
  }

  /** The pass of {@link applyToSpan} with g ← scale·g + coupled·p and p ← p − decoupled·p as given. */
  protected pass(
    group: ParameterGroup<Required<O>>,
    span: ParameterSpan,
    scale: number,
    coupled: number,
    decoupled: number,
    hyper: readonly number[],
    kernel: Update | undefined,
    rule: ElementRule,
  ): void {
    if (kernel !== undefined) {
      group.writeHyper(scale, coupled, decoupled, hyper)
      kernel(span.p, span.g, span.s, group.stride, span.n, group.h)
      return
    }
    const { p, g, slots } = group.viewsOf(span)
    const gradient = scale === 1 && coupled === 0 ? g : this.prepared(p, g, scale, coupled)
    if (decoupled !== 0) for (let i = 0; i < p.length; i++) p[i] -= decoupled * p[i]
    rule.call(this, p, gradient, slots, hyper)
  }

  // ---- members that users call ----

  /** The class's name, which each class states: saved states contain the name, and minifiers rename classes. */
  get name(): string {
    return this.constructor.name
  }

  /** The learning rate of the first group; assigning sets it in every group. */
  get learningRate(): number {
    return (this.groups[0].values as GroupOptions).learningRate ?? 0
  }

  set learningRate(value: number) {
    if (!('learningRate' in this.groups[0].values)) throw unknownName(this.name, 'learningRate', Object.keys(this.schema))
    for (const group of this.groups) (group.options as GroupOptions).learningRate = value
  }

  /** Steps that were not taken because a gradient was not finite (see `skipNonFinite`). */
  get skippedSteps(): number {
    return this.transforms.skippedSteps
  }

  /**
   * Updates every parameter that has a gradient. Parameters without a gradient, and frozen parameters, stay unchanged, and their step count does not
   * grow; a gradient of zeros counts as a gradient. Gradients stay readable until the next backward() overwrites them.
   *
   * @throws Error if no parameter has a gradient
   */
  step(options?: UpdateOptions): void {
    const { groups, bindings } = this
    const { backend } = groups[0]
    backend.heap.check()
    if (options !== undefined) checkOptions(`${this.name}.step()`, options, STEP)
    if (bindings.length > 0) copyIn(bindings)
    let any = false
    for (let i = 0; i < groups.length; i++) if (groups[i].refresh()) any = true
    if (!any) throw plainError(`${this.name}.step(): no parameter has a gradient; call backward() on a loss that depends on them first`)
    const scale = this.transforms.apply(groups, options?.gradientScale ?? 1)
    if (scale !== null) {
      try {
        this.applyToGroups(scale)
      } catch (error) {
        throw trapped(backend, error)
      }
      this.stepCount++
    }
    for (let i = 0; i < groups.length; i++) groups[i].markUsed()
    if (bindings.length > 0) copyOut(bindings)
    backend.arena.end()
  }

  /** Forgets all gradients. Never needed after step(): the next backward() overwrites used gradients. */
  zeroGrad(): void {
    for (const { parameters } of this.groups) for (const p of parameters) p.grad = null
  }

  /** A plain object with everything that {@link loadState} needs to continue with the same bits: copies, safe to keep. */
  state(): OptimizerState {
    return captureState(this.name, this.stepCount, this.groups, this.globals, this.transforms.state())
  }

  /** The value for JSON.stringify: {@link state}, which {@link loadState} takes back. */
  toJSON(): OptimizerState {
    return this.state()
  }

  /**
   * Restores a state of {@link Optimizer.state}, options included: the saved learning rate replaces the constructor's. Set `learningRate` afterwards
   * to continue with another.
   * @throws Error for the state of another optimizer, RangeError for a state of other parameters or with invalid options; then nothing was changed
   */
  loadState(state: OptimizerState): void {
    checkState(this.name, this.groups, state)
    const options = this.groups.map((group, k) => this.savedOptions(group, state.groups[k].options))
    this.groups.forEach((group, k) => {
      Object.assign(group.values, options[k])
      group.kernel = this.findKernel(group)
      restoreGroup(group, state.groups[k].parameters)
    })
    this.stepCount = state.stepCount
    // a state from before the first step may have fewer entries than this optimizer has now
    this.globals = { ...state.globals }
    this.transforms.loadState(state.transforms)
  }

  // ---- how it works ----

  /** The groups to make; a method that treats some kinds of tensors differently splits them here. */
  protected arrange(inputs: GroupInput<O>[], _options: O): GroupInput<O>[] {
    return inputs
  }

  protected applyToGroups(scale: number): void {
    const { groups } = this
    for (let i = 0; i < groups.length; i++) this.applyToGroup(groups[i], scale)
  }

  /** scale·g + coupled·p, in a separate array: the gradient itself stays unchanged. */
  private prepared(p: FloatArray, g: FloatArray, scale: number, coupled: number): FloatArray {
    if (this.scratch === null || this.scratch.length < p.length) this.scratch = g.slice()
    const out = this.scratch.length === p.length ? this.scratch : this.scratch.subarray(0, p.length)
    if (coupled === 0) for (let i = 0; i < p.length; i++) out[i] = scale * g[i]
    else for (let i = 0; i < p.length; i++) out[i] = scale * g[i] + coupled * p[i]
    return out
  }

  private get definition(): OptimizerClass {
    return this.constructor as unknown as OptimizerClass
  }

  private makeGroup(parameters: Parameter[], given: O, name: string | undefined): ParameterGroup<Required<O>> {
    const raw = this.withOptions(this.definition.defaults, given)
    const check = (option: string, value: unknown) => checkValue(`${this.name}: ${option}`, value, this.schema[option].is)
    const options = checked(raw, check, (option) => this.optionChanged(group, option))
    const group: ParameterGroup<Required<O>> = new ParameterGroup(parameters, raw, options, this.layout(raw), name)
    group.kernel = this.findKernel(group)
    this.initialize(group)
    return group
  }

  /** `values`, overridden by `given`. @throws RangeError for unknown, invalid or contradictory options */
  private withOptions(values: object, given: object): Required<O> {
    const merged = { ...values } as Required<O>
    for (const [option, value] of Object.entries(checkOptions(this.name, given, this.schema)))
      if (value !== undefined) merged[option as keyof O] = value
    this.checkOptions(merged)
    return merged
  }

  /** The options of a group, overridden by saved ones. @throws RangeError if that would change its state slots */
  private savedOptions(group: ParameterGroup<Required<O>>, saved: Record<string, unknown>): Required<O> {
    const options = this.withOptions(group.values, fromJson(saved, this.definition.defaults))
    const [wanted, slots] = [this.slots(options), group.slotNames].map((names) => names.join(', ') || 'none')
    if (wanted !== slots)
      throw rangeError(`${this.name}.loadState(): the state has other options and so other slots, ${wanted}, the optimizer ${slots}`)
    return options
  }

  private get schema(): AnySchema {
    return schemaOf(this.definition)
  }

  private layout(options: Required<O>): StateLayout {
    const extras = (parameter: Parameter) => this.extras(options, parameter)
    return { slots: this.slots(options), scalars: this.initialScalars(options), perTensor: this.definition.perTensor, extras }
  }

  /** Checks combinations of options. @throws RangeError for options that exclude each other */
  protected checkOptions(_options: Required<O>): void {}

  private optionChanged(group: ParameterGroup<Required<O>>, option: string): void {
    this.checkOptions(group.values)
    if (this.slots(group.values).join() !== group.slotNames.join())
      throw rangeError(`${this.name}: ${option} cannot change like that later on, because the state would have other slots`)
    group.kernel = this.findKernel(group)
  }

  /** The fused kernel; undefined if a subclass overrides the rule without a kernel for it. */
  private findKernel({ values, backend }: ParameterGroup<Required<O>>): Update | undefined {
    const rule = this.rule(values)
    if (rule === undefined || depthOf('update', Object.getPrototypeOf(this)) < depthOf('rule', this.constructor)) return undefined
    return backend.update(rule.kernel, rule.part)
  }
}

/** The number of prototypes, from this object on, up to the one that has the member itself. */
function depthOf(member: string, object: object): number {
  let depth = 0
  for (let at = object; at !== null && !Object.hasOwn(at, member); at = Object.getPrototypeOf(at)) depth++
  return depth
}
