/** Tables that are larger than memory: the encoding of their columns, and shuffled rows, part by part. */
import { rangeError, typeError } from '../../common/errors.js'
import { count, readOptions, type Schema, seed } from '../../common/options.js'
import { RandomStream } from '../../common/random-stream.js'
import { show } from '../../common/show.js'
import { encoderOf, type TableEncoder } from './encoder.js'
import { TableLearner } from './learn.js'
import type { TableOptions } from './options.js'
import type { TableReport } from './report.js'
import { MAX_OF_STREAM } from './stats.js'
import { numbered, type Row } from './values.js'

/** Rows that come part by part, as {@link streamTable} gives them. */
export type RowStream = AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>

/**
 * The encoder of {@link fromTable}, for rows that come part by part and need not fit into memory together: one pass over them. If a column has more
 * than 131,072 numbers, medians and quartiles come from a random sample. `encoder.dataset(rows)` then makes data sets of parts.
 *
 * @example
 * const file = new Blob(['x,kind\n1,a\n2,b\n3,b\n'])
 * const encoder = await encoderFromStream(streamTable(file), { target: 'kind', scale: 'minMax' })
 * encoder.encode([{ x: 2 }]) // Float32Array.of(0.5)
 * encoder.report.rows // 3
 * @throws as fromTable does
 */
export async function encoderFromStream(parts: RowStream, options: TableOptions): Promise<TableEncoder & { readonly report: TableReport }> {
  checkStream('encoderFromStream', parts)
  let learner: TableLearner | undefined
  let count = 0
  for await (const rows of parts) {
    const all = numbered('encoderFromStream', rows, count)
    if (all.length === 0) continue
    learner ??= new TableLearner(all[0][1], options, MAX_OF_STREAM)
    learner.add(all)
    count += all.length
  }
  if (learner === undefined) throw rangeError('encoderFromStream: there are no rows')
  const { encoder, report } = learner.finish()
  return { ...encoderOf(encoder, report), report }
}

/** Options of {@link shuffleStream}. */
export interface ShuffleOptions {
  /** Rows of each part. Default 10,000. */
  rows?: number
  /** Rows that are kept to draw from: the more, the better they are mixed. Default ten times as many as a part has. */
  buffer?: number
  /** The same seed gives the same order. Default 0. */
  seed?: number
}

export const SHUFFLE = {
  rows: { is: count, default: 10_000 },
  buffer: { is: count },
  seed: { is: seed, default: 0 },
} satisfies Schema<ShuffleOptions>

/**
 * Rows of a stream in parts of one size (the last is shorter), drawn at random from a buffer of the next ones. Sorted files, such as class after
 * class, need a buffer of about all rows, or one shuffle on disk.
 *
 * @example
 * const sizes: number[] = []
 * for await (const rows of shuffleStream([[{ x: 1 }, { x: 2 }, { x: 3 }]], { rows: 2, seed: 1 })) sizes.push(rows.length)
 * sizes // [2, 1]
 * @throws RangeError for numbers of rows below 1
 */
export async function* shuffleStream(parts: RowStream, options: ShuffleOptions = {}): AsyncGenerator<Row[], void, void> {
  checkStream('shuffleStream', parts)
  const { rows: size, seed, ...given } = readOptions('shuffleStream', options, SHUFFLE)
  const { buffer = 10 * size } = given
  const random = new RandomStream(seed)
  const kept: Row[] = []
  let part: Row[] = []
  /** Takes one at random; the last one fills its place. */
  const draw = () => {
    const place = Math.floor(random.uniform() * kept.length)
    part.push(kept[place])
    const last = kept.pop() as Row
    if (place < kept.length) kept[place] = last
  }
  for await (const rows of parts) {
    for (const row of rows) {
      kept.push(row)
      if (kept.length > buffer) draw()
      if (part.length === size) {
        yield part
        part = []
      }
    }
  }
  while (kept.length > 0) {
    draw()
    if (part.length === size) {
      yield part
      part = []
    }
  }
  if (part.length > 0) yield part
}

function checkStream(who: string, parts: RowStream): void {
  const of = (symbol: symbol) => typeof (parts as never)?.[symbol] === 'function'
  if (typeof parts !== 'object' || !(of(Symbol.asyncIterator) || of(Symbol.iterator)))
    throw typeError(`${who}: wants parts of rows, as streamTable gives them, got ${show(parts)}`)
}
