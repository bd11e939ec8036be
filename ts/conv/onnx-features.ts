/** Nets for images from ONNX files, run as they are: frozen backbones, whose features a head of one's own is trained on. */
import type { Backend } from '../backend/index.js'
import { defaultBackend } from '../backend/index.js'
import { rangeError, ShapeError, typeError } from '../common/errors.js'
import { anything, readOptions, type Schema, text } from '../common/options.js'
import { formatShape, sizeOf } from '../common/shape.js'
import { shortened, show } from '../common/show.js'
import { attribute, type Constant, constantOf, float, type Graph, type Node, readGraph, unread } from '../export/onnx-file.js'
import { bytesIn, type Message, messagesOf, numbersOf } from '../export/protobuf.js'
import { Layer } from '../nn/layer.js'
import { activate } from '../ops/activation.js'
import { add, clip, div, erf, exp, mul, neg, sqrt, sub } from '../ops/elementwise.js'
import { matmul } from '../ops/matmul.js'
import { max, mean } from '../ops/reduce.js'
import { concat, reshape, slice, transpose } from '../ops/shape.js'
import { softmax } from '../ops/softmax.js'
import { asFloats, type Tensor, tensor } from '../tensor.js'
import { convolve, convolveTransposed } from './convolve.js'
import { avgPool, maxPool } from './pool.js'
import { pad } from './resample.js'
import type { Padding } from './window.js'

/** Options of {@link fromOnnxFeatures}. */
export interface OnnxFeaturesOptions {
  /** The name of a value of the graph, such as that before the last Gemm: the result of the net. Default: the first output of the graph. */
  output?: string
  /** Default: the backend chosen by load(). */
  backend?: Backend
}

export const ONNX_FEATURES = { output: { is: text }, backend: { is: anything } } satisfies Schema<OnnxFeaturesOptions>

/** A value while the graph runs. With `isImage` its axes are [rows, channels, height, width] for the graph, and channels are last in memory. */
interface Value {
  readonly t: Tensor
  readonly isImage: boolean
}

/** Whole numbers that are computed from shapes, with a shape of their own. */
interface List {
  readonly numbers: readonly number[]
  readonly shape: readonly number[]
}

const listOf = (numbers: readonly number[], shape: readonly number[] = [numbers.length]): List => ({ numbers, shape })

/** The place in memory of each axis of an image of the graph. */
const PLACES = [0, 3, 1, 2]

/**
 * A net for images from the bytes of an ONNX file, as a frozen module: convolutions, poolings, normalizations, activations, sums, products, Concat, Reshape,
 * Gemm and MatMul, in any order, as the exporters of PyTorch and others write them. Its numbers are constants, so nothing of it is trained. It is a
 * feature extractor: compute the features of all images once, and train a head on them.
 *
 * @example
 * const net = new Sequential([new Conv2d(1, 4, 3, { activation: 'relu' }), new GlobalAvgPool()])
 * const backbone = fromOnnxFeatures(toOnnx(net, { inputShape: [8, 8, 1] })) // or fs.readFileSync('mobilenet.onnx')
 * backbone.predict(zeros([2, 8, 8, 1])).shape // [2, 4]
 * @returns a module for images [rows, height, width, channels], also where the graph has channels second
 * @throws RangeError naming the operation that it does not know, or saying what is damaged
 */
export function fromOnnxFeatures(file: Uint8Array | ArrayBuffer, options: OnnxFeaturesOptions = {}): OnnxFeatures {
  const { output, backend } = readOptions('fromOnnxFeatures', options, ONNX_FEATURES)
  return readGraph('fromOnnxFeatures', file, (graph) => new OnnxFeatures(graph, output, backend ?? defaultBackend()))
}

/** The net of {@link fromOnnxFeatures}. */
export class OnnxFeatures extends Layer {
  /** Shape of the input as the file has it: [rows, channels, height, width] or [rows, height, width, channels]; 0 for a size that is open. */
  readonly inputShape: readonly number[]
  /** True if the graph has the channels of its input second. */
  readonly channelsFirst: boolean
  /** @internal version of the operators */
  readonly version: number
  /** Nodes that the output needs, in the order of computation. */
  readonly #nodes: readonly Node[]
  readonly #constants: Graph['constants']
  readonly #tensors = new Map<string, Tensor>()
  readonly #input: string
  readonly #output: string
  readonly #backend: Backend

