/**
 * A check of the lengths in Arrow's metadata. apache-arrow believes them: it makes as many objects as a file of a few kB names, up to 2³¹.
 *
 * The description of a message is a FlatBuffer. A table in it begins with its distance from a list of 16-bit offsets, which has an entry for each
 * field: the first at byte 4, the second at byte 6. https://arrow.apache.org/docs/format/Columnar.html (File.fbs, Message.fbs, Schema.fbs)
 */
import { rangeError } from '../../common/errors.js'

/** Entries of the fields that are read here. */
const FOOTER = { schema: 6, dictionaries: 8, batches: 10, metadata: 12 }
const MESSAGE = { headerType: 6, header: 8, bodyLength: 10, metadata: 12 }
const SCHEMA = { columns: 6, metadata: 8 }
const COLUMN = { name: 4, columns: 14, metadata: 16 }
const DICTIONARY = { data: 6 }
const BATCH = { nodes: 6, buffers: 8, variadicCounts: 12 }
const KEY_VALUE = { key: 4, value: 6 }

/** Types of headers. */
const [SCHEMA_TYPE, DICTIONARY_TYPE, BATCH_TYPE] = [1, 2, 3]
/** In front of the length of a message, since version 0.15. */
const CONTINUATION = -1
const MAGIC = 'ARROW1'
/** Bytes behind the footer of a file: its length and the magic number. */
const TAIL = 4 + MAGIC.length
/** Bytes of the place of a table, and of structures: the place of a message in a file, a column's length, a column's bytes. */
const [OFFSET, BLOCK, NODE, BUFFER, COUNT] = [4, 24, 16, 16, 8]
/** Parts of a FlatBuffer may be shared; more parts than this many times its bytes are an attack. */
const MAX_SHARED = 8

/**
 * @internal checks the descriptions of a file or a stream
 * @throws RangeError for vectors and texts that are longer than their description, for messages that overlap, and for offsets outside of a description
 */
export function checkLengths(bytes: Uint8Array): void {
  if (String.fromCharCode(...bytes.subarray(0, MAGIC.length)) === MAGIC) checkFile(bytes)
  else for (let at = 0; at < bytes.length; ) at = checkMessage(bytes, at).end
}

/** A file ends with a footer, which has the columns and the places of the messages. */
function checkFile(bytes: Uint8Array): void {
  const end = bytes.length - TAIL
  const buffer = new FlatBuffer(bytes.subarray(Math.max(0, end - int32(viewOf(bytes), end)), end))
  const footer = buffer.target(0)
  checkSchema(buffer, buffer.tableOf(footer, FOOTER.schema))
  checkMetadata(buffer, footer, FOOTER.metadata)
  let described = 0
  const check = (blocks: number, type: number) => {
    for (const block of buffer.vector(footer, blocks, BLOCK)) {
      const message = checkMessage(bytes, int64(buffer.view, block))
      // apache-arrow would look for a message of this type at the same place for ever
      if (message.type !== type) throw rangeError('one of its messages is not of the type that its footer says')
      described += message.length
      if (described > bytes.length) throw rangeError('its messages overlap')
    }
  }
  check(FOOTER.dictionaries, DICTIONARY_TYPE)
  check(FOOTER.batches, BATCH_TYPE)
}

/** Checks the message at a place. @returns its type, the length of its description and the end of its body */
function checkMessage(bytes: Uint8Array, place: number): { type?: number; length: number; end: number } {
  const last = { length: 0, end: bytes.length }
  const view = viewOf(bytes)
  if (place + 8 > bytes.length) return last
  const start = place + (int32(view, place) === CONTINUATION ? 8 : 4)
  const length = int32(view, start - 4)
  // the end of a stream; if bytes are missing, apache-arrow says so
  if (length <= 0 || start + length > bytes.length) return last

  const buffer = new FlatBuffer(bytes.subarray(start, start + length))
  const message = buffer.target(0)
  const type = buffer.numberIn(message, MESSAGE.headerType, uint8)
  const header = buffer.tableOf(message, MESSAGE.header)
  if (type === SCHEMA_TYPE) checkSchema(buffer, header)
  if (type === BATCH_TYPE) checkBatch(buffer, header)
  if (type === DICTIONARY_TYPE && header !== undefined) checkBatch(buffer, buffer.tableOf(header, DICTIONARY.data))
  checkMetadata(buffer, message, MESSAGE.metadata)
  const body = buffer.numberIn(message, MESSAGE.bodyLength, int64) ?? 0
  return { type, length, end: start + length + Math.max(0, body) }
}

