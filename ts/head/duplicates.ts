/** Rows that are nearly the same. */
import { rangeError } from '../common/errors.js'
import { type Range, readOptions, type Schema } from '../common/options.js'
import { eachOutput } from './engine.js'
import { lengthOf } from './examples.js'
import { readVectors, type Vectors } from './vectors.js'

/** Options of {@link findDuplicates}. */
export interface DuplicateOptions {
  /** Rows whose vectors have at least this cosine are duplicates, above 0 and at most 1. Default 0.98. */
  similarity?: number
}

const SIMILARITY: Range = { min: 0, openMin: true, max: 1 }
export const DUPLICATES = { similarity: { is: SIMILARITY, default: 0.98, aka: ['threshold'] } } satisfies Schema<DuplicateOptions>

/** Two rows that are nearly the same. */
export interface DuplicatePair {
  /** The earlier row. */
  first: number
  second: number
  /** Cosine of the angle between their vectors. */
  similarity: number
}

/** Rows that are compared with all later ones at a time. */
const BLOCK = 512
/** Rows in single precision may have a little less than 1 with their equals; sums of products in single precision, of very long rows, less still. */
const [ROUNDING, SUM_ROUNDING] = [1e-6, 1e-4]

/**
 * Pairs of rows that are nearly the same, the most similar first: they make held-out scores too good, and labels that contradict each other. It compares
 * all pairs: 10,000 rows of 384 numbers take some seconds.
 *
 * @example findDuplicates([[1, 0], [0, 1], [2, 0]]) // [{ first: 0, second: 2, similarity: 1 }]
 * @throws TypeError, RangeError naming the row that does not fit
 */
export function findDuplicates(vectors: Vectors, options: DuplicateOptions = {}): DuplicatePair[] {
  const { similarity } = readOptions('findDuplicates', options, DUPLICATES)
  const { vectors: values, count, width } = readVectors('findDuplicates', vectors)
  if (width === 0 && count > 0) throw rangeError('findDuplicates: row 0 wants numbers, got none')
  for (let i = 0; i < count; i++) {
    const length = lengthOf(values, i * width, width) || 1
    for (let j = i * width; j < (i + 1) * width; j++) values[j] /= length
  }
  const found: DuplicatePair[] = []
  for (let a = 0; a < count; a += BLOCK) {
    // the first rows of pairs as lines: their outputs are cosines
    const lines = values.subarray(a * width, Math.min(count, a + BLOCK) * width)
    const others = { vectors: values.subarray(a * width), count: count - a, width }
    eachOutput(others, lines, new Float32Array(lines.length / width), (cosines, row) => {
      for (let i = 0; i < cosines.length && i < row; i++) {
        if (!(cosines[i] >= similarity - SUM_ROUNDING)) continue
        const cosine = cosineOf(values, (a + i) * width, (a + row) * width, width)
        if (cosine >= similarity - ROUNDING) found.push({ first: a + i, second: a + row, similarity: Math.min(1, cosine) })
      }
    })
  }
  return found.sort((p, q) => q.similarity - p.similarity || p.first - q.first || p.second - q.second)
}

/** In double precision: 1 for equal rows, which as singles may have another length than 1. */
function cosineOf(values: Float32Array, a: number, b: number, width: number): number {
  const product = (p: number, q: number) => productOf(values, p, q, width)
  return product(a, b) / (Math.sqrt(product(a, a) * product(b, b)) || 1)
}

function productOf(values: Float32Array, a: number, b: number, width: number): number {
  let sum = 0
  for (let j = 0; j < width; j++) sum += values[a + j] * values[b + j]
  return sum
}
