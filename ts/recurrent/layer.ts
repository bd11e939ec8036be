/** The code that the recurrent layers share. */

import { apply, noGrad } from '../autograd.js'
import { CELLS, type CellName } from '../backend/recurrent-kernels.js'
import { checkCount } from '../common/checks.js'
import { rangeError, ShapeError } from '../common/errors.js'
import { anything, checkOptions, type Read, readOptions, type Schema } from '../common/options.js'
import type { Shape } from '../common/shape.js'
import type { BufferTensor } from '../nn/buffer.js'
import type { Initializer, InitializerName } from '../nn/initializer.js'
import { ShapedLayer } from '../nn/layer.js'
import type { LayerShapes } from '../nn/layer-shapes.js'
import type { BuildContext, ModuleOptions } from '../nn/module.js'
import { dropout } from '../ops/dropout.js'
import { concat, slice } from '../ops/shape.js'
import { maskOf, STEPS_TO_TAKE, type StepsToTake } from '../ops/steps.js'
import type { Parameter } from '../parameter.js'
import type { Generator } from '../random.js'
import type { Tensor, TensorLike } from '../tensor.js'
import type { Scanned, Wanted, Weights } from './call.js'
import { callOf, inputsOf, type RecurrentResult, stateOf } from './operations.js'
import type { RECURRENT, RecurrentOptions } from './options.js'
import { dropInputs, maskOfSteps } from './regularization.js'
import { scan } from './scan.js'

/** Options of the method `run` of recurrent layers. */
export interface RunOptions extends StepsToTake {
  /** The first state, of the shape of the returned `state`. Default: zeros, or the last batch's state with `statefulRows`. */
  initialState?: TensorLike
}

export const RUN = {
  ...STEPS_TO_TAKE,
  initialState: { is: anything, aka: ['initial_state', 'hx', 'h0'] },
} satisfies Schema<RunOptions>

/** The sizes and options of a recurrent layer, with their defaults. */
export interface RecurrentSettings extends Read<RecurrentOptions, typeof RECURRENT> {
  /** The cell: `simple`, `gruAfter` (reset after the product with U), `gruBefore` or `lstm`. */
  readonly cell: CellName
  /** Numbers of each step. */
  readonly inputs: number
  /** Numbers of the state and of each output. */
  readonly units: number
}

/** @internal the parameters and buffers of a layer, by the names of their fields */
export interface Members {
  weight: Parameter
  recurrentWeight: Parameter
  bias: Parameter | null
  recurrentBias?: Parameter | null
  reverseWeight?: Parameter
  reverseRecurrentWeight?: Parameter
  reverseBias?: Parameter | null
  reverseRecurrentBias?: Parameter | null
  /** The state after the last batch, with `statefulRows`. */
  lastState?: BufferTensor
  /** Draws what is dropped. */
  generator?: Generator
}

/** What {@link GRU}, {@link LSTM} and {@link SimpleRNN} have in common. */
export abstract class RecurrentLayer<
  Options extends RecurrentOptions = RecurrentOptions,
  const I extends number = number,
  const U extends number = number,
  Rule extends LayerShapes = LayerShapes,
> extends ShapedLayer<Rule> {
  /** @internal */
  static override readonly isBase = true

  declare weight: Parameter
  declare recurrentWeight: Parameter
  declare bias: Parameter | null
  /** The weights of the other direction, with `bidirectional`. */
  declare reverseWeight?: Parameter
  declare reverseRecurrentWeight?: Parameter
  declare reverseBias?: Parameter | null
  /** The state after the last batch, with `statefulRows`. */
  declare lastState?: BufferTensor
  /** @internal draws what is dropped */
  declare generator?: Generator
  /** Numbers of each step of x. */
  readonly inputs: I
  /** Numbers of the state and of each output. */
  readonly units: U
  /** Sizes and options, with their defaults. */
  readonly settings: Readonly<RecurrentSettings & Options>

  /** @internal */
  constructor(settings: RecurrentSettings & Options, options: ModuleOptions) {
    super(options)
    this.inputs = settings.inputs as I
    this.units = settings.units as U
    this.settings = Object.freeze(settings)
  }

  protected override createParameters(context: BuildContext): void {
    const makeParameter: Parameters<typeof makeMembers>[2] = (...args) => this.makeParameter(context, ...args)
    const members = makeMembers(this.settings, context, makeParameter, (...args) => this.makeBuffer(context, ...args))
    Object.assign(this, members)
  }

  override describe(): string {
    const { inputs, units, bidirectional, returnSequences } = this.settings
    return `${this.constructor.name}(${inputs}, ${units}${bidirectional ? ', both directions' : ''}${returnSequences ? ', all steps' : ''})`
  }

  protected compute(x: Tensor): Tensor {
    return outputOf(this.running(), x)
  }

  /**
   * The outputs of all steps and the state after them, for sequences of different lengths and for a state of your own. Recorded for backpropagation
   * unless under noGrad().
   *
   * @example
   * const layer = new GRU(3, 4)
   * const first = layer.run(zeros([2, 5, 3]), { lengths: [5, 2] })
   * first.output.shape // [2, 5, 4]
   * const next = layer.run(zeros([2, 5, 3]), { initialState: first.state })
   * @throws ShapeError, RangeError or TypeError naming the layer, for inputs, lengths, a mask or a state that do not fit
   */
  run(x: TensorLike, options: RunOptions = {}): RecurrentResult {
    return resultOf(this.running(), x, options)
  }

  /** Begins again with zeros, with `statefulRows`. */
  resetState(): void {
    this.build()
    noGrad(() => this.lastState?.view().fill(0))
  }

  /** @internal the layer with its parameters made */
  protected running(): Running {
    const layer = this.build()
    const name = this.label(`${this.constructor.name}(${this.inputs}, ${this.units})`)
    return { settings: layer.settings, members: layer, name, training: layer.training }
  }
}

