/**
 * Nets from ONNX files: all files of toOnnx, and nets of such layers by the converters of PyTorch, Keras and scikit-learn. The graph is read from the
 * output back to the input, because the meaning of a node (the sum of a GELU, or of an ensemble) follows from its inputs.
 */
import type { Backend } from '../backend/index.js'
import type { Activation as ActivationName } from '../backend/kernels.js'
import { rangeError } from '../common/errors.js'
import { anything, flag, readOptions, type Schema } from '../common/options.js'
import { show } from '../common/show.js'
import { Activation } from '../nn/activation.js'
import { BatchNorm } from '../nn/batch-norm.js'
import { Dense } from '../nn/dense.js'
import { EmbedColumns } from '../nn/embed-columns.js'
import { Embedding } from '../nn/embedding.js'
import type { EnsembleAverage } from '../nn/ensemble-mean.js'
import { Flatten } from '../nn/flatten.js'
import { LayerNorm } from '../nn/layer-norm.js'
import type { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import type { Parameter } from '../parameter.js'
import { Ensemble } from '../select/ensemble.js'
import { attribute, type Constant, float, type Graph, type Node, readGraph, unread } from './onnx-file.js'
import { bytesIn } from './protobuf.js'

/** Options of {@link fromOnnx}. */
export interface FromOnnxOptions {
  /**
   * Leaves out a Softmax or LogSoftmax at the end: the losses and metrics of gradus take logits, and `softmax(model.predict(x))` returns the
   * probabilities. Default false: such a file is refused.
   */
  withoutSoftmax?: boolean
  /** Default: the backend chosen by load(). */
  backend?: Backend
}

export const FROM_ONNX = { withoutSoftmax: { is: flag, default: false }, backend: { is: anything } } satisfies Schema<FromOnnxOptions>

const ACTIVATIONS: Readonly<Record<string, ActivationName>> = {
  Relu: 'relu',
  LeakyRelu: 'leakyRelu',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Softplus: 'softplus',
  Elu: 'elu',
  Selu: 'selu',
  Mish: 'mish',
  Gelu: 'gelu',
}

/**
 * Limit of numbers per byte of the file, above 64 thousand numbers. Layers may share weights in the file, but each has its own here, so a small file
 * could otherwise take all memory.
 */
const MAX_NUMBERS = 4

/** Operators that change nothing in prediction. */
const NOTHING = ['Identity', 'Dropout', 'Cast']

type Options = { backend?: Backend }

/** A dense layer, whose activation may follow. */
interface DensePart {
  readonly weight: Float64Array
  readonly inputs: number
  readonly outputs: number
  readonly bias: Float64Array | null
}

/** The layer or activation made from one or several nodes. */
type Part = DensePart | { readonly activation: ActivationName } | { readonly make: (options: Options) => Module }

/** A step on the way from the input to the output: the name of its output value, and the part that computes it; null if it changes nothing. */
interface Step {
  readonly value: string
  readonly part: Part | null
}

/**
 * A model from the bytes of an ONNX file: any file of {@link toOnnx} without ensembles that share weights, embeddings of numbers and convolutions, and
 * sequential nets of the same layers by PyTorch, Keras and others: Gemm or MatMul and Add, activations, LayerNormalization, BatchNormalization, Gather for an
 * embedding, Flatten. It predicts the same as the original net. Information that the export left out is lost, such as dropout, or the statistics of a
 * BatchNorm that became one product and one sum.
 *
 * @example
 * const bytes = toOnnx(new Sequential([new Dense(4, 16, { activation: 'relu' }), new Dense(16, 3)]))
 * const model = fromOnnx(bytes) // or fs.readFileSync('model.onnx')
 * model.predict(inputs).shape // [n, 3]
 * @throws RangeError naming the node that it cannot read, or saying what is damaged
 */
export function fromOnnx(file: Uint8Array | ArrayBuffer, options: FromOnnxOptions = {}): Sequential {
  const { withoutSoftmax, backend } = readOptions('fromOnnx', options, FROM_ONNX)
  return readGraph('fromOnnx', file, (graph, bytes) => {
    const reader = new GraphReader(graph, MAX_NUMBERS * bytes + 2 ** 16, withoutSoftmax)
    return modelOf(reader.parts(graph.outputName), backend ? { backend } : {})
  })
}

class GraphReader {
  private readonly constants: Graph['constants']
  private readonly makers: Graph['makers']
  /** For each value that was read: its source and its part. */
  private readonly known = new Map<string, { from: string; part: Part | null }>()
  private readonly input: string

  /** @param room number of weights that layers may still take from the file */
  constructor(
    { constants, makers, inputName }: Graph,
    private room: number,
    private readonly withoutSoftmax: boolean,
  ) {
    this.constants = constants
    this.makers = makers
    this.input = inputName
  }

  parts(output: string): Part[] {
    return partsOf(this.stepsTo(output))
  }

  /** The steps from the input to a value. */
  private stepsTo(value: string): Step[] {
    const steps: Step[] = []
    const met = new Set<string>()
    for (let at = value; at !== this.input; ) {
      if (met.has(at)) throw rangeError(`the nodes go round in a circle at ${show(at)}`)
      met.add(at)
      const { from, part } = this.read(at)
      steps.push({ value: at, part })
      at = from
    }
    return steps.reverse()
  }

  private read(value: string): { from: string; part: Part | null } {
    const known = this.known.get(value)
    if (known !== undefined) return known
    const node = this.makers.get(value)
    if (node === undefined) throw rangeError(`no node gives ${show(value)}`)
    const [from, part] = this.partOf(node)
    this.known.set(value, { from, part })
    return { from, part }
  }

  /** The part that a node belongs to, together with earlier nodes, and the value from which the part is computed. */
  private partOf(node: Node): [from: string, part: Part | null] {
    const [x = '', second = ''] = node.inputs
    if (NOTHING.includes(node.type)) return [x, null]
    if (Object.hasOwn(ACTIVATIONS, node.type)) return [x, { activation: this.activation(node) }]
    switch (node.type) {
      case 'Flatten':
        if (attribute(node, 'axis', 1) !== 1) throw unread(node, 'of another axis than 1')
        return [x, { make: () => new Flatten() }]
      case 'Softmax':
      case 'LogSoftmax':
        if (this.withoutSoftmax) return [x, null]
        throw unread(
          node,
          'as losses take logits; { withoutSoftmax: true } leaves it out, and softmax(model.predict(x)) gives the probabilities',
        )
      case 'MatMul':
        return [x, this.product(node, null)]
      case 'Gemm':
        return [x, this.product(node, null)]
      case 'Add':
        return this.sum(node)
      case 'Mul':
        return this.multiplied(node)
      case 'LayerNormalization':
        return [x, this.layerNorm(node)]
      case 'BatchNormalization':
        return [x, this.batchNorm(node)]
      case 'Gather':
        if (attribute(node, 'axis', 0) !== 0) throw unread(node, 'along another axis than that of a table')
        return [second, this.embedding(node)]
      case 'Concat':
        return this.embedColumns(node)
      case 'Squeeze':
        return this.ensembleOf(node, 'softmax', this.logMean(node)?.map(({ logs, share }) => ({ output: this.before('LogSoftmax', logs), share }))) // biome-ignore format: one line
      case 'Sub':
        return this.ensembleOf(node, 'sigmoid', this.sigmoidMeans(node))
    }
    throw unread(
      node,
      `only nets of layers that follow each other can be read: Gemm, MatMul, Add, ${Object.keys(ACTIVATIONS).join(', ')}, LayerNormalization, BatchNormalization, Gather, Flatten, ${NOTHING.join(', ')}`,
    )
  }

  private maker(value: string | undefined, type: string): Node | undefined {
    const node = this.makers.get(value ?? '')
    return node?.type === type ? node : undefined
  }

  /** The input of the node that computes a value, if the node has this type. */
  private before(type: string, value: string | undefined): string | undefined {
    return this.maker(value, type)?.inputs[0]
  }

  /** The two inputs of a node: a value and a constant number. */
  private withNumber(node: Node | undefined): { value: string; number: number } | undefined {
    if (node === undefined) return undefined
    const [a = '', b = ''] = node.inputs
    for (const [value, name] of [
      [a, b],
      [b, a],
    ] as const) {
      // biome-ignore format: both ways
      const constant = this.constants.get(name)
      if (constant?.shape.length === 0 && !this.constants.has(value)) return { value, number: constant.data[0] }
    }
    return undefined
  }

  /** A bias, the shift of a batch normalization, or the sum of an ensemble's outputs. */
  private sum(node: Node): [string, Part] {
    const name = node.inputs.find((input) => this.constants.has(input))
    const value = node.inputs.find((input) => !this.constants.has(input)) ?? ''
    if (name === undefined) return this.ensembleOf(node, 'outputs', this.outputMeans(node))
    const before = this.makers.get(value)
    if (before?.type === 'MatMul' || (before?.type === 'Gemm' && !before.inputs[2])) return [before.inputs[0], this.product(before, name)]
    const scaleName = before?.type === 'Mul' ? before.inputs.find((input) => this.constants.has(input)) : undefined
    const scale = this.constants.get(scaleName ?? '')
    if (before === undefined || scale?.shape.length !== 1) throw unread(node, 'that follows no MatMul')
    const from = before.inputs.find((input) => input !== scaleName) ?? ''
    const [width] = scale.shape
    const shift = this.vector(node, name, width)
    return [from, this.normalization(before, width, { weight: scale.data, bias: shift })]
  }

  /** GELU, SiLU, Mish, or a product with 1. */
  private multiplied(node: Node): [string, Part | null] {
    const [a = '', b = ''] = node.inputs
    for (const [x, other] of [
      [a, b],
      [b, a],
    ] as const) {
      // biome-ignore format: both ways
      if (this.before('Sigmoid', other) === x) return [x, { activation: 'silu' }]
      if (this.before('Softplus', this.before('Tanh', other)) === x) return [x, { activation: 'mish' }]
      const half = this.withNumber(this.maker(x, 'Mul'))
      if (half !== undefined && isNear(half.number, 0.5) && this.normalCdfOf(other) === half.value)
        return [half.value, { activation: 'gelu' }]
    }
    const scaled = this.withNumber(node)
    if (scaled !== undefined && isNear(scaled.number, 0.5)) {
      const [c = '', d = ''] = this.maker(scaled.value, 'Mul')?.inputs ?? []
      for (const [x, other] of [[c, d], [d, c]] as const) // biome-ignore format: both ways
        if (x !== '' && this.normalCdfOf(other) === x) return [x, { activation: 'gelu' }]
    }
    if (scaled?.number === 1) return [scaled.value, null]
    throw unread(node, 'that is no GELU, SiLU or Mish, nor followed by an Add of as many numbers')
  }

  /** x, if a value is 1 + erf(x/√2). */
  private normalCdfOf(value: string): string | undefined {
    const one = this.withNumber(this.maker(value, 'Add'))
    if (one === undefined || !isNear(one.number, 1)) return undefined
    const scaled = this.before('Erf', one.value)
    const times = this.withNumber(this.maker(scaled, 'Mul'))
    if (times !== undefined && isNear(times.number, Math.SQRT1_2)) return times.value
    const by = this.withNumber(this.maker(scaled, 'Div'))
    return by !== undefined && isNear(by.number, Math.SQRT2) ? by.value : undefined
  }

  private layerNorm(node: Node): Part {
    if (attribute(node, 'axis', -1) !== -1) throw unread(node, 'of another axis than the last')
    const width = this.constants.get(node.inputs[1] ?? '')?.data.length ?? 0
    if (width === 0) throw unread(node, 'whose scale is not in the file')
    const [weight, shift] = [this.vector(node, node.inputs[1], width), node.inputs[2]]
    const bias = shift ? this.vector(node, shift, width) : new Float64Array(width)
    const epsilon = float(node, 'epsilon', 1e-5)
    this.take(node, 2 * width)
    return { make: (options) => filled(new LayerNorm(width, { epsilon, ...options }), { weight, bias }) }
  }

  private batchNorm(node: Node): Part {
    const [weight, bias, runningMean, runningVariance] = node.inputs.slice(1).map((name) => this.constants.get(name)?.data ?? [])
    if (!weight || [bias, runningMean, runningVariance].some((data) => data?.length !== weight.length))
      throw unread(node, 'whose numbers are not in the file')
    return this.normalization(node, weight.length, { weight, bias, runningMean, runningVariance }, float(node, 'epsilon', 1e-5))
  }

  /** Missing statistics are set to those of normalized numbers: with a variance of 1 − ε, the divisor is 1. */
  private normalization(node: Node, width: number, values: Readonly<Record<string, ArrayLike<number>>>, epsilon = 1e-5): Part {
    this.take(node, 4 * width)
    const runningVariance = new Float64Array(width).fill(1 - epsilon)
    return { make: (options) => filled(new BatchNorm(width, { epsilon, ...options }), { runningVariance, ...values }) }
  }

  private embedding(node: Node): Part {
    const { shape, data } = this.matrix(node, node.inputs[0])
    const [count, width] = shape
    this.take(node, count * width)
    return { make: (options) => new Embedding(count, width, { weightInitializer: fill(data), ...options }) }
  }

  /** A Concat of an EmbedColumns: the other columns, then the columns that are looked up, all from one input [n, features]. */
  private embedColumns(node: Node): [string, Part] {
    const picked = (value: string | undefined) => {
      const pick = this.maker(value, 'Gather')
      const which = this.constants.get(pick?.inputs[1] ?? '')
      return pick !== undefined && which !== undefined && attribute(pick, 'axis', 0) === 1 ? { x: pick.inputs[0], which: which.data } : undefined // biome-ignore format: one line
    }
    const first = picked(node.inputs[0])
    const others = first === undefined ? [] : Array.from(first.which)
    const columns = node.inputs.slice(first === undefined ? 0 : 1).map((value) => {
      const lookUp = this.maker(this.before('Flatten', value), 'Gather')
      const index = picked(this.before('Cast', lookUp?.inputs[1]))
      if (lookUp === undefined || index?.which.length !== 1) throw unread(node, 'of anything but columns of the input')
      const { shape, data } = this.matrix(lookUp, lookUp.inputs[0])
      this.take(lookUp, shape[0] * shape[1])
      return { x: index.x, feature: index.which[0], count: shape[0], size: shape[1], data }
    })
    const { x } = first ?? columns[0] ?? { x: '' }
    const features = others.length + columns.length
    if (columns.length === 0 || columns.some((column) => column.x !== x)) throw unread(node, 'of anything but columns of the input')
    const rest = Array.from({ length: features }, (_, i) => i).filter((i) => !columns.some(({ feature }) => feature === i))
    if (rest.join() !== others.join()) throw unread(node, 'of columns in another order')
    return [
      x,
      {
        make: (options) => {
          const layer = new EmbedColumns(
            features,
            columns.map(({ feature, count, size }) => ({ feature, count, size })),
            { weightInitializer: 'zeros', ...options },
          )
          layer.build()
          layer.tables.forEach((table, i) => void table.weight.view().set(columns[i].data))
          return layer
        },
      },
    ]
  }

  /** The outputs of members and their shares, if a value is the sum of their products. */
  private outputMeans(node: Node): Mean[] | undefined {
    const means: Mean[] = []
    for (let at: Node | undefined = node; at !== undefined; ) {
      const [left, right] = at.inputs
      const last = this.withNumber(this.maker(right, 'Mul'))
      if (last === undefined) return undefined
      means.unshift({ output: last.value, share: last.number })
      const first = this.withNumber(this.maker(left, 'Mul'))
      if (first !== undefined) return [{ output: first.value, share: first.number }, ...means]
      at = this.maker(left, 'Add')
    }
    return undefined
  }

  /** The members' logarithms and shares, if a node computes log Σ share·e^logs. */
  private logMean(node: Node | undefined): { logs: string; share: number }[] | undefined {
    const sum = this.maker(node?.type === 'Squeeze' ? node.inputs[0] : undefined, 'Add')
    const log = sum?.inputs.map((input) => this.maker(input, 'Log')).find((found) => found !== undefined)
    const exp = this.before('ReduceSum', log?.inputs[0])
    const stacked = this.before('Sub', this.before('Exp', exp))
    const parts = this.maker(stacked, 'Concat')?.inputs ?? (stacked === undefined ? [] : [stacked])
    const found = parts.map((part) => this.withNumber(this.maker(this.before('Unsqueeze', part), 'Add')))
    if (found.length === 0 || found.some((one) => one === undefined)) return undefined
    return found.map((one) => ({ logs: one?.value ?? '', share: Math.exp(one?.number ?? 0) }))
  }

  private sigmoidMeans(node: Node): Mean[] | undefined {
    const [yes, no] = node.inputs.map((value) => this.logMean(this.makers.get(value)))
    const means = yes?.map(({ logs, share }) => ({ output: this.before('Neg', this.before('Softplus', this.before('Neg', logs))), share }))
    const others = no?.map(({ logs }) => this.before('Softplus', this.before('Neg', logs)))
    return means?.every(({ output }, i) => output !== undefined && output === others?.[i]) ? means : undefined
  }

  /** The ensemble of members that share their first steps; each member's model has only the steps after these. */
  private ensembleOf(node: Node, average: EnsembleAverage, means: readonly Mean[] | undefined): [string, Part] {
    if (means === undefined || means.some(({ output }) => output === undefined))
      throw unread(node, 'as it is no ensemble: only nets whose layers follow each other can be read')
    const chains = means.map(({ output }) => this.stepsTo(output ?? ''))
    let shared = 0
    if (chains.length > 1) while (chains.every((steps) => steps[shared] && steps[shared].value === chains[0][shared].value)) shared++
    const members = chains.map((steps) => partsOf(steps.slice(shared)))
    const weights = means.map(({ share }) => share)
    const make = (options: Options) => new Ensemble(members.map((parts) => modelOf(parts, options)), { average, weights }) // biome-ignore format: one line
    return [shared === 0 ? this.input : chains[0][shared - 1].value, { make }]
  }

  /** Counts weights that a layer takes, since layers may share them in the file but have copies of their own here. */
  private take(node: Node, numbers: number): void {
    this.room -= numbers
    if (this.room < 0) throw unread(node, 'as layers that share their weights would have far more numbers than there are in the file')
  }

  private product(node: Node, added: string | null): DensePart {
    const isGemm = node.type === 'Gemm'
    const [x, name, biasName = added ?? ''] = node.inputs
    if (this.constants.has(x)) throw unread(node, 'with the input on the right')
    const weight = this.matrix(node, name)
    const isTurned = isGemm && attribute(node, 'transB', 0) !== 0
    if (isGemm && attribute(node, 'transA', 0) !== 0) throw unread(node, 'with transA')
    const [alpha, beta] = isGemm ? [float(node, 'alpha', 1), float(node, 'beta', 1)] : [1, 1]
    const [rows, columns] = weight.shape
    const [inputs, outputs] = isTurned ? [columns, rows] : [rows, columns]
    this.take(node, (inputs + 1) * outputs)
    const values = new Float64Array(inputs * outputs)
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < outputs; j++) values[i * outputs + j] = alpha * weight.data[isTurned ? j * inputs + i : i * outputs + j]
    const own = biasName || added
    const bias = own ? this.vector(node, own, outputs).map((b) => (own === added ? b : beta * b)) : null
    return { weight: values, inputs, outputs, bias }
  }

  private activation(node: Node): ActivationName {
    const slope = { LeakyRelu: 0.01, Selu: 1.6732632 }[node.type] ?? 1
    if (Math.abs(float(node, 'alpha', slope) - slope) > 1e-6)
      throw unread(node, `with alpha ${float(node, 'alpha', slope)}; gradus has ${slope}`)
    if (Math.abs(float(node, 'gamma', 1.050701) - 1.050701) > 1e-6)
      throw unread(node, `with gamma ${float(node, 'gamma', 1)}; gradus has 1.050701`)
    const approximate = node.attributes.get('approximate')
    if (approximate !== undefined && new TextDecoder().decode(bytesIn(approximate, 4)[0]) === 'tanh')
      throw unread(node, 'by tanh; gradus has the exact one')
    return ACTIVATIONS[node.type]
  }

  private matrix(node: Node, name: string | undefined): Constant {
    const constant = this.constants.get(name ?? '')
    if (constant === undefined || constant.shape.length !== 2) throw unread(node, 'whose weights are no matrix in the file')
    return constant
  }

  private vector(node: Node, name: string, length: number): Float64Array {
    const constant = this.constants.get(name)
    if (constant === undefined || constant.data.length !== length) throw unread(node, `whose bias is not ${length} numbers in the file`)
    return Float64Array.from(constant.data)
  }
}

