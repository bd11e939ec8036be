/** Sources of rows: opened, read item by item, opened again where they fail, always at a known row. */
import { ENCODED, type Encodable, EncodedRows } from '../common/encoded-rows.js'
import { plainError, rangeError, typeError } from '../common/errors.js'
import { isFunction, type Kind } from '../common/options.js'
import { show } from '../common/show.js'
import type { TensorLike } from '../index.js'

/** Rows as numbers: a batch as `fit` takes it, or a single row, whose target is one number. */
export interface StreamBatch {
  /** Inputs of the rows, [n, …]; of a single row, […]. */
  inputs: TensorLike
  /** Shape of the inputs, if they are one flat array. */
  shape?: readonly number[]
  /** An entry or row per row of inputs; one number for a single row. */
  targets: TensorLike
  /** A factor per row on its loss. */
  weights?: TensorLike | undefined
  /**
   * True if rows of other batches may have another shape, such as sequences of another length: neighbors of one shape are a window, in which they are
   * mixed. Default false: another shape is an error.
   */
  ragged?: boolean
}

/** One item of a stream: rows of a table, one such row, or numbers. */
export type StreamItem = readonly object[] | object | StreamBatch

/** Items one after the other. */
export type StreamItems = AsyncIterable<StreamItem> | Iterable<StreamItem>

/** The place at which a source is opened. */
export interface StreamPlace {
  /** Passes over the source before this one. */
  pass: number
  /** Rows of this pass before the next one. */
  row: number
}

/**
 * Rows of a training. A function opens the source anew, for each pass, after a failure and where a training is resumed. Anything else is read once, as
 * it comes.
 */
export type StreamData = StreamItems | ((place: StreamPlace) => StreamItems | Promise<StreamItems>)

/** @internal {@link StreamData} as an option. */
export const STREAM_DATA: Kind = {
  wants: 'rows that come one after the other, as streamTable gives them, or a function',
  fits: (data) => isFunction(data) || areItems(data),
  remedy: (data) => (typeof data === 'string' ? '; streamTable reads a file' : ''),
}

/** How a source is read. */
export interface SourceOptions {
  /** Times that a source is opened again after it failed, without a row in between. */
  retries: number
  /** Seconds to wait for an item. */
  stallTime: number
  /** True if the function opens the source at the row that it is asked for. */
  seeks: boolean
  signal: AbortSignal
  /** True if items are rows of a table, whatever their columns are called. */
  areTables: boolean
  /** Encodes rows of a table where their source can. */
  encodes?: ((source: Encodable) => StreamItems) | undefined
}

/** Part of a source: an item, of which the first `skip` rows were read before. */
export interface SourcePart {
  item: StreamItem
  rows: number
  skip: number
  /** Number of the first row that was not read before, in its pass. */
  row: number
}

/** First wait before a source is opened again, in milliseconds; each further wait is twice as long. */
const FIRST_WAIT = 250

type AnyIterator = AsyncIterator<StreamItem> | Iterator<StreamItem>

/** @internal The items of a source, with the number of the row that comes next. */
export class Source {
  pass = 0
  /** Rows of this pass that were handed out. */
  row = 0
  /** Times that the source was opened again after a failure. */
  reopened = 0
  private items: AnyIterator | null = null
  /** Rows that the open iterator has given and that were handed out before. */
  private toSkip = 0
  private isOver = false
  /** True while an item is awaited. */
  private isWaiting = false

  constructor(
    private readonly data: StreamData,
    private readonly options: SourceOptions,
  ) {}

  /** True if the source can be opened again. */
  get repeats(): boolean {
    return typeof this.data === 'function'
  }

  /** Goes to a row: of a source that cannot be opened again, only the count changes. */
  async moveTo({ pass, row }: StreamPlace): Promise<void> {
    if (this.repeats) await this.close()
    this.pass = pass
    this.row = row
  }

  /** Goes to the next pass. @returns false if there is none */
  nextPass(): boolean {
    if (!this.repeats) return false
    this.pass++
    this.row = 0
    return true
  }

  /** The next item that has rows; null at the end of the pass. @throws Error naming the row at which the source failed */
  async next(): Promise<SourcePart | null> {
    for (let failures = 0; ; ) {
      try {
        const part = await this.read()
        if (part === null) this.items = null
        else this.row = part.row + part.rows - part.skip
        return part
      } catch (cause) {
        this.leave()
        if (cause instanceof Failure) throw cause.error
        if (!this.repeats || failures === this.options.retries) throw this.failed(cause, failures)
        await this.within(new Promise((resolve) => setTimeout(resolve, FIRST_WAIT * 2 ** failures++)), Number.POSITIVE_INFINITY)
        this.reopened++
      }
    }
  }

