/** Models as ONNX files, which onnxruntime and others run. Operations of opset 17; numbers as float32. https://onnx.ai/onnx/operators */
import type { Activation as ActivationName } from '../backend/kernels.js'
import { rangeError } from '../common/errors.js'
import { anything, readOptions, type Schema, text } from '../common/options.js'
import { checkShape, type Shape } from '../common/shape.js'
import type { Bytes } from '../io/safetensors.js'
import { Activation } from '../nn/activation.js'
import { BatchNorm } from '../nn/batch-norm.js'
import { Dense } from '../nn/dense.js'
import { Dropout } from '../nn/dropout.js'
import { EmbedColumns } from '../nn/embed-columns.js'
import { Embedding } from '../nn/embedding.js'
import { EnsembleDense } from '../nn/ensemble-dense.js'
import { type EnsembleAverage, EnsembleMean } from '../nn/ensemble-mean.js'
import { Flatten } from '../nn/flatten.js'
import { LayerNorm } from '../nn/layer-norm.js'
import { Module } from '../nn/module.js'
import { PeriodicEmbedding } from '../nn/periodic-embedding.js'
import { type BinnedColumn, PiecewiseLinearEmbedding } from '../nn/piecewise-linear-embedding.js'
import { Scale } from '../nn/scale.js'
import { Sequential } from '../nn/sequential.js'
import { Ensemble } from '../select/ensemble.js'
import { tensor } from '../tensor.js'
import type { OnnxAttributes, OnnxGraph } from './layer-exports.js'
import { exportsOf, noModel, withoutExport } from './leaves.js'
import { encodeMessage, type Field, Float } from './protobuf.js'

/** Options of {@link toOnnx}. */
export interface OnnxOptions {
  /**
   * The shape of one row of the input, such as [784] or [28, 28]. Default: the number of inputs of the first layer, or the context of a GPT; required
   * if the first layer takes any number, such as Flatten and Embedding.
   */
  inputShape?: Shape
  /** The name of the graph. Default `gradus`. */
  name?: string
}

export const TO_ONNX = { inputShape: { is: anything }, name: { is: text, default: 'gradus' } } satisfies Schema<OnnxOptions>

const IR_VERSION = 8
const OPSET = 17
/** Data types of ONNX. */
const FLOAT = 1
const INT64 = 7

/** A message from its fields by number. */
const message = (fields: Readonly<Record<number, Field[1]>>): Field[] =>
  Object.entries(fields).map(([number, value]): Field => [Number(number), value])

/** An attribute: its name, its values in the field of their type, and the number of the type. */
function attribute(name: string, value: OnnxAttributes[string]): Field {
  const [field, type] = value instanceof Float ? [2, 1] : typeof value === 'number' ? [3, 2] : typeof value === 'string' ? [4, 3] : [8, 7]
  return [5, [[1, name], ...[value].flat().map((one): Field => [field, one]), [20, type]]]
}

/**
 * A model as the bytes of an ONNX file, as it predicts: without dropout, and with the running statistics of batch normalization. The input is named
 * `input`, the output `output`, and both have any number of rows. `onnx.checker` accepts the files, and onnxruntime agrees with `predict` to about
 * six digits, for every layer.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16, { activation: 'gelu' }), new LayerNorm(16), new Dense(16, 3)])
 * const bytes = toOnnx(model) // fs.writeFileSync('model.onnx', bytes)
 * @throws TypeError naming the layer that ONNX has no operation for, such as a Lambda or a class of your own; RangeError if `inputShape` is required
 */