/** @internal @throws RangeError, TypeError for sizes or options that are not valid */
export function settingsOf<O extends RecurrentOptions>(
  who: string,
  cell: CellName,
  [inputs, units]: readonly [number, number],
  options: O,
  schema: Schema<O>,
): RecurrentSettings & O {
  checkCount(`${who}: inputs`, inputs)
  checkCount(`${who}: units`, units)
  const read = readOptions(who, options, schema) as unknown as RecurrentSettings & O
  if (read.bidirectional && read.statefulRows > 0)
    throw rangeError(`${who}: statefulRows wants one direction, got bidirectional: true, whose other half would begin in the next batch`)
  return { ...read, cell, inputs, units }
}

/** Makes the parameters and buffers of a layer. */
function makeMembers(
  { cell, inputs, units, bidirectional, bias, statefulRows, dropout, recurrentDropout, ...initializers }: RecurrentSettings,
  context: BuildContext,
  makeParameter: (name: string, shape: Shape, values?: InitializerName | Initializer) => Parameter,
  makeBuffer: (name: string, shape: Shape) => BufferTensor,
): Members {
  const { gates, state } = CELLS[cell]
  const { weightInitializer, recurrentInitializer, biasInitializer } = initializers
  const members: Record<string, Parameter | BufferTensor | Generator | null> = {}
  for (const direction of bidirectional ? ['', 'reverse'] : ['']) {
    const name = (plain: string) => (direction === '' ? plain : direction + plain[0].toUpperCase() + plain.slice(1))
    const add = (plain: string, shape: Shape, values?: InitializerName | Initializer) => {
      members[name(plain)] = makeParameter(name(plain), shape, values)
    }
    add('weight', [inputs, gates * units], weightInitializer)
    add('recurrentWeight', [units, gates * units], recurrentInitializer)
    members[name('bias')] = null
    if (bias) {
      add('bias', [gates * units], biasInitializer)
      if (cell === 'lstm' && biasInitializer === undefined) (members[name('bias')] as Parameter).view().fill(1, units, 2 * units)
    }
    if (cell !== 'gruAfter') continue
    members[name('recurrentBias')] = null
    if (bias) add('recurrentBias', [units], biasInitializer)
  }
  if (statefulRows > 0) members.lastState = makeBuffer('lastState', [statefulRows, state * units])
  if (dropout > 0 || recurrentDropout > 0) members.generator = context.nextGenerator()
  return members as unknown as Members
}

/** @internal A layer in use: its settings and members, its name in messages, and whether it is in training mode. */
export interface Running {
  settings: RecurrentSettings
  members: Members
  name: string
  training: boolean
}

/** @internal The last output, or the outputs of all steps. */
export function outputOf(layer: Running, x: TensorLike): Tensor {
  const { returnSequences, cell, units } = layer.settings
  const results = scanAll(layer, x, {}, { outputs: returnSequences, state: !returnSequences })
  if (returnSequences) return beside(results.map(({ output }) => output as Tensor))
  const states = results.map(({ state }) => state as Tensor)
  return beside(CELLS[cell].state === 1 ? states : states.map((state) => slice(state, 0, units, 1) as Tensor))
}

/** @internal The outputs of all steps and the last state. */
export function resultOf(layer: Running, x: TensorLike, options: RunOptions): RecurrentResult {
  const results = scanAll(layer, x, checkOptions(layer.name, options, RUN), { outputs: true, state: true })
  return { output: beside(results.map(({ output }) => output as Tensor)), state: beside(results.map(({ state }) => state as Tensor)) }
}

