/**
 * Reads and writes the part of protocol buffers that ONNX uses: fields of whole numbers, floats, texts, bytes and messages.
 * https://protobuf.dev/programming-guides/encoding
 */
import { rangeError } from '../common/errors.js'
import { joined } from '../common/joined.js'
import type { Bytes } from '../io/safetensors.js'

/** A field to write: its number, and a whole number, text, bytes, or a message as fields. */
export type Field = readonly [number: number, value: number | string | Uint8Array | Float | readonly Field[]]

/** A number that is written as a float of four bytes. */
export class Float {
  constructor(readonly value: number) {}
}

const [VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES] = [0, 1, 2, 5]

/** @internal a message as bytes */
export function encodeMessage(fields: readonly Field[]): Bytes {
  return joined(Uint8Array, fields.map(encodeField))
}

function encodeField([number, value]: Field): Uint8Array {
  if (typeof value === 'number') return joined(Uint8Array, [varint(number * 8 + VARINT), varint(value)])
  if (value instanceof Float) {
    const bytes = new Uint8Array(4)
    new DataView(bytes.buffer).setFloat32(0, value.value, true)
    return joined(Uint8Array, [varint(number * 8 + FOUR_BYTES), bytes])
  }
  const content =
    typeof value === 'string'
      ? new TextEncoder().encode(value)
      : value instanceof Uint8Array
        ? value
        : encodeMessage(value as readonly Field[])
  return joined(Uint8Array, [varint(number * 8 + BYTES), varint(content.length), content])
}

/** Seven bits per byte, the lowest first. Negative numbers are written as 64 bits. */
function varint(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 127n)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 128 : low)
  } while (rest > 0n)
  return Uint8Array.from(bytes)
}

/** Fields of a message by number: integers and floats as numbers, everything else as bytes. @internal */
export type Message = ReadonlyMap<number, readonly (number | Uint8Array)[]>

/** @internal reads a message of any origin. @throws RangeError for bytes that are not a message */
export function decodeMessage(bytes: Uint8Array): Message {
  const fields = new Map<number, (number | Uint8Array)[]>()
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const take = (length: number): number => {
    if (!(length <= bytes.length - at)) throw rangeError(`the file is truncated or damaged: ${length} bytes are promised at byte ${at}`)
    at += length
    return at - length
  }
  const number = (): number => {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[take(1)]
      value |= BigInt(byte & 127) << shift
      if (byte < 128) return Number(BigInt.asIntN(64, value))
    }
    throw rangeError(`the file is damaged: there is no end to the number before byte ${at}`)
  }
  while (at < bytes.length) {
    const key = number()
    const kind = key % 8
    let value: number | Uint8Array
    if (kind === VARINT) value = number()
    else if (kind === EIGHT_BYTES) value = view.getFloat64(take(8), true)
    else if (kind === FOUR_BYTES) value = view.getFloat32(take(4), true)
    else if (kind === BYTES) {
      const length = number()
      if (length < 0) throw rangeError(`the file is damaged: ${length} bytes are promised at byte ${at}`)
      const from = take(length)
      value = bytes.subarray(from, from + length)
    } else throw rangeError(`the file is damaged: there is no kind ${kind} of field, as at byte ${at}`)
    const field = Math.floor(key / 8)
    const values = fields.get(field)
    if (values === undefined) fields.set(field, [value])
    else values.push(value)
  }
  return fields
}

/** @internal the whole numbers of a field, which may be packed into bytes */
export function numbersOf(message: Message, field: number): number[] {
  return (message.get(field) ?? []).flatMap((value) => {
    if (typeof value === 'number') return [value]
    // packed numbers are read like the keys of a message's fields, without values
    const out: number[] = []
    let current = 0n
    let shift = 0n
    for (const byte of value) {
      current |= BigInt(byte & 127) << shift
      shift += 7n
      if (shift > 70n) throw rangeError('the file is damaged: there is no end to a number')
      if (byte < 128) {
        out.push(Number(BigInt.asIntN(64, current)))
        current = 0n
        shift = 0n
      }
    }
    return out
  })
}

/** @internal the messages of a field */
export function messagesOf(message: Message, field: number): Message[] {
  return bytesIn(message, field).map(decodeMessage)
}

/** @internal the texts of a field */
export function textsOf(message: Message, field: number): string[] {
  return bytesIn(message, field).map((bytes) => new TextDecoder().decode(bytes))
}

/** @internal */
export function bytesIn(message: Message, field: number): Uint8Array[] {
  return (message.get(field) ?? []).map((value) => {
    if (typeof value === 'number') throw rangeError(`the file is damaged: field ${field} is a number`)
    return value
  })
}
