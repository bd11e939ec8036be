/** The contents of ONNX files: nodes, their attributes, and numbers. */
import { rangeError } from '../common/errors.js'
import { notBytes } from '../common/not-bytes.js'
import { shortened, show } from '../common/show.js'
import { KINDS } from '../io/dtypes.js'
import { bytesIn, decodeMessage, type Message, messagesOf, numbersOf, textsOf } from './protobuf.js'

/** A node: an operation with its attributes. */
export interface Node {
  readonly type: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, Message>
}

/** Numbers of the file. */
export interface Constant {
  readonly shape: readonly number[]
  readonly data: ArrayLike<number>
}

/** The graph of a file, with one input. */
export interface Graph {
  /** Numbers by name: initializers, and outputs of Constant nodes. */
  readonly constants: ReadonlyMap<string, Constant>
  /** For each value that a node computes, that node. */
  readonly makers: ReadonlyMap<string, Node>
  /** The input that is no initializer. */
  readonly input: Message
  /** Name of the input. */
  readonly inputName: string
  /** Name of the first output. */
  readonly outputName: string
  /** Version of the operators that the file names, infinite if it names none. */
  readonly version: number
}

/**
 * The result of `make` for the graph of a file.
 * @throws TypeError for anything but bytes; RangeError beginning with `who`, also for an error in `make`
 */
export function readGraph<T>(who: string, file: Uint8Array | ArrayBuffer, make: (graph: Graph, bytes: number) => T): T {
  if (!(file instanceof Uint8Array || file instanceof ArrayBuffer)) throw notBytes(who, file)
  try {
    return make(graphIn(file instanceof ArrayBuffer ? new Uint8Array(file) : file), file.byteLength)
  } catch (cause) {
    throw rangeError(`${who}: ${(cause as Error).message}`, { cause })
  }
}

function graphIn(file: Uint8Array): Graph {
  const model = decodeMessage(file)
  const [graph] = messagesOf(model, 7)
  if (graph === undefined) throw rangeError('there is no graph in the file; is it an ONNX file?')
  const nameOf = (message: Message | undefined) => (message && textsOf(message, 1)[0]) ?? ''
  const constants = new Map(messagesOf(graph, 5).map((numbers) => [textsOf(numbers, 8)[0] ?? '', constantOf(numbers)]))
  const makers = new Map<string, Node>()
  for (const node of messagesOf(graph, 1).map(nodeOf)) {
    const [numbers] = node.type === 'Constant' ? messagesOf(node.attributes.get('value') ?? new Map(), 5) : []
    if (numbers !== undefined) constants.set(node.outputs[0] ?? '', constantOf(numbers))
    else for (const output of node.outputs) makers.set(output, node)
  }
  const inputs = messagesOf(graph, 11).filter((input) => !constants.has(nameOf(input)))
  if (inputs.length !== 1) throw rangeError(`wants one input, the graph has ${inputs.length}`)
  const operators = messagesOf(model, 8).find((set) => ['', 'ai.onnx'].includes(nameOf(set)))
  return {
    ...{ constants, makers, input: inputs[0], inputName: nameOf(inputs[0]), outputName: nameOf(messagesOf(graph, 12)[0]) },
    version: numbersOf(operators ?? new Map(), 2)[0] ?? Infinity,
  }
}

/** The data types of ONNX that occur as numbers of dense nets, with their dtypes. */
const TYPES: Readonly<Record<number, string>> = { 1: 'F32', 11: 'F64', 10: 'F16', 16: 'BF16', 7: 'I64', 6: 'I32' }

function nodeOf(message: Message): Node {
  const attributes = messagesOf(message, 5).map((attribute) => [textsOf(attribute, 1)[0] ?? '', attribute] as const)
  return { type: textsOf(message, 4)[0] ?? '', inputs: textsOf(message, 1), outputs: textsOf(message, 2), attributes: new Map(attributes) }
}

export function attribute({ attributes }: Node, name: string, usual: number): number {
  const found = attributes.get(name)
  return found === undefined ? usual : (numbersOf(found, 3)[0] ?? 0)
}

export function float({ attributes }: Node, name: string, usual: number): number {
  const [value] = attributes.get(name)?.get(2) ?? [usual]
  return Number(value)
}

export function constantOf(message: Message): Constant {
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

/** The floats of a message. They are packed, as all writers do it. */
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

export function unread({ type, outputs }: Node, why: string): RangeError {
  return rangeError(`${shortened(type)} ${show(outputs[0])} cannot be read, ${why}`)
}