/** The output of a member of an ensemble, and its share. */
interface Mean {
  readonly output: string | undefined
  readonly share: number
}

function partsOf(steps: readonly Step[]): Part[] {
  return steps.flatMap(({ part }) => (part === null ? [] : [part]))
}

/** Parts that already became a layer. If members of ensembles could share parts at many depths, a small file could ask for any number of layers. */
const made = new WeakSet<Part>()

/** A dense layer takes the activation that follows it. */
function modelOf(parts: readonly Part[], options: Options): Sequential {
  const layers: Module[] = []
  parts.forEach((part, i) => {
    if (made.has(part)) throw rangeError('members of ensembles share layers: only members of their own can be read')
    made.add(part)
    const [before, next] = [parts[i - 1], parts[i + 1]]
    if ('weight' in part) layers.push(denseOf(part, next && 'activation' in next ? next.activation : 'linear'))
    else if ('make' in part) layers.push(part.make(options))
    else if (before === undefined || !('weight' in before)) layers.push(new Activation(part.activation))
  })
  return new Sequential(layers.length > 0 ? layers : [new Activation('linear')], options)
}

/** Numbers of a file rounded to float32 are this near. */
function isNear(a: number, b: number): boolean {
  return Math.abs(a - b) < 1e-6
}

function fill(values: ArrayLike<number>): (parameter: Parameter) => void {
  return (parameter) => parameter.view().set(values)
}

function denseOf({ weight, inputs, outputs, bias }: DensePart, activation: ActivationName): Dense {
  return new Dense(inputs, outputs, {
    activation,
    bias: bias !== null,
    weightInitializer: fill(weight),
    ...(bias && { biasInitializer: fill(bias) }),
  })
}

/** A layer with these numbers in its parameters and buffers. */
function filled<M extends Module>(layer: M, values: Readonly<Record<string, ArrayLike<number>>>): M {
  layer.build()
  const own = layer as unknown as Record<string, Parameter>
  for (const [name, numbers] of Object.entries(values)) own[name].view().set(numbers)
  return layer
}