export function toOnnx(model: Module, options: OnnxOptions = {}): Bytes {
  if (!(model instanceof Module)) throw noModel('toOnnx', model)
  const { name, ...given } = readOptions('toOnnx', options, TO_ONNX)
  checkLayers(model)
  const { inputShape = inputOf(model) } = given
  if (inputShape === undefined)
    throw rangeError('toOnnx: wants the shape of one row of the input, { inputShape: [28, 28] }: the first layer takes any')
  checkShape(inputShape, 'toOnnx: inputShape')
  const { backend } = model
  const first = firstLayer(model)
  const takesIndices = first instanceof Embedding || (first !== undefined && exportsOf(first)?.takesIndices === true)
  const size = inputShape.reduce((product, n) => product * n, 1)
  const example = takesIndices
    ? tensor(new Int32Array(size), [1, ...inputShape], { backend })
    : tensor(new Float32Array(size), [1, ...inputShape], { backend })
  const [, ...outputShape] = model.predict(example).shape
  const graph = new Graph()
  const output = graph.layer(model, 'input', inputShape.length + 1)
  graph.node('Identity', [output], {}, 0, 'output')
  return encodeMessage([
    [1, IR_VERSION],
    [2, 'gradus'],
    [
      7,
      [
        ...graph.nodes.map((node): Field => [1, node]),
        [2, name],
        ...graph.initializers.map((initializer): Field => [5, initializer]),
        [11, valueInfo('input', takesIndices ? INT64 : FLOAT, inputShape)],
        [12, valueInfo('output', FLOAT, outputShape)],
      ],
    ],
    [8, message({ 1: '', 2: OPSET })],
  ])
}

/**
 * @throws TypeError naming the first layer without an operation, or RangeError naming an option that has none, before the user is asked for an
 *   `inputShape`, and before the model runs
 */
function checkLayers(layer: Module): void {
  const own = exportsOf(layer)
  if (Object.hasOwn(layer, 'forward') || !(own || EXPORTED.includes(layer.constructor))) throw withoutExport('toOnnx', layer)
  own?.check?.(layer)
  own?.parts?.(layer).forEach(checkLayers)
  if (layer instanceof Sequential) layer.layers.forEach(checkLayers)
  if (layer instanceof Ensemble) layer.members.forEach(checkLayers)
}

const EXPORTED: readonly unknown[] = [
  ...[Sequential, Ensemble, Dense, Activation, Dropout, Flatten],
  ...[Embedding, EmbedColumns, LayerNorm, BatchNorm],
  ...[Scale, EnsembleDense, EnsembleMean, PiecewiseLinearEmbedding, PeriodicEmbedding],
]

function firstLayer(model: Module): Module | undefined {
  if (model instanceof Ensemble) return firstLayer(model.members[0])
  if (!(model instanceof Sequential)) return model
  for (const layer of model.layers) {
    const first = firstLayer(layer)
    if (!(first instanceof Dropout || first instanceof Activation)) return first
  }
  return undefined
}

function inputOf(model: Module): Shape | undefined {
  const first = firstLayer(model)
  if (first instanceof Dense || first instanceof EnsembleDense) return [first.inputs]
  if (first instanceof EmbedColumns || first instanceof PiecewiseLinearEmbedding || first instanceof PeriodicEmbedding)
    return [first.features]
  const own = first && exportsOf(first)?.inputShape?.(first)
  if (own !== undefined) return own
  return first instanceof BatchNorm || first instanceof LayerNorm || first instanceof Scale ? [first.width] : undefined
}

/** `[rows, …]` of a type. */
function valueInfo(name: string, type: number, shape: Shape): Field[] {
  const dimensions = [message({ 2: 'rows' }), ...shape.map((n) => message({ 1: n }))]
  const tensorType = message({ 1: type, 2: dimensions.map((dimension): Field => [1, dimension]) })
  return message({ 1: name, 2: message({ 1: tensorType }) })
}

/** Nodes and constants in the order of computation. */
class Graph implements OnnxGraph {
  readonly nodes: Field[][] = []
  readonly initializers: Field[][] = []
  private readonly names = new Set<string>()
  private count = 0

  /** Adds a node. @returns the name of its output */
  node(type: string, inputs: readonly string[], attributes: OnnxAttributes = {}, place = 0, output = `${type}_${++this.count}`): string {
    const given = Object.entries(attributes).map(([name, value]) => attribute(name, value))
    // an output without a name is not computed
    const outputs = [...new Array<string>(place).fill(''), output].map((name): Field => [2, name])
    this.nodes.push([...inputs.map((input): Field => [1, input]), ...outputs, [3, `node_${output}`], [4, type], ...given])
    return output
  }

  constant(name: string, values: ArrayLike<number>, shape: Shape): string {
    return this.initializer(name, shape, FLOAT, Float32Array.from(values).buffer)
  }

  whole(name: string, values: readonly number[]): string {
    return this.initializer(name, [values.length], INT64, BigInt64Array.from(values, BigInt).buffer)
  }

