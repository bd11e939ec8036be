/** Dense nets from ONNX files, as PyTorch, Keras, scikit-learn's converters and toOnnx write them. */
import type { Backend } from '../backend/index.js'
import type { Activation as ActivationName } from '../backend/kernels.js'
import { rangeError, typeError } from '../common/errors.js'
import { checkNames } from '../common/names.js'
import { shortened, show } from '../common/show.js'
import { KINDS } from '../io/dtypes.js'
import { Activation } from '../nn/activation.js'
import { Dense } from '../nn/dense.js'
import { Flatten } from '../nn/flatten.js'
import type { Module } from '../nn/module.js'
import { Sequential } from '../nn/sequential.js'
import { bytesIn, decodeMessage, type Message, messagesOf, numbersOf, textsOf } from './protobuf.js'

/** Options of {@link fromOnnx}. */
export interface FromOnnxOptions {
  /**
   * Whether a Softmax or LogSoftmax at the end is left out: the losses and metrics of gradus take logits, and `softmax(model.predict(x))` gives the
   * probabilities. Default false: it is refused.
   */
  withoutSoftmax?: boolean
  /** Default: the backend chosen by load(). */
  backend?: Backend
}

/** A node: an operation with its attributes. */
interface Node {
  readonly type: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Message>
}

interface Constant {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

const ACTIVATIONS: Readonly<Record<string, ActivationName>> = {
  Relu: 'relu',
  LeakyRelu: 'leakyRelu',
  Sigmoid: 'sigmoid',
  Tanh: 'tanh',
  Softplus: 'softplus',
  Elu: 'elu',
  Gelu: 'gelu',
}

/** ONNX' data types that numbers of dense nets have → dtypes. */
const TYPES: Readonly<Record<number, string>> = { 1: 'F32', 11: 'F64', 10: 'F16', 16: 'BF16', 7: 'I64', 6: 'I32' }

/**
 * Layers may share weights in the file, and each has its own here. So many numbers they may have for each byte of the file, above 64 thousand:
 * a small file could ask for more than there is memory.
 */
const MAX_NUMBERS = 4

/** What changes nothing when a net predicts. */
const NOTHING = ['Identity', 'Dropout', 'Cast']

/** What is known of a dense layer while its nodes are read. */
interface Layer {
  weight: Float64Array
  inputs: number
  outputs: number
  bias: Float64Array | null
  activation: ActivationName
}

/**
 * A model from the bytes of an ONNX file: of dense layers one after the other (Gemm, or MatMul and Add), with activations, Flatten, Dropout and
 * Identity between them, as PyTorch, Keras and {@link toOnnx} export a dense net. A GELU is read as the operation Gelu of opset 20, not as the
 * several operations that stand for it before.
 *
 * @example
 * const bytes = toOnnx(new Sequential([new Dense(4, 16, { activation: 'relu' }), new Dense(16, 3)]))
 * const model = fromOnnx(bytes) // or fs.readFileSync('model.onnx')
 * model.predict(inputs).shape // [n, 3]
 * @throws RangeError naming the node that it cannot read, or saying what is damaged
 */
export function fromOnnx(file: Uint8Array | ArrayBuffer, options: FromOnnxOptions = {}): Sequential {
  checkNames('fromOnnx', options, ['withoutSoftmax', 'backend'])
  if (!(file instanceof Uint8Array || file instanceof ArrayBuffer))
    throw typeError(`fromOnnx: wants the bytes of a file, an ArrayBuffer or a Uint8Array, got ${show(file)}`)
  const { withoutSoftmax = false, backend } = options
  try {
    const reader = new GraphReader(file instanceof ArrayBuffer ? new Uint8Array(file) : file, withoutSoftmax)
    return new Sequential(reader.layers(), backend ? { backend } : {})
  } catch (cause) {
    throw rangeError(`fromOnnx: ${(cause as Error).message}`, { cause })
  }
}

class GraphReader {
  private readonly constants = new Map<string, Constant>()
  /** The nodes that take each value. */
  private readonly users = new Map<string, Node[]>()
  private readonly graph: Message
  /** Numbers that layers may still have. */
  private room: number

  constructor(
    file: Uint8Array,
    private readonly withoutSoftmax: boolean,
  ) {
    this.room = MAX_NUMBERS * file.length + 2 ** 16
    const [graph] = messagesOf(decodeMessage(file), 7)
    if (graph === undefined) throw rangeError('there is no graph in the file; is it an ONNX file?')
    this.graph = graph
    for (const initializer of messagesOf(graph, 5)) this.constants.set(textsOf(initializer, 8)[0] ?? '', constantOf(initializer))
    for (const node of messagesOf(graph, 1).map(nodeOf))
      for (const name of new Set(node.inputs)) {
        const users = this.users.get(name)
        if (users === undefined) this.users.set(name, [node])
        else users.push(node)
      }
  }

