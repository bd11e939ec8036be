/** The examples of a head, as they came: for nearest neighbors, for files, and to learn again. */
import { plainError } from '../common/errors.js'
import { takeRows } from '../rows/take.js'
import type { Rows } from './vectors.js'

/** Examples that say where the middle is. */
const MIDDLE = 101

/** Examples with their classes, in arrays with room at their ends. */
export class Examples {
  readonly width: number
  #count: number
  #vectors: Float32Array
  #classOf: Int32Array

  constructor({ vectors, count, width }: Rows, classOf: Int32Array) {
    this.width = width
    this.#count = count
    this.#vectors = vectors
    this.#classOf = classOf
  }

  get rows(): Rows {
    return { vectors: this.#vectors.subarray(0, this.#count * this.width), count: this.#count, width: this.width }
  }

  /** The class of each example. */
  get classOf(): Int32Array {
    return this.#classOf.subarray(0, this.#count)
  }

  /** A place amid the vectors, which a few far ones do not move: the median of each column of {@link MIDDLE} examples. */
  center(): Float64Array {
    const { width } = this
    const step = Math.ceil(this.#count / MIDDLE)
    const rows = Array.from({ length: Math.ceil(this.#count / step) }, (_, i) => i * step)
    return Float64Array.from({ length: width }, (_, j) => {
      const column = Float32Array.from(rows, (row) => this.#vectors[row * width + j]).sort()
      return column[column.length >> 1]
    })
  }

  append({ vectors, count }: Rows, classOf: Int32Array): void {
    const { width } = this
    const after = this.#count + count
    if (after > this.#classOf.length) {
      const capacity = Math.ceil(after * 1.25)
      const grown = new Float32Array(capacity * width)
      grown.set(this.rows.vectors)
      const classes = new Int32Array(capacity)
      classes.set(this.classOf)
      ;[this.#vectors, this.#classOf] = [grown, classes]
    }
    this.#vectors.set(vectors.subarray(0, count * width), this.#count * width)
    this.#classOf.set(classOf, this.#count)
    this.#count = after
  }

  /** Leaves only the first examples. */
  truncate(count: number): void {
    this.#count = count
  }

  /** A copy with some of the examples. @param classFor the new number of a class */
  filter(keeps: (row: number) => boolean, classFor: (c: number) => number): Examples {
    const { width } = this
    const kept = Array.from(this.classOf.keys()).filter(keeps)
    const vectors = takeRows(this.#vectors, kept, width)
    return new Examples({ vectors, count: kept.length, width }, takeRows(this.#classOf, kept).map(classFor))
  }

  /** The examples with the largest cosine, the first ones of equal ones. */
  nearest(x: Float32Array, count: number): { index: number; similarity: number }[] {
    const { width } = this
    const found: { index: number; similarity: number }[] = []
    const length = lengthOf(x, 0, width)
    for (let i = 0; i < this.#count; i++) {
      const from = i * width
      let dot = 0
      for (let j = 0; j < width; j++) dot += this.#vectors[from + j] * x[j]
      const similarity = dot / (length * lengthOf(this.#vectors, from, width) || 1)
      if (found.length === count && !(similarity > found[count - 1].similarity)) continue
      let at = found.length
      while (at > 0 && found[at - 1].similarity < similarity) at--
      found.splice(at, 0, { index: i, similarity })
      if (found.length > count) found.pop()
    }
    return found
  }
}

/** The examples of a head. @throws Error for a head that was saved without them */
export function presentExamples(who: string, examples: Examples | null): Examples {
  if (examples !== null) return examples
  throw plainError(`${who}: this head was saved without its examples; save it with examples: true, or train it again`)
}

/** The Euclidean length of a vector in an array. */
export function lengthOf(values: Float32Array, from: number, width: number): number {
  let sum = 0
  for (let j = 0; j < width; j++) sum += values[from + j] ** 2
  return Math.sqrt(sum)
}
