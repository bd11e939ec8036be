/** Readers of blocks of lines of a CSV file: in this thread, or in a worker that reads ahead. */

import { startThread, type Thread } from '../../backend/threads/start.js'
import { EncodedRows } from '../../common/encoded-rows.js'
import { plainError } from '../../common/errors.js'
import { type ColumnUse, type TableColumn, useOf, widthOf } from '../table/column.js'
import type { TableState } from '../table/encoder.js'
import { missingTest, placesOf } from '../table/values.js'
import { type BlockColumn, type BlockPlan, type BlockRows, blockReader } from './block-reader.js'

/** @internal A block, and its rows; null if it has something unusual. */
export interface ReadBlock {
  bytes: Uint8Array
  rows: EncodedRows | null
}

/** @internal */
export interface BlockReaders {
  /** Blocks that may be read at once. */
  readonly depth: number
  read(bytes: Uint8Array): Promise<ReadBlock>
  close(): void
}

/** @internal readers for the columns of a file; null for a table whose encoder wants more than numbers and categories, as they stand there */
export function blockReaders(
  columns: readonly string[],
  delimiter: string,
  quote: string,
  state: TableState,
  worker: boolean,
): BlockReaders | null {
  const plan = planOf(columns, delimiter, quote, state)
  if (plan === null) return null
  return worker ? new WorkerReaders(plan) : new LocalReaders(plan)
}

function planOf(
  columns: readonly string[],
  delimiter: string,
  quote: string,
  { target, missingValues, ...state }: TableState,
): BlockPlan | null {
  if (delimiter.length !== 1 || delimiter.charCodeAt(0) >= ASCII || quote.charCodeAt(0) >= ASCII) return null
  const own = new Map<string, BlockColumn | null>()
  let width = 0
  for (const column of state.columns) {
    own.set(column.name, blockColumn(column, width, missingValues))
    width += widthOf(column)
  }
  own.set(target.name, blockColumn(target, -1, missingValues))
  const hasAll = [...own.keys()].every((name) => columns.includes(name))
  const isKnown = [...own.values()].every((column) => column !== null)
  if (!hasAll || !isKnown || own.size !== state.columns.length + 1) return null
  return {
    delimiter: delimiter.charCodeAt(0),
    quote: quote.charCodeAt(0),
    columns: columns.map((name) => own.get(name) ?? SKIPPED),
    width,
    hasClasses: target.categories !== null,
  }
}

const ASCII = 128
const SKIPPED: BlockColumn = { kind: 'skip', at: 0, center: 0, spread: 1, fill: null, zeros: false, gaps: [], values: [] }

/** Uses of columns that a block reader knows; blocks with any other go to the encoder. */
const READ_HERE: readonly ColumnUse[] = ['number', 'category', 'ordinal', 'embedding']

/** How a column is read; null if only its encoder can. @param at first feature; −1 for the target */
function blockColumn(column: TableColumn, at: number, tableGaps: readonly string[]): BlockColumn | null {
  const { categories, written, center = 0, spread = 1, fill, drop, missingValues: gaps = tableGaps } = column
  const as = useOf(column)
  // a number may stand for a gap
  if (written !== undefined || gaps.some((text) => text.trim() !== '' && Number.isFinite(Number(text)))) return null
  if (!READ_HERE.includes(as)) return null
  if (fill !== undefined && !Number.isFinite(Math.fround((fill - center) / spread))) return null
  const fills = at >= 0 && fill !== undefined && drop !== true
  const isOneNumber = as === 'number' || as === 'ordinal'
  const filled = fills && isOneNumber ? (fill - center) / spread : null
  const shared = { at, center, spread, fill: filled, zeros: fills && !isOneNumber, gaps }
  if (categories === null) return { ...shared, kind: 'number', values: [] }
  const isGap = missingTest(gaps)
  const encoder = new TextEncoder()
  const values = [...placesOf(categories)].flatMap(([text, place]) => {
    // a gap is one, even if a category has its name
    if (isGap(text)) return []
    const [feature, value] =
      at < 0 ? [0, place] : as === 'category' ? [at + place, 1] : [at, as === 'embedding' ? place + 1 : (place - center) / spread]
    return [[encoder.encode(text), feature, value] as const]
  })
  return { ...shared, kind: 'category', values }
}