  layers(): Module[] {
    const inputs = messagesOf(this.graph, 11)
      .map((input) => textsOf(input, 1)[0] ?? '')
      .filter((name) => !this.constants.has(name))
    if (inputs.length !== 1) throw rangeError(`wants one input, the graph has ${inputs.length}`)
    const [output] = messagesOf(this.graph, 12).map((value) => textsOf(value, 1)[0] ?? '')
    const parts: (Layer | Activation | Flatten)[] = []
    let at = inputs[0]
    const met = new Set<string>()
    for (let next = this.after(at, parts); next !== undefined; next = this.after(at, parts)) {
      met.add(at)
      if (met.has(next)) throw rangeError(`the nodes go round in a circle at ${show(next)}`)
      at = next
    }
    if (at !== output) throw rangeError(`the nodes end at ${show(at)}, the output is ${show(output)}`)
    if (!parts.some((part) => 'weight' in part)) throw rangeError('there is no dense layer in the graph')
    return parts.map((part) => ('weight' in part ? denseOf(part) : part))
  }

  /** Reads the node after a value. @returns the value that it gives */
  private after(value: string, parts: (Layer | Activation | Flatten)[]): string | undefined {
    const next = this.users.get(value) ?? []
    if (next.length === 0) return undefined
    if (next.length === 2) {
      const product = siluOf(next)
      if (product !== undefined) {
        add(parts, 'silu')
        return product
      }
    }
    if (next.length > 1)
      throw rangeError(`${show(value)} goes into ${next.length} nodes: only nets whose layers follow each other can be read`)
    const [node] = next
    const [result] = node.outputs
    if (NOTHING.includes(node.type)) return result
    if (node.type === 'Flatten') {
      if (attribute(node, 'axis', 1) !== 1) throw unread(node, 'of another axis than 1')
      parts.push(new Flatten())
    } else if (node.type === 'Softmax' || node.type === 'LogSoftmax') {
      if (!this.withoutSoftmax)
        throw unread(
          node,
          'as losses take logits; { withoutSoftmax: true } leaves it out, and softmax(model.predict(x)) gives the probabilities',
        )
    } else if (node.type === 'MatMul') parts.push(this.product(node, value, false))
    else if (node.type === 'Gemm') parts.push(this.product(node, value, true))
    else if (node.type === 'Add') this.bias(node, value, parts)
    else if (Object.hasOwn(ACTIVATIONS, node.type)) add(parts, this.activation(node))
    else
      throw unread(
        node,
        `only dense nets can be read: Gemm, MatMul, Add, ${Object.keys(ACTIVATIONS).join(', ')}, Flatten, ${NOTHING.join(', ')}`,
      )
    return result
  }

  private product(node: Node, value: string, isGemm: boolean): Layer {
    const [x, name, biasName] = node.inputs
    if (x !== value) throw unread(node, 'with the input on the right')
    const weight = this.matrix(node, name)
    const isTurned = isGemm && attribute(node, 'transB', 0) !== 0
    if (isGemm && attribute(node, 'transA', 0) !== 0) throw unread(node, 'with transA')
    const [alpha, beta] = isGemm ? [float(node, 'alpha', 1), float(node, 'beta', 1)] : [1, 1]
    const [rows, columns] = weight.shape
    const [inputs, outputs] = isTurned ? [columns, rows] : [rows, columns]
    this.room -= (inputs + 1) * outputs
    if (this.room < 0) throw unread(node, 'as layers that share their weights would have far more numbers than there are in the file')
    const values = new Float64Array(inputs * outputs)
    for (let i = 0; i < inputs; i++)
      for (let j = 0; j < outputs; j++) values[i * outputs + j] = alpha * weight.data[isTurned ? j * inputs + i : i * outputs + j]
    const bias = biasName === undefined || biasName === '' ? null : this.vector(node, biasName, outputs).map((b) => beta * b)
    return { weight: values, inputs, outputs, bias, activation: 'linear' }
  }

  private bias(node: Node, value: string, parts: (Layer | Activation | Flatten)[]): void {
    const last = parts[parts.length - 1]
    if (last === undefined || !('weight' in last) || last.bias !== null || last.activation !== 'linear')
      throw unread(node, 'that follows no MatMul')
    last.bias = this.vector(node, node.inputs.find((name) => name !== value) ?? '', last.outputs)
  }