  /** @internal */
  constructor(graph: Graph, output: string | undefined, backend: Backend) {
    super({ backend })
    this.#backend = backend
    const { constants, makers, input, inputName, outputName, version } = graph
    this.version = version
    this.#constants = constants
    this.#input = inputName
    this.inputShape = shapeOf(input)
    if (this.inputShape.length !== 4) throw rangeError(`wants an input with 4 axes, of images; the graph has ${this.inputShape.length}`)
    this.#output = output ?? outputName
    if (!makers.has(this.#output)) throw rangeError(`no node gives ${show(this.#output)}; there are ${shown([...makers.keys()])}`)
    this.#nodes = ordered(this.#output, makers, (name) => name === this.#input || this.#constants.has(name) || name === '')
    this.channelsFirst = this.#startsWithChannels()
    for (const node of this.#nodes)
      if (!Object.hasOwn(OPERATIONS, node.type)) throw unread(node, `as it is none of ${Object.keys(OPERATIONS).join(', ')}`)
  }

  override describe(): string {
    return `OnnxFeatures(${this.#nodes.length} operations)`
  }

  /** True unless the first node turns the axes so that channels are second then, or only the last axis is as short as that of channels. */
  #startsWithChannels(): boolean {
    const first = this.#nodes.find(({ inputs }) => inputs.includes(this.#input))
    if (first?.type === 'Transpose') return numbersOf(first.attributes.get('perm') ?? new Map(), 8).join() === '0,2,3,1'
    if (first?.type === 'Conv') return true
    const [, channels, , last] = this.inputShape
    return !(last >= 1 && last <= 4 && (channels > 4 || channels === 0))
  }

  forward(input: Tensor): Tensor {
    this.build()
    const x = asFloats(input, this.#backend, 'OnnxFeatures')
    const [, a, b, c] = this.inputShape
    const wanted = this.channelsFirst ? [b, c, a] : [a, b, c]
    if (x.rank !== 4 || x.shape.slice(1).some((size, i) => wanted[i] > 0 && size !== wanted[i]))
      throw new ShapeError(
        `${this.label('OnnxFeatures')}: wants images of shape [rows, ${wanted.map((n) => (n > 0 ? n : 'any')).join(', ')}], got shape ${formatShape(x.shape)}`,
      )
    const values = new Map<string, Value | List>([[this.#input, { t: x, isImage: this.channelsFirst }]])
    for (const node of this.#nodes) values.set(node.outputs[0], OPERATIONS[node.type](new Call(node, values, this)))
    const result = values.get(this.#output)
    if (result === undefined || !('t' in result))
      throw typeError(`OnnxFeatures: ${show(this.#output)} is a list of whole numbers, and no features`)
    return result.t
  }

  /** @internal the numbers of the file with this name */
  constantOf(name: string): Constant | undefined {
    return this.#constants.get(name)
  }

  /** @internal a constant as a tensor, made once for each layout */
  tensorOf(name: string, layout: string, make: (constant: Constant) => Tensor): Tensor {
    const key = `${layout} ${name}`
    const known = this.#tensors.get(key)
    if (known !== undefined) return known
    const made = make(this.#constants.get(name) as Constant).keep()
    this.#tensors.set(key, made)
    return made
  }

  /** @internal */
  get ownBackend(): Backend {
    return this.#backend
  }
}

function shapeOf(input: Message): number[] {
  const [type] = messagesOf(input, 2)
  const [tensorType] = messagesOf(type ?? new Map(), 1)
  const [shape] = messagesOf(tensorType ?? new Map(), 2)
  return messagesOf(shape ?? new Map(), 1).map((dimension) => numbersOf(dimension, 1)[0] ?? 0)
}

const shown = (names: readonly string[]) => `${names.slice(-8).map(shortened).join(', ')}${names.length > 8 ? ' and others before' : ''}`

/** The nodes behind a value, each after those that it reads. @throws RangeError */
function ordered(output: string, makers: ReadonlyMap<string, Node>, isKnown: (name: string) => boolean): Node[] {
  const nodes: Node[] = []
  const state = new Map<Node, 'open' | 'done'>()
  const pending: { name: string; ends: boolean }[] = [{ name: output, ends: false }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { name, ends } = next
    if (isKnown(name)) continue
    const node = makers.get(name)
    if (node === undefined) throw rangeError(`no node gives ${show(name)}`)
    if (ends) {
      state.set(node, 'done')
      nodes.push(node)
      continue
    }
    if (state.get(node) === 'done') continue
    if (state.get(node) === 'open') throw rangeError(`the nodes go round in a circle at ${show(name)}`)
    state.set(node, 'open')
    if (node.outputs[0] !== name) throw unread(node, `of which ${show(name)} is another output than the first`)
    pending.push({ name, ends: true })
    for (const input of node.inputs)
      if (!isKnown(input) && state.get(makers.get(input) as Node) !== 'done') pending.push({ name: input, ends: false })
  }
  return nodes
}

/** One run of a node. */
class Call {
  constructor(
    readonly node: Node,
    private readonly values: ReadonlyMap<string, Value | List>,
    private readonly net: OnnxFeatures,
  ) {}

  fail(why: string): RangeError {
    return unread(this.node, why)
  }

  /** True if the file is older than this version of the operators. */
  isBefore(version: number): boolean {
    return this.net.version < version
  }

  number(name: string, usual: number): number {
    return attribute(this.node, name, usual)
  }

  float(name: string, usual: number): number {
    return float(this.node, name, usual)
  }

  list(name: string): number[] | undefined {
    const found = this.node.attributes.get(name)
    return found === undefined ? undefined : numbersOf(found, 8)
  }

  text(name: string): string {
    const found = this.node.attributes.get(name)
    return found === undefined ? '' : new TextDecoder().decode(bytesIn(found, 4)[0])
  }

  has(i: number): boolean {
    return (this.node.inputs[i] ?? '') !== ''
  }

  /** The input number i as computed numbers; a constant is a tensor with the axes of the file. */
  value(i: number): Value {
    const name = this.node.inputs[i] ?? ''
    const found = this.values.get(name)
    if (found !== undefined && 't' in found) return found
    if (found !== undefined) throw this.fail('with a list of whole numbers as input')
    if (this.net.constantOf(name) === undefined) throw this.fail(`without input ${i}`)
    return { t: this.net.tensorOf(name, 'plain', ({ shape, data }) => this.make(data, shape)), isImage: false }
  }

  make(data: ArrayLike<number>, shape: readonly number[]): Tensor {
    return tensor(Float64Array.from(data), shape as number[], { backend: this.net.ownBackend })
  }

  /** A constant input. */
  constant(i: number): Constant {
    const found = this.net.constantOf(this.node.inputs[i] ?? '')
    if (found === undefined) throw this.fail(`whose input ${i} is no constant of the file`)
    return found
  }

  /** A constant input as a tensor of another layout. */
  turned(i: number, layout: string, make: (constant: Constant) => Tensor): Tensor {
    this.constant(i)
    return this.net.tensorOf(this.node.inputs[i], layout, make)
  }

  /** True for a list of whole numbers that was computed from a shape, and for constants among such. */
  isNumbers(i: number): boolean {
    const name = this.node.inputs[i] ?? ''
    const found = this.values.get(name)
    return found === undefined ? (this.net.constantOf(name)?.shape.length ?? 2) < 2 : !('t' in found)
  }

  /** True for a list of whole numbers that was computed from a shape. */
  isComputed(i: number): boolean {
    const found = this.values.get(this.node.inputs[i] ?? '')
    return found !== undefined && !('t' in found)
  }

  /** An input of whole numbers: a constant, or computed from shapes. */
  numbers(i: number): readonly number[] {
    return this.listAt(i).numbers
  }

  listAt(i: number): List {
    const found = this.values.get(this.node.inputs[i] ?? '')
    if (found !== undefined && !('t' in found)) return found
    const { data, shape } = this.constant(i)
    return listOf(Array.from(data), shape)
  }

  /** Input i with channels last. @throws RangeError unless it has the four axes of images */
  image(i = 0): Tensor {
    const { t, isImage } = this.value(i)
    if (t.rank !== 4) throw this.fail(`of a value with ${t.rank} axes; images have 4`)
    return isImage ? t : (transpose(t, [0, 2, 3, 1]) as Tensor)
  }

  /** Input i with the axes in the order of the file. */
  plain(i = 0): Tensor {
    const { t, isImage } = this.value(i)
    if (!isImage) return t
    const [rows, height, width, channels] = t.shape
    return (height === 1 && width === 1 ? reshape(t, [rows, channels, 1, 1]) : transpose(t, [0, 3, 1, 2])) as Tensor
  }

  /** The shape of input i for the graph. */
  shape(i = 0): number[] {
    const { t, isImage } = this.value(i)
    return isImage ? PLACES.map((place) => t.shape[place]) : [...t.shape]
  }
}

type Operation = (call: Call) => Value | List

/** A function of each element. */
const each =
  (f: (x: Tensor, call: Call) => Tensor): Operation =>
  (call) => {
    const { t, isImage } = call.value(0)
    return { t: f(t, call), isImage }
  }

/** A function of two values that broadcast, or of two lists of whole numbers, one of them perhaps of one number. */
const binary =
  (f: (a: Tensor, b: Tensor) => Tensor, ofNumbers: (a: number, b: number) => number): Operation =>
  (call) => {
    if (call.isComputed(0) || call.isComputed(1)) {
      const [a, b] = [call.listAt(0), call.listAt(1)]
      const longer = a.numbers.length < b.numbers.length ? b : a
      const at = ({ numbers }: List, i: number) => numbers[numbers.length === 1 ? 0 : i]
      const results = longer.numbers.map((_, i) => ofNumbers(at(a, i), at(b, i)))
      if (!results.every(Number.isSafeInteger)) throw call.fail('of lists that do not fit')
      return listOf(results, longer.shape)
    }
    // before version 7 the axis said where the other value belongs
    if (call.node.attributes.has('axis')) throw call.fail('with an axis of its own')
    const [a, b] = [0, 1].map((i) => call.value(i))
    if (a.isImage === b.isImage) return { t: f(a.t, b.t), isImage: a.isImage }
    const [image, other] = a.isImage ? [0, 1] : [1, 0]
    const { t } = call.value(other)
    if (t.rank > 4) throw call.fail(`of a value with ${t.rank} axes; images have 4`)
    // [c, 1, 1] and the like get all four axes, and then channels last
    const whole = reshape(t, [...Array<number>(4 - t.rank).fill(1), ...t.shape]) as Tensor
    const last = (whole.size === whole.shape[1] ? reshape(whole, [1, 1, 1, whole.size]) : transpose(whole, [0, 2, 3, 1])) as Tensor
    const own = call.value(image).t
    return { t: a.isImage ? f(own, last) : f(last, own), isImage: true }
  }

function axisOf(call: Call, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis
  if (!(at >= 0 && at < rank)) throw call.fail(`of axis ${axis} of ${rank}`)
  return at
}

/** Largest number of pixels that a graph may add at a side: with more, a small file could ask for all memory. */
const MOST_PADDING = 1024

function checkedPads(call: Call, pads: readonly number[]): void {
  const wrong = pads.find((n) => !(Number.isInteger(n) && n >= 0 && n <= MOST_PADDING))
  if (wrong !== undefined) throw call.fail(`with padding of ${wrong}; at most ${MOST_PADDING} pixels can be`)
}

/** Padding of a window; pads of the file are all beginnings, then all ends. */
function paddingOf(call: Call): Padding {
  const automatic = call.text('auto_pad')
  if (automatic === 'SAME_UPPER') return 'same'
  if (automatic === 'SAME_LOWER') throw call.fail('with auto_pad SAME_LOWER')
  if (automatic === 'VALID') return 'valid'
  const [top = 0, left = 0, bottom = 0, right = 0] = call.list('pads') ?? []
  checkedPads(call, [top, left, bottom, right])
  return [[top, bottom], [left, right]] // biome-ignore format: one line
}

const pairOf = (call: Call, name: string) => (call.list(name) ?? [1, 1]) as [number, number]

function conv(call: Call, isTransposed: boolean): Value {
  const { shape: weightShape } = call.constant(1)
  if (weightShape.length !== 4) throw call.fail('along other directions than two')
  if (weightShape.some((n) => n === 0)) throw call.fail('without weights')
  const w = call.turned(1, 'conv', ({ shape, data }) => transpose(call.make(data, shape), [2, 3, 1, 0]) as Tensor)
  const bias = call.has(2) ? call.turned(2, 'plain', ({ shape, data }) => call.make(data, shape)) : null
  const window = { stride: pairOf(call, 'strides'), dilation: pairOf(call, 'dilations'), padding: paddingOf(call) }
  const options = { ...window, bias, groups: call.number('group', 1) }
  if (!isTransposed) return { t: convolve(call.image(), w, options, 2, 'OnnxFeatures'), isImage: true }
  if (call.list('output_shape') !== undefined) throw call.fail('with output_shape')
  const outputPadding = (call.list('output_padding') ?? [0, 0]) as [number, number]
  return { t: convolveTransposed(call.image(), w, { ...options, outputPadding }, 2, 'OnnxFeatures'), isImage: true }
}

function pool(call: Call, isMax: boolean): Value {
  if (call.number('ceil_mode', 0) !== 0) throw call.fail('with ceil_mode')
  const size = call.list('kernel_shape') as [number, number] | undefined
  if (size?.length !== 2) throw call.fail('along other directions than two')
  const window = { stride: pairOf(call, 'strides'), dilation: pairOf(call, 'dilations') }
  const padding = paddingOf(call)
  if (isMax) return { t: maxPool(call.image(), size, { ...window, padding }), isImage: true }
  const counts = call.number('count_include_pad', 0) !== 0 && padding !== 'valid'
  if (counts && padding === 'same') throw call.fail('with auto_pad SAME_UPPER and count_include_pad')
  const x = counts ? pad(call.image(), padding as [number, number][]) : call.image()
  return { t: avgPool(x, size, { ...window, padding: counts ? 'valid' : padding }), isImage: true }
}

function batchNorm(call: Call): Value {
  const { t, isImage } = call.value(0)
  const epsilon = call.float('epsilon', 1e-5)
  const [weight, bias, average, variance] = [1, 2, 3, 4].map((i) => call.constant(i).data)
  const scale = Float64Array.from(weight, (w, i) => w / Math.sqrt(variance[i] + epsilon))
  if (!isImage && t.rank !== 2) throw call.fail(`of a value with ${t.rank} axes`)
  const factors = call.turned(1, `scale of ${call.node.outputs[0]}`, () => call.make(scale, [scale.length]))
  const shifts = () => scale.map((s, i) => bias[i] - average[i] * s)
  const shift = call.turned(1, `shift of ${call.node.outputs[0]}`, () => call.make(shifts(), [scale.length]))
  return { t: add(mul(t, factors), shift) as Tensor, isImage }
}

function reduced(call: Call, f: (x: Tensor, axes: number[], keeps: boolean) => unknown): Value {
  const axes = call.has(1) ? call.numbers(1) : call.list('axes')
  const { t, isImage } = call.value(0)
  const keeps = call.number('keepdims', 1) !== 0
  const all = (axes ?? t.shape.map((_, i) => i)).map((axis) => axisOf(call, axis, t.rank))
  if (!isImage) return { t: f(t, all, keeps) as Tensor, isImage: false }
  const result = f(t, all.map((axis) => PLACES[axis]), keeps) as Tensor // biome-ignore format: one line
  if (keeps) return { t: result, isImage: true }
  const isOfPixels = all.length === 2 && all.includes(2) && all.includes(3)
  return isOfPixels ? { t: result, isImage: false } : { t: f(call.plain(), all, false) as Tensor, isImage: false }
}

function turnedAxes(call: Call): Value | List {
  if (call.isNumbers(0)) {
    const { numbers, shape } = call.listAt(0)
    if (shape.length !== 2) return listOf(numbers, shape)
    const [rows, columns] = shape
    return listOf(numbers.map((_, i) => numbers[(i % rows) * columns + Math.floor(i / rows)]), [columns, rows]) // biome-ignore format: one line
  }
  const { t, isImage } = call.value(0)
  const order = call.list('perm') ?? t.shape.map((_, i) => t.rank - 1 - i)
  const is = (wanted: readonly number[]) => order.length === 4 && order.every((axis, i) => axis === wanted[i])
  // nothing moves in memory: only the order for the graph is another
  if (!isImage && is([0, 3, 1, 2])) return { t, isImage: true }
  if (isImage && is([0, 2, 3, 1])) return { t, isImage: false }
  return { t: transpose(call.plain(), order) as Tensor, isImage: false }
}

function reshaped(call: Call): Value | List {
  const given = call.numbers(1)
  if (call.isNumbers(0)) {
    const { numbers } = call.listAt(0)
    const known = given.reduce((product, n) => (n === -1 ? product : product * n), 1)
    return listOf(numbers, given.map((n) => (n === -1 ? numbers.length / known : n))) // biome-ignore format: one line
  }
  const x = call.plain()
  return { t: reshape(x, given.map((n, i) => (n === 0 && call.number('allowzero', 0) === 0 ? (x.shape[i] ?? 0) : n))) as Tensor, isImage: false } // biome-ignore format: one line
}

function gemm(call: Call): Value {
  if (call.number('transA', 0) !== 0) throw call.fail('with transA')
  const isTurned = call.number('transB', 0) !== 0
  const w = call.turned(1, isTurned ? 'turned' : 'plain', ({ shape, data }) => {
    const own = call.make(data, shape)
    return isTurned ? (transpose(own) as Tensor) : own
  })
  const [alpha, beta] = [call.float('alpha', 1), call.float('beta', 1)]
  const product = mul(matmul(call.plain(), w) as Tensor, alpha) as Tensor
  return { t: call.has(2) ? (add(product, mul(call.value(2).t, beta) as Tensor) as Tensor) : product, isImage: false }
}

function joined(call: Call): Value | List {
  const count = call.node.inputs.length
  const isList = call.node.inputs.every((_, i) => call.isNumbers(i))
  if (isList) return listOf(call.node.inputs.flatMap((_, i) => [...call.numbers(i)]))
  const isImage = call.node.inputs.every((_, i) => call.value(i).isImage)
  const parts = Array.from({ length: count }, (_, i) => (isImage ? call.value(i).t : call.plain(i)))
  const axis = axisOf(call, call.number('axis', 1), parts[0].rank)
  return { t: concat(parts, isImage ? PLACES[axis] : axis) as Tensor, isImage }
}

function padded(call: Call): Value {
  const mode = call.text('mode') || 'constant'
  if (mode !== 'constant' && mode !== 'edge' && mode !== 'reflect') throw call.fail(`with mode ${mode}`)
  if (call.has(3)) throw call.fail('with axes')
  const pads = call.has(1) ? call.numbers(1) : (call.list('pads') ?? [])
  const value = call.has(2) ? call.numbers(2)[0] : call.float('value', 0)
  const [n0, c0, top, left, n1, c1, bottom, right] = pads
  if (pads.length !== 8 || n0 || c0 || n1 || c1) throw call.fail('of other axes than those of pixels')
  checkedPads(call, [top, left, bottom, right])
  return { t: pad(call.image(), [[top, bottom], [left, right]], { mode, ...(mode === 'constant' && { value }) }), isImage: true } // biome-ignore format: one line
}

function clipped(call: Call): Value {
  const { t, isImage } = call.value(0)
  const bound = (i: number, name: string, usual: number) => (call.has(i) ? call.numbers(i)[0] : call.float(name, usual))
  return { t: clip(t, bound(1, 'min', -Infinity), bound(2, 'max', Infinity)) as Tensor, isImage }
}

/** α and λ of selu, the defaults of Selu. */
const SELU = [1.6732632, 1.050701]

const hardSigmoid = (x: Tensor, alpha: number, beta: number) => clip(add(mul(x, alpha), beta) as Tensor, 0, 1) as Tensor

/** A part of a value along one axis, or of the first axis of a list. */
function sliced(call: Call): Value | List {
  // before version 10 they were attributes
  const given = (i: number, name: string) => (call.has(i) ? call.numbers(i) : call.list(name))
  const [starts, ends] = [given(1, 'starts'), given(2, 'ends')]
  const [axes, [step]] = [given(3, 'axes') ?? [0], given(4, 'steps') ?? [1]]
  if (starts?.length !== 1 || ends?.length !== 1 || !Number.isInteger(step) || step === 0) throw call.fail('of several axes')
  const [[start], [end]] = [starts, ends]
  const isList = call.isNumbers(0)
  const sizes = isList ? call.listAt(0).shape : call.shape()
  const axis = axisOf(call, axes[0], Math.max(1, sizes.length))
  const length = sizes[axis] ?? 0
  const clamped = (at: number, low: number, high: number) => Math.min(Math.max(at < 0 ? at + length : at, low), high)
  if (!isList) {
    if (step !== 1) throw call.fail(`with a step of ${step}`)
    const { t, isImage } = call.value(0)
    const [from, to] = [clamped(start, 0, length), clamped(end, 0, length)]
    return { t: slice(t, from, Math.max(from, to), isImage ? PLACES[axis] : axis) as Tensor, isImage }
  }
  if (axis !== 0) throw call.fail('of another axis than the first')
  const { numbers, shape } = call.listAt(0)
  const width = numbers.length / Math.max(1, length)
  const [from, to] =
    step > 0 ? [clamped(start, 0, length), clamped(end, 0, length)] : [clamped(start, -1, length - 1), clamped(end, -1, length - 1)]
  const rows: number[] = []
  for (let row = from; step > 0 ? row < to : row > to; row += step) rows.push(row)
  return listOf(rows.flatMap((row) => numbers.slice(row * width, (row + 1) * width)), [rows.length, ...shape.slice(1)]) // biome-ignore format: one line
}

/** Largest number of whole numbers in a list: shapes and paddings have few. */
const MAX_LIST = 4096

/** Shapes as lists of whole numbers, from which exporters compute the shape of a Reshape and the sides of a Pad. */
const lists: Record<string, Operation> = {
  Shape(call) {
    const shape = call.shape()
    return listOf(shape.slice(call.number('start', 0), call.number('end', shape.length)))
  },
  ConstantOfShape(call) {
    const shape = call.numbers(0)
    const count = shape.reduce((product, n) => product * n, 1)
    if (!(count >= 0 && count <= MAX_LIST)) throw call.fail(`of ${count} numbers`)
    const [value] = messagesOf(call.node.attributes.get('value') ?? new Map(), 5)
    return listOf(Array<number>(count).fill(value === undefined ? 0 : (constantOf(value).data[0] ?? 0)), shape)
  },
  Slice: sliced,
  Gather(call) {
    if (!call.isNumbers(0)) throw call.fail('of anything but a shape')
    const from = call.numbers(0)
    return listOf(call.numbers(1).map((i) => from[axisOf(call, i, from.length)]))
  },
  Unsqueeze(call) {
    if (call.isNumbers(0)) return listOf(call.numbers(0))
    const [x, axes] = [call.plain(), call.has(1) ? call.numbers(1) : (call.list('axes') ?? [])]
    const shape = [...x.shape]
    for (const axis of [...axes].map((one) => axisOf(call, one, x.rank + axes.length)).sort((a, b) => a - b)) shape.splice(axis, 0, 1)
    return { t: reshape(x, shape) as Tensor, isImage: false }
  },
}

/** The data types of floats with 32, 16 and 64 bits, and of bfloat16. */
const FLOATS: readonly number[] = [1, 10, 11, 16]

const OPERATIONS: Readonly<Record<string, Operation>> = {
  ...lists,
  Conv: (call) => conv(call, false),
  ConvTranspose: (call) => conv(call, true),
  MaxPool: (call) => pool(call, true),
  AveragePool: (call) => pool(call, false),
  GlobalAveragePool: (call) => ({ t: mean(call.image(), [1, 2], true) as Tensor, isImage: true }),
  ReduceMean: (call) => reduced(call, mean),
  ReduceMax: (call) => reduced(call, max),
  BatchNormalization: batchNorm,
  Relu: each((x) => activate(x, 'relu') as Tensor),
  LeakyRelu: each((x, call) => add(activate(x, 'relu'), mul(clip(x, -Infinity, 0), call.float('alpha', 0.01))) as Tensor),
  Sigmoid: each((x) => activate(x, 'sigmoid') as Tensor),
  Tanh: each((x) => activate(x, 'tanh') as Tensor),
  Elu: each((x, call) => {
    if (call.float('alpha', 1) !== 1) throw call.fail(`with alpha ${call.float('alpha', 1)}; gradus has 1`)
    return activate(x, 'elu') as Tensor
  }),
  Selu: each((x, call) => {
    const [alpha, gamma] = [call.float('alpha', SELU[0]), call.float('gamma', SELU[1])]
    if (Math.abs(alpha - SELU[0]) > 1e-6 || Math.abs(gamma - SELU[1]) > 1e-6)
      throw call.fail(`with alpha ${alpha} and gamma ${gamma}; gradus has ${SELU.join(' and ')}`)
    return activate(x, 'selu') as Tensor
  }),
  Mish: each((x) => activate(x, 'mish') as Tensor),
  Gelu: each((x, call) => {
    if (call.text('approximate') === 'tanh') throw call.fail('by tanh; gradus has the exact one')
    return activate(x, 'gelu') as Tensor
  }),
  Erf: each((x) => erf(x) as Tensor),
  Softplus: each((x) => activate(x, 'softplus') as Tensor),
  HardSigmoid: each((x, call) => hardSigmoid(x, call.float('alpha', 0.2), call.float('beta', 0.5))),
  HardSwish: each((x) => mul(x, hardSigmoid(x, 1 / 6, 0.5)) as Tensor),
  Clip: clipped,
  Exp: each((x) => exp(x) as Tensor),
  Sqrt: each((x) => sqrt(x) as Tensor),
  Neg: each((x) => neg(x) as Tensor),
  Identity: (call) => (call.isNumbers(0) ? call.listAt(0) : call.value(0)),
  Dropout: (call) => call.value(0),
  Cast(call) {
    if (call.isNumbers(0)) return call.listAt(0)
    if (!FLOATS.includes(call.number('to', 0))) throw call.fail('to anything but floats')
    return call.value(0)
  },
  Add: binary(
    (a, b) => add(a, b) as Tensor,
    (a, b) => a + b,
  ),
  Sub: binary(
    (a, b) => sub(a, b) as Tensor,
    (a, b) => a - b,
  ),
  Mul: binary(
    (a, b) => mul(a, b) as Tensor,
    (a, b) => a * b,
  ),
  Div: binary(
    (a, b) => div(a, b) as Tensor,
    (a, b) => Math.trunc(a / b),
  ),
  Concat: joined,
  Pad: padded,
  Transpose: turnedAxes,
  Reshape: reshaped,
  Squeeze(call) {
    const [x, axes] = [call.plain(), call.has(1) ? call.numbers(1) : call.list('axes')]
    const gone = axes?.map((axis) => axisOf(call, axis, x.rank)) ?? x.shape.flatMap((n, i) => (n === 1 ? [i] : []))
    return { t: reshape(x, x.shape.filter((_, i) => !gone.includes(i))) as Tensor, isImage: false } // biome-ignore format: one line
  },
  Flatten(call) {
    if (call.number('axis', 1) !== 1) throw call.fail('of another axis than 1')
    const x = call.plain()
    return { t: reshape(x, [x.shape[0], x.size / Math.max(1, x.shape[0])]) as Tensor, isImage: false }
  },
  Gemm: gemm,
  MatMul: (call) => ({ t: matmul(call.plain(0), call.plain(1)) as Tensor, isImage: false }),
  Softmax(call) {
    const x = call.plain()
    const isOld = call.isBefore(13)
    const axis = axisOf(call, call.number('axis', isOld ? 1 : -1), x.rank)
    // before version 13 all axes from this one on were one
    if (isOld) return { t: reshape(softmax(reshape(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])), x.shape) as Tensor, isImage: false } // biome-ignore format: one line
    if (axis !== x.rank - 1) throw call.fail('of another axis than the last')
    return { t: softmax(x) as Tensor, isImage: false }
  },
}