  /** Adds numbers, those of a layer that a model runs twice once: names are unique in ONNX. */
  private initializer(name: string, shape: Shape, type: number, data: ArrayBuffer): string {
    if (this.names.has(name)) return name
    this.names.add(name)
    this.initializers.push([...shape.map((n): Field => [1, n]), [2, type], [8, name], [9, new Uint8Array(data)]])
    return name
  }

  /** The output of a layer. @param rank of its input */
  layer(layer: Module, x: string, rank: number): string {
    layer.build()
    const at = layer.path === '' ? 'model' : layer.path
    switch (layer.constructor) {
      case Sequential:
        return this.layers((layer as Sequential).layers, x, rank)
      case Dense:
        return this.dense(layer as Dense, x, at)
      case Activation:
        return this.activation((layer as Activation).activation, x, at)
      case Dropout:
        return x
      case Flatten:
        return this.node('Flatten', [x], { axis: 1 })
      case Embedding: {
        const { weight, count, width } = layer as Embedding
        const index = x === 'input' ? x : this.node('Cast', [x], { to: INT64 })
        return this.node('Gather', [this.constant(`${at}.weight`, weight.data(), [count, width]), index], { axis: 0 })
      }
      case EmbedColumns:
        return this.embedColumns(layer as EmbedColumns, x, at)
      case LayerNorm: {
        const { weight, bias, width, epsilon } = layer as LayerNorm
        const [scale, shift] = [this.constant(`${at}.weight`, weight.data(), [width]), this.constant(`${at}.bias`, bias.data(), [width])]
        return this.node('LayerNormalization', [x, scale, shift], { axis: -1, epsilon: new Float(epsilon) })
      }
      case BatchNorm:
        return this.batchNorm(layer as BatchNorm, x, at)
      case Ensemble:
        return this.ensemble(layer as Ensemble, x, rank)
      case Scale: {
        const { weight, members } = layer as Scale
        const rows = members === undefined ? x : this.withMembers(x, rank)
        return this.node('Mul', [rows, this.constant(`${at}.weight`, weight.data(), weight.shape)])
      }
      case EnsembleDense:
        return this.ensembleDense(layer as EnsembleDense, this.withMembers(x, rank), at)
      case EnsembleMean:
        return this.ensembleMean((layer as EnsembleMean).average, x)
      case PiecewiseLinearEmbedding:
      case PeriodicEmbedding:
        return this.embedNumbers(layer as PiecewiseLinearEmbedding | PeriodicEmbedding, x, at)
      default: {
        const own = exportsOf(layer)
        if (own === undefined) throw withoutExport('toOnnx', layer)
        return own.onnx(layer, this, x, rank, at)
      }
    }
  }

  layers(layers: readonly Module[], x: string, rank: number): string {
    return layers.reduce((value, layer) => {
      const out = this.layer(layer, value, rank)
      rank = rankAfter(layer, rank)
      return out
    }, x)
  }

  list(values: readonly number[]): string {
    return this.whole(`list_${++this.count}`, values)
  }

  private embedColumns({ columns, others, tables }: EmbedColumns, x: string, at: string): string {
    const pick = (name: string, which: readonly number[]) => this.node('Gather', [x, this.whole(`${at}.${name}`, which)], { axis: 1 })
    const vectors = columns.map(({ feature, count, size }, i) => {
      const index = this.node('Cast', [pick(`feature.${i}`, [feature])], { to: INT64 })
      const table = this.constant(`${at}.tables.${i}.weight`, tables[i].weight.data(), [count, size])
      return this.node('Flatten', [this.node('Gather', [table, index], { axis: 0 })], { axis: 1 })
    })
    return this.node('Concat', [...(others.length > 0 ? [pick('others', others)] : []), ...vectors], { axis: 1 })
  }

  /** Rows with an axis of members in front. */
  private withMembers(x: string, rank: number): string {
    return rank === 2 ? this.node('Unsqueeze', [x, this.whole(`axes_${++this.count}`, [0])]) : x
  }

  private ensembleDense(layer: EnsembleDense, x: string, at: string): string {
    const { activation } = layer
    const constant = (name: 'weight' | 'bias' | 'inputScale' | 'outputScale') => {
      const parameter = layer[name]
      return parameter && this.constant(`${at}.${name}`, parameter.data(), parameter.shape)
    }
    const by = (type: string, value: string, factor: string | null) => (factor === null ? value : this.node(type, [value, factor]))
    const scaled = by('Mul', x, constant('inputScale'))
    const product = by('MatMul', scaled, constant('weight'))
    const sum = by('Add', by('Mul', product, constant('outputScale')), constant('bias'))
    return this.activation(activation, sum, at)
  }