  /** Closes the source, if it is open. */
  async close(): Promise<void> {
    const { items } = this
    this.items = null
    const closed = items?.return?.()
    // a generator that waits for its next item ends only afterwards, which may be never
    if (this.isWaiting) void Promise.resolve(closed).catch(() => {})
    else await closed
  }

  /** Closes the source without waiting: it may never answer. */
  private leave(): void {
    this.close().catch(() => {})
  }

  private async read(): Promise<SourcePart | null> {
    this.items ??= await this.open()
    if (this.items === null) return null
    for (;;) {
      this.isWaiting = true
      const { value, done } = await this.within(this.items.next(), this.options.stallTime)
      this.isWaiting = false
      if (done) {
        if (this.toSkip > 0) throw new Failure(this.shorter())
        return null
      }
      const rows = this.counted(value)
      const skip = Math.min(this.toSkip, rows)
      this.toSkip -= skip
      if (rows > skip) return { item: value, rows, skip, row: this.row }
    }
  }

  private counted(item: StreamItem): number {
    try {
      return rowsOf('fitStream', item, this.row, this.options.areTables)
    } catch (error) {
      throw new Failure(error)
    }
  }

  private async open(): Promise<AnyIterator | null> {
    const { data, pass, row, options } = this
    if (typeof data !== 'function') {
      if (this.isOver) return null
      this.isOver = true
      return this.iteratorOf(data)
    }
    const opened = await this.within(Promise.resolve(data({ pass, row })), options.stallTime)
    if (!areItems(opened))
      throw new Failure(typeError(`fitStream: data wants a function that returns rows one after the other, got ${show(opened)}`))
    this.toSkip = options.seeks ? 0 : row
    return this.iteratorOf(opened)
  }

  private iteratorOf(items: StreamItems): AnyIterator {
    const { encodes } = this.options
    const own = encodes !== undefined && ENCODED in items ? encodes(items as StreamItems & Encodable) : items
    return Symbol.asyncIterator in own ? own[Symbol.asyncIterator]() : own[Symbol.iterator]()
  }

  /** A promise that may not take longer. @throws Error if it does, or if training is stopped meanwhile */
  private within<T>(promise: T | PromiseLike<T>, seconds: number): Promise<T> {
    const { signal } = this.options
    return new Promise((resolve, reject) => {
      const timer = Number.isFinite(seconds)
        ? setTimeout(() => end(() => reject(plainError(`nothing came for ${seconds} s`))), seconds * 1000)
        : undefined
      const stop = () => end(() => reject(new Failure(signal.reason)))
      const end = (settle: () => void) => {
        clearTimeout(timer)
        signal.removeEventListener('abort', stop)
        settle()
      }
      if (signal.aborted) return stop()
      signal.addEventListener('abort', stop)
      Promise.resolve(promise).then(
        (value) => end(() => resolve(value)),
        (error) => end(() => reject(error)),
      )
    })
  }

  private failed(cause: unknown, failures: number): Error {
    const why = cause instanceof Error ? cause.message : String(cause)
    const tries = failures > 0 ? `, also when it was opened again ${failures === 1 ? 'once' : `${failures} times`}` : ''
    const remedy = this.repeats
      ? failures === 0
        ? 'retries: 3 opens it again at this row'
        : 'resume goes on here later'
      : 'give data as a function that opens it anew, and retries'
    return plainError(`fitStream: the source failed after ${this.place}${tries}: ${why}; ${remedy}`, { cause })
  }

  private shorter(): Error {
    return rangeError(
      `fitStream: the source ended before ${this.place}, where it was left; data wants a function that gives the same rows each time` +
        ` (with seeks: true, those from place.row on)`,
    )
  }

  private get place(): string {
    return `row ${this.row}${this.pass > 0 ? ` of pass ${this.pass + 1}` : ''}`
  }
}

/** An error that opening the source again does not mend. */
class Failure {
  constructor(readonly error: unknown) {}
}

/** True for anything that has an iterator. It is not asked for one, which would lock a ReadableStream. */
function areItems(items: unknown): items is StreamItems {
  if (typeof items !== 'object' || items === null) return false
  const { [Symbol.asyncIterator]: later, [Symbol.iterator]: now } = items as Partial<AsyncIterable<StreamItem> & Iterable<StreamItem>>
  return typeof later === 'function' || typeof now === 'function'
}

/** @internal the number of rows of an item. @throws TypeError for anything but an object */
export function rowsOf(who: string, item: StreamItem, row: number, areTables: boolean): number {
  if (Array.isArray(item)) return item.length
  if (item instanceof EncodedRows) return item.count
  if (typeof item !== 'object' || item === null) throw typeError(`${who}: row ${row} wants an object, got ${show(item)}`)
  const { targets } = item as Partial<StreamBatch>
  if (areTables || typeof targets !== 'object' || targets === null) return 1
  return (targets as { shape?: readonly number[] }).shape?.[0] ?? (targets as ArrayLike<number>).length ?? 1
}