function encodedRows({ inputs, targets, count }: BlockRows, width: number): EncodedRows {
  return new EncodedRows(inputs, targets, count, width)
}

class LocalReaders implements BlockReaders {
  readonly depth = 1
  readonly #read: (bytes: Uint8Array) => BlockRows | null
  readonly #width: number

  constructor(plan: BlockPlan) {
    this.#read = blockReader(plan)
    this.#width = plan.width
  }

  async read(bytes: Uint8Array): Promise<ReadBlock> {
    const rows = this.#read(bytes)
    return { bytes, rows: rows && encodedRows(rows, this.#width) }
  }

  close(): void {}
}

/** The program of a worker, which gets a plan and a port, and answers to blocks at that port. `__name` is what some compilers add to functions. */
const programOf = () => `
const __name = (f) => f
const blockReader = ${blockReader}
const begin = ({ plan, port }) => {
  const read = blockReader(plan)
  port.onmessage = ({ data: bytes }) => {
    const rows = read(bytes)
    port.postMessage({ bytes, rows }, rows === null ? [bytes.buffer] : [bytes.buffer, rows.inputs.buffer, rows.targets.buffer])
  }
  port.postMessage(null)
  outside.postMessage(null)
}
const node = typeof require === 'function' ? require('node:worker_threads').parentPort : null
const outside = node ?? self
if (node) node.on('message', begin)
else self.onmessage = ({ data }) => begin(data)
`

/** Blocks that are read ahead: a few, so that the next ones are there when the net has learnt those before. */
const DEPTH = 4
/** A worker takes some milliseconds to start, and is worth it from this block on. */
const FIRST = 4

/** Reads in this thread, and in a worker once it runs. */
class WorkerReaders implements BlockReaders {
  readonly depth = DEPTH
  readonly #plan: BlockPlan
  readonly #local: LocalReaders
  readonly #waiting: { resolve: (read: ReadBlock) => void; reject: (reason: unknown) => void }[] = []
  #blocks = 0
  #thread: Thread | null = null
  #port: MessagePort | null = null
  #runs = false

  constructor(plan: BlockPlan) {
    this.#plan = plan
    this.#local = new LocalReaders(plan)
  }

  read(bytes: Uint8Array): Promise<ReadBlock> {
    if (this.#blocks++ === FIRST) this.#start()
    if (!this.#runs) return this.#local.read(bytes)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject })
      this.#port?.postMessage(bytes, [bytes.buffer])
    })
  }

  close(): void {
    this.#runs = false
    this.#thread?.terminate()
    this.#port?.close()
  }

  #start(): void {
    // where there is no worker, this thread goes on reading
    const failed = (reason: unknown) => {
      this.close()
      for (const { reject } of this.#waiting.splice(0)) reject(plainError(`the worker that reads the table ended: ${reason}`))
    }
    try {
      const { port1, port2 } = new MessageChannel()
      this.#port = port1
      port1.onmessage = ({ data }: { data: { bytes: Uint8Array; rows: BlockRows | null } | null }) => {
        if (data === null) this.#runs = true
        else this.#waiting.shift()?.resolve({ bytes: data.bytes, rows: data.rows && encodedRows(data.rows, this.#plan.width) })
      }
      this.#thread = startThread(programOf(), () => {}, failed)
      this.#thread.unref?.()
      this.#thread.postMessage({ plan: this.#plan, port: port2 }, [port2])
    } catch (reason) {
      failed(reason)
    }
  }
}