/** Joins the results of directions along the last axis. */
function beside(parts: readonly Tensor[]): Tensor {
  return parts.length === 1 ? parts[0] : (concat([...parts], -1) as Tensor)
}

/** The result of each direction. */
function scanAll({ settings, members, name, training }: Running, value: TensorLike, options: RunOptions, wanted: Wanted): Scanned[] {
  const { cell, units, statefulRows, maskValue } = settings
  const { lastState, generator } = members
  const directions = weightsOf(members)
  let x = inputsOf(name, value, directions[0])
  const [rows] = x.shape
  const width = CELLS[cell].state * units
  if (lastState !== undefined && rows !== statefulRows)
    throw new ShapeError(
      `${name}: wants batches of ${statefulRows} rows (statefulRows), got ${rows}; choose a batchSize that leaves no smaller batch, or make the layer without statefulRows`,
    )
  const given = stateOf(name, options.initialState, rows, width * directions.length, x)
  const initial = given ?? (lastState && snapshot(lastState, members.weight))
  let mask = maskOf(name, x, options)
  if (maskValue !== undefined) {
    if (mask !== null) throw rangeError(`${name}: wants a mask, lengths or maskValue, got maskValue and another; leave one out`)
    mask = maskOfSteps(x, members.weight, maskValue)
  }
  if (generator && training && settings.dropout > 0) x = dropInputs(x, members.weight, settings.dropout, generator)
  return directions.map((weights, index) => {
    const { recurrentDropout } = settings
    const drops = generator && training && recurrentDropout > 0
    const recurrentWeight = drops ? dropout(weights.recurrentWeight, recurrentDropout, generator) : weights.recurrentWeight
    const state = initial && directions.length > 1 ? (slice(initial, index * width, (index + 1) * width, 1) as Tensor) : initial
    const call = callOf(name, cell, x, { ...weights, recurrentWeight }, { reverse: index === 1, ...(state && { initialState: state }) })
    return scan(
      {
        ...{ ...call, mask },
        ...(lastState && { observe: (at, { kernels }) => kernels.copy(at, lastState.address, lastState.size) }),
      },
      wanted,
    )
  })
}

/** The values of the buffer as they are now: it changes at the end of the scan. `weight` is an input as in regularization.ts. */
function snapshot(buffer: BufferTensor, weight: Tensor): Tensor {
  return apply(
    [buffer, weight],
    buffer.shape,
    (y, { kernels }) => kernels.copy(buffer.address, y, buffer.size),
    () => ({ vjp: () => [null, null] }),
  )
}

/** @internal the weights of each direction */
export function weightsOf(m: Members): Weights<Parameter>[] {
  const forward = { weight: m.weight, recurrentWeight: m.recurrentWeight, bias: m.bias, recurrentBias: m.recurrentBias ?? null }
  if (m.reverseWeight === undefined) return [forward]
  const back = { weight: m.reverseWeight, recurrentWeight: m.reverseRecurrentWeight as Parameter }
  return [forward, { ...back, bias: m.reverseBias ?? null, recurrentBias: m.reverseRecurrentBias ?? null }]
}

/** The value of a flag in the type of options: true, false (also if it is left out), or boolean if it is not known. */
type FlagOf<O, Name extends string> = Name extends keyof O
  ? O[Name] extends true
    ? true
    : O[Name] extends false | undefined
      ? false
      : boolean
  : false

/** Units of the output: twice as many for both directions. */
type Width<U extends number, O> = FlagOf<O, 'bidirectional'> extends false ? U : number

/** @internal The shape rule of a recurrent layer: [rows, steps, inputs] becomes [rows, units], or [rows, steps, units] with `returnSequences`. */
export interface RecurrentShapes<Name extends string, I extends number, U extends number, O> extends LayerShapes {
  readonly Out: this['In'] extends infer S extends Shape ? Scanning<S, I, Width<U, O>, FlagOf<O, 'returnSequences'>> : Shape
  readonly Name: Name
  readonly InputColumns: I
  readonly OutputColumns: number extends Width<U, O> ? unknown : Width<U, O>
}

type Scanning<S extends Shape, I extends number, U extends number, Sequences extends boolean> = number extends S['length']
  ? Shape
  : S extends readonly [infer Rows extends number, infer Steps extends number, infer Inputs extends number]
    ? [number extends Inputs ? true : number extends I ? true : Inputs extends I ? true : false] extends [false]
      ? never
      : boolean extends Sequences
        ? Shape
        : Sequences extends true
          ? [Rows, Steps, U]
          : [Rows, U]
    : never