  private ensembleMean(average: EnsembleAverage, x: string): string {
    if (average === 'outputs') return this.node('ReduceMean', [x], { axes: [0], keepdims: 0 })
    const axes = this.whole(`axes_${++this.count}`, [0])
    const size = this.node('Gather', [this.node('Shape', [x]), this.whole(`member_axis_${++this.count}`, [0])], { axis: 0 })
    const logCount = this.node('Log', [this.node('Cast', [size], { to: FLOAT })])
    return this.logits(average, (logs) => this.node('Sub', [this.logSum(logs(x), axes), logCount]))
  }

  /** The logits of mean probabilities. @param logMean logarithms of the mean of probabilities, whose logarithms the function gives for logits */
  private logits(average: 'softmax' | 'sigmoid', logMean: (logs: (output: string) => string) => string): string {
    if (average === 'softmax') return logMean((output) => this.node('LogSoftmax', [output], { axis: -1 }))
    const negative = (z: string) => this.node('Neg', [z])
    const yes = logMean((z) => negative(this.node('Softplus', [negative(z)])))
    const no = logMean((z) => negative(this.node('Softplus', [z])))
    return this.node('Sub', [yes, no])
  }

  /** log Σ eˣ over the first axis without overflow. */
  private logSum(x: string, axes: string): string {
    const largest = this.node('ReduceMax', [x], { axes: [0], keepdims: 1 })
    const total = this.node('ReduceSum', [this.node('Exp', [this.node('Sub', [x, largest])]), axes], { keepdims: 1 })
    return this.node('Squeeze', [this.node('Add', [this.node('Log', [total]), largest]), axes])
  }

  /** Columns of numbers as vectors behind the other columns. */
  private embedNumbers(layer: PiecewiseLinearEmbedding | PeriodicEmbedding, x: string, at: string): string {
    const { others, weights, bias } = layer
    const pick = (name: string, which: readonly number[]) => this.node('Gather', [x, this.whole(`${at}.${name}`, which)], { axis: 1 })
    const row = (name: string, values: ArrayLike<number>) => this.constant(`${at}.${name}`, values, [1, values.length])
    const pieces = (column: string, edges: readonly number[], i: number) => {
      const count = edges.length - 1
      const each = (of: (piece: number) => number) => Array.from({ length: count }, (_, piece) => of(piece))
      const starts = row(`starts.${i}`, edges.slice(0, count))
      const slopes = row(
        `slopes.${i}`,
        each((piece) => 1 / (edges[piece + 1] - edges[piece])),
      )
      const lowest = row(
        `lowest.${i}`,
        each((piece) => (piece === 0 ? Number.NEGATIVE_INFINITY : 0)),
      )
      const highest = row(
        `highest.${i}`,
        each((piece) => (piece === count - 1 ? Number.POSITIVE_INFINITY : 1)),
      )
      const share = this.node('Mul', [this.node('Sub', [column, starts]), slopes])
      return this.node('Concat', [column, this.node('Min', [this.node('Max', [share, lowest]), highest])], { axis: 1 })
    }
    const waves = ({ rates, phases, form }: PeriodicEmbedding, column: string, i: number) => {
      const angle = this.node('Mul', [column, row(`rates.${i}`, rates[i].data())])
      if (form === 'plr') return this.node('Concat', [this.node('Cos', [angle]), this.node('Sin', [angle])], { axis: 1 })
      return this.node('Cos', [this.node('Add', [angle, row(`phases.${i}`, phases[i].data())])])
    }
    const vectors = layer.columns.map((column, i) => {
      const isPeriodic = layer instanceof PeriodicEmbedding
      const values = pick(`feature.${i}`, [typeof column === 'number' ? column : column.feature])
      const terms = isPeriodic ? waves(layer, values, i) : pieces(values, (column as BinnedColumn).edges, i)
      return this.node('MatMul', [terms, this.constant(`${at}.weights.${i}`, weights[i].data(), weights[i].shape)])
    })
    const sum = this.node('Add', [this.node('Concat', vectors, { axis: 1 }), row('bias', bias.data())])
    const end = layer instanceof PeriodicEmbedding && layer.form === 'plr' ? this.node('Relu', [sum]) : sum
    return others.length > 0 ? this.node('Concat', [pick('others', others), end], { axis: 1 }) : end
  }