function checkSchema(buffer: FlatBuffer, schema: number | undefined): void {
  if (schema === undefined) return
  checkColumns(buffer, schema, SCHEMA.columns)
  checkMetadata(buffer, schema, SCHEMA.metadata)
}

/** Checks columns and the columns within them. */
function checkColumns(buffer: FlatBuffer, table: number, entry: number): void {
  for (const place of buffer.vector(table, entry, OFFSET)) {
    const column = buffer.target(place)
    buffer.checkText(column, COLUMN.name)
    checkMetadata(buffer, column, COLUMN.metadata)
    checkColumns(buffer, column, COLUMN.columns)
  }
}

function checkMetadata(buffer: FlatBuffer, table: number, entry: number): void {
  for (const place of buffer.vector(table, entry, OFFSET)) {
    const pair = buffer.target(place)
    buffer.checkText(pair, KEY_VALUE.key)
    buffer.checkText(pair, KEY_VALUE.value)
  }
}

function checkBatch(buffer: FlatBuffer, batch: number | undefined): void {
  if (batch === undefined) return
  buffer.vector(batch, BATCH.nodes, NODE)
  buffer.vector(batch, BATCH.buffers, BUFFER)
  buffer.vector(batch, BATCH.variadicCounts, COUNT)
}

/** The view, if it has these bytes. */
function inside(view: DataView, place: number, bytes: number): DataView {
  if (!(place >= 0 && place + bytes <= view.byteLength)) throw rangeError('it is damaged, or ends too early')
  return view
}

const uint8 = (view: DataView, place: number) => inside(view, place, 1).getUint8(place)
const uint16 = (view: DataView, place: number) => inside(view, place, 2).getUint16(place, true)
const uint32 = (view: DataView, place: number) => inside(view, place, 4).getUint32(place, true)
const int32 = (view: DataView, place: number) => inside(view, place, 4).getInt32(place, true)
const int64 = (view: DataView, place: number) => Number(inside(view, place, 8).getBigInt64(place, true))

function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength)
}

/** Reads tables; counts the bytes of all vectors and texts that were asked for. */
class FlatBuffer {
  readonly view: DataView
  private bytes = 0

  constructor(bytes: Uint8Array) {
    this.view = viewOf(bytes)
  }

  /** The place that the offset at a place points to. */
  target(place: number): number {
    return place + uint32(this.view, place)
  }

  /** The place of a table's field; undefined if the table does not have it. */
  field(table: number, entry: number): number | undefined {
    const list = table - int32(this.view, table)
    if (entry >= uint16(this.view, list)) return undefined
    const offset = uint16(this.view, list + entry)
    return offset === 0 ? undefined : table + offset
  }

  /** The number in a field of a table; undefined if the table does not have it. */
  numberIn(table: number, entry: number, read: (view: DataView, place: number) => number): number | undefined {
    const place = this.field(table, entry)
    return place === undefined ? undefined : read(this.view, place)
  }

  /** The place of a table in a field of a table. */
  tableOf(table: number, entry: number): number | undefined {
    const place = this.field(table, entry)
    return place === undefined ? undefined : this.target(place)
  }

  /** The places of the elements of a vector, none if the table does not have it. @throws RangeError if it is longer than the buffer */
  vector(table: number, entry: number, elementBytes: number): number[] {
    const vector = this.tableOf(table, entry)
    if (vector === undefined) return []
    const length = uint32(this.view, vector)
    this.count(length * elementBytes)
    return Array.from({ length }, (_, i) => vector + 4 + i * elementBytes)
  }

  checkText(table: number, entry: number): void {
    this.vector(table, entry, 1)
  }

  private count(bytes: number): void {
    this.bytes += bytes
    const { byteLength } = this.view
    if (bytes > byteLength || this.bytes > MAX_SHARED * byteLength)
      throw rangeError(`its description speaks of ${this.bytes} bytes, and has ${byteLength}`)
  }
}