  private activation(node: Node): ActivationName {
    const slope = node.type === 'LeakyRelu' ? 0.01 : 1
    if (Math.abs(float(node, 'alpha', slope) - slope) > 1e-6)
      throw unread(node, `with alpha ${float(node, 'alpha', slope)}; gradus has ${slope}`)
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

/** What x · sigmoid(x) gives, for which x goes two ways. */
function siluOf(next: readonly Node[]): string | undefined {
  const sigmoid = next.find(({ type }) => type === 'Sigmoid')
  const product = next.find(({ type }) => type === 'Mul')
  return sigmoid && product?.inputs.includes(sigmoid.outputs[0]) ? product.outputs[0] : undefined
}

/** An activation, as an option of the dense layer before it or as a layer. */
function add(parts: (Layer | Activation | Flatten)[], activation: ActivationName): void {
  const last = parts[parts.length - 1]
  if (last !== undefined && 'weight' in last && last.activation === 'linear') last.activation = activation
  else parts.push(new Activation(activation))
}

function denseOf({ weight, inputs, outputs, bias, activation }: Layer): Dense {
  const fill =
    (values: Float64Array) =>
    (parameter: { view(): { set(values: ArrayLike<number>): void } }): void =>
      parameter.view().set(values)
  return new Dense(inputs, outputs, {
    activation,
    bias: bias !== null,
    weightInitializer: fill(weight),
    ...(bias && { biasInitializer: fill(bias) }),
  })
}

function nodeOf(message: Message): Node {
  const attributes = messagesOf(message, 5).map((attribute) => [textsOf(attribute, 1)[0] ?? '', attribute] as const)
  return { type: textsOf(message, 4)[0] ?? '', inputs: textsOf(message, 1), outputs: textsOf(message, 2), attributes: new Map(attributes) }
}

function attribute({ attributes }: Node, name: string, usual: number): number {
  const found = attributes.get(name)
  return found === undefined ? usual : (numbersOf(found, 3)[0] ?? 0)
}

function float({ attributes }: Node, name: string, usual: number): number {
  const [value] = attributes.get(name)?.get(2) ?? [usual]
  return Number(value)
}

function constantOf(message: Message): Constant {
  const name = shortened(textsOf(message, 8)[0] ?? '')
  const shape = numbersOf(message, 1)
  const [type = 0] = numbersOf(message, 2)
  const size = shape.reduce((product, n) => product * n, 1)
  if (!Object.hasOwn(TYPES, type)) throw rangeError(`'${name}' has the data type ${type}; known are ${Object.keys(TYPES).join(', ')}`)
  if (!shape.every((n) => Number.isSafeInteger(n) && n >= 0)) throw rangeError(`'${name}' has the shape ${shown(shape)}`)
  if (message.has(13)) throw rangeError(`'${name}' is in a file of its own; export with all weights in one file`)
  const [raw] = bytesIn(message, 9)
  const data = raw === undefined ? floatsOf(message) : numbersFrom(raw, TYPES[type], name)
  if (data.length !== size) throw rangeError(`'${name}' has ${data.length} numbers, its shape ${shown(shape)} wants ${size}`)
  return { shape, data }
}

function shown(shape: readonly number[]): string {
  return `[${shortened(shape.join(', '))}]`
}

function numbersFrom(raw: Uint8Array, dtype: string, name: string): ArrayLike<number> {
  const { bytes, read } = KINDS[dtype]
  if (raw.length % bytes !== 0) throw rangeError(`'${name}' has ${raw.length} bytes, which are no numbers of ${bytes}`)
  return Array.from(read(new Uint8Array(raw).buffer) as Iterable<number | bigint>, Number)
}

/** Numbers in fields of their own: packed, as every writer has it. */
function floatsOf(message: Message): number[] {
  const [floats, doubles] = [message.get(4) ?? [], message.get(10) ?? []]
  const list = (values: readonly (number | Uint8Array)[], bytes: number) =>
    values.flatMap((value) => {
      if (typeof value === 'number') return [value]
      const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
      return Array.from({ length: Math.floor(value.length / bytes) }, (_, i) =>
        bytes === 4 ? view.getFloat32(i * 4, true) : view.getFloat64(i * 8, true),
      )
    })
  return floats.length > 0 ? list(floats, 4) : doubles.length > 0 ? list(doubles, 8) : numbersOf(message, 7)
}

function unread({ type, outputs }: Node, why: string): RangeError {
  return rangeError(`${shortened(type)} ${show(outputs[0])} cannot be read, ${why}`)
}