  private dense({ weight, bias, inputs, outputs, activation }: Dense, x: string, at: string): string {
    const product = this.node('MatMul', [x, this.constant(`${at}.weight`, weight.data(), [inputs, outputs])])
    const sum = bias === null ? product : this.node('Add', [product, this.constant(`${at}.bias`, bias.data(), [outputs])])
    return this.activation(activation, sum, at)
  }

  /** (x − mean) / √(variance + ε) · weight + bias as one product and one sum, computed in doubles. */
  private batchNorm({ weight, bias, runningMean, runningVariance, epsilon, width, activation }: BatchNorm, x: string, at: string): string {
    const [w, b, mean, variance] = [weight, bias, runningMean, runningVariance].map((t) => t.data())
    const scale = Float64Array.from({ length: width }, (_, i) => w[i] / Math.sqrt(variance[i] + epsilon))
    const shift = Float64Array.from({ length: width }, (_, i) => b[i] - mean[i] * scale[i])
    const product = this.node('Mul', [x, this.constant(`${at}.scale`, scale, [width])])
    return this.activation(activation, this.node('Add', [product, this.constant(`${at}.shift`, shift, [width])]), at)
  }

  activation(name: ActivationName, x: string, at: string): string {
    switch (name) {
      case 'linear':
        return x
      case 'relu':
        return this.node('Relu', [x])
      case 'leakyRelu':
        return this.node('LeakyRelu', [x], { alpha: new Float(0.01) })
      case 'sigmoid':
        return this.node('Sigmoid', [x])
      case 'tanh':
        return this.node('Tanh', [x])
      case 'softplus':
        return this.node('Softplus', [x])
      case 'elu':
        return this.node('Elu', [x], { alpha: new Float(1) })
      case 'selu':
        return this.node('Selu', [x])
      case 'silu':
        return this.node('Mul', [x, this.node('Sigmoid', [x])])
      case 'mish':
        // the operation Mish came with opset 18
        return this.node('Mul', [x, this.node('Tanh', [this.node('Softplus', [x])])])
      case 'gelu': {
        // x · (1 + erf(x/√2)) / 2; the operation Gelu came with opset 20
        const number = (value: number) => this.constant(`${at}.number_${++this.count}`, [value], [])
        const erf = this.node('Erf', [this.node('Mul', [x, number(Math.SQRT1_2)])])
        return this.node('Mul', [this.node('Mul', [x, number(0.5)]), this.node('Add', [erf, number(1)])])
      }
    }
  }

  private ensemble({ members, weights, average }: Ensemble, x: string, rank: number): string {
    const all = [...weights.data()]
    const sum = all.reduce((total, weight) => total + weight, 0)
    const outputs = members.map((member) => this.layer(member, x, rank))
    const number = (value: number) => this.constant(`share_${++this.count}`, [value], [])
    if (average === 'outputs') {
      const parts = outputs.map((output, i) => this.node('Mul', [output, number(all[i] / sum)]))
      return parts.reduce((total, part) => this.node('Add', [total, part]))
    }
    const logMean = (logs: (output: string) => string) => {
      const axes = this.whole(`axes_${++this.count}`, [0])
      const parts = outputs.map((output, i) =>
        this.node('Unsqueeze', [this.node('Add', [logs(output), number(Math.log(all[i] / sum))]), axes]),
      )
      const stacked = parts.length === 1 ? parts[0] : this.node('Concat', parts, { axis: 0 })
      return this.logSum(stacked, axes)
    }
    return this.logits(average, logMean)
  }
}

function rankAfter(layer: Module, rank: number): number {
  const own = exportsOf(layer)
  if (own?.rank !== undefined) return own.rank(layer, rank)
  if (layer instanceof Flatten || layer instanceof EnsembleMean || own?.channels?.(layer) === 0) return 2
  if (layer instanceof EnsembleDense || (layer instanceof Scale && layer.members !== undefined)) return 3
  return layer instanceof Embedding ? rank + 1 : rank
}
