/** Numbers straight from the bytes of a CSV file, for blocks of lines that have nothing unusual. */

/** @internal How the values of a column of the file are encoded. */
export interface BlockColumn {
  /** `skip`: nobody asks for the column. */
  kind: 'skip' | 'number' | 'category'
  /** First feature of the column; −1 for the target. */
  at: number
  /** A number x becomes (x − center) / spread; as a target, x − center. */
  center: number
  spread: number
  /** Feature of a gap, if gaps are filled in; null if a gap is unusual. */
  fill: number | null
  /** True if a gap of categories leaves all their features 0. */
  zeros: boolean
  /** Texts of a gap, besides blanks. */
  gaps: readonly string[]
  /** For `category`: its values, and the features that they set or the classes that they are. */
  values: readonly (readonly [bytes: Uint8Array, feature: number, value: number])[]
}

/** @internal All that a reader knows; plain data, so that a worker can be told. */
export interface BlockPlan {
  delimiter: number
  quote: number
  columns: readonly BlockColumn[]
  /** Features of a row. */
  width: number
  hasClasses: boolean
}

/** @internal Rows of a block. */
export interface BlockRows {
  inputs: Float32Array
  targets: Float32Array | Int32Array
  count: number
}

/**
 * @internal A function that reads blocks of whole lines. It returns null for a block with anything that the plan does not know, such as a quote, a line of
 * another length, or a text among numbers: then `CsvParser` and the encoder read it. Numbers have the bits that those give, and all are finite.
 *
 * The function is also the program of a worker, as text: it may use nothing from outside.
 */
export function blockReader({ delimiter, quote, columns, width, hasClasses }: BlockPlan): (bytes: Uint8Array) => BlockRows | null {
  const [SKIP, NUMBER, CATEGORY] = [0, 1, 2]
  const [NEWLINE, RETURN, POINT, MINUS, ZERO, ASCII] = [10, 13, 46, 45, 48, 128]
  const MAX_DIGITS = 15
  const TENS = Array.from({ length: MAX_DIGITS + 1 }, (_, i) => 10 ** i)
  // as numberOf of table/values.ts
  const TOO_LARGE = 2 ** 128 - 2 ** 103
  const kinds = columns.map(({ kind }) => (kind === 'skip' ? SKIP : kind === 'number' ? NUMBER : CATEGORY))
  const isGap = (text: string, { gaps }: BlockColumn) => text.trim() === '' || gaps.includes(text)
  const textOf = (bytes: Uint8Array, from: number, to: number) => {
    let text = ''
    for (let i = from; i < to; i++) {
      if (bytes[i] >= ASCII) return null
      text += String.fromCharCode(bytes[i])
    }
    return text
  }
  const hashOf = (bytes: Uint8Array, from: number, to: number) => {
    let h = 0x811c9dc5
    for (let i = from; i < to; i++) h = Math.imul(h ^ bytes[i], 0x01000193)
    return h ^ (h >>> 15)
  }
  // for each column a hash table of its categories, with places that are empty or the number of a category
  const tables = columns.map(({ values }) => {
    let size = 4
    while (size < 2 * values.length) size *= 2
    const places = new Int32Array(size).fill(-1)
    for (const [k, [own]] of values.entries()) {
      let place = hashOf(own, 0, own.length) & (size - 1)
      while (places[place] >= 0) place = (place + 1) & (size - 1)
      places[place] = k
    }
    return places
  })
  const isAt = (own: Uint8Array, bytes: Uint8Array, from: number, to: number) => {
    if (own.length !== to - from) return false
    for (let i = 0; i < own.length; i++) if (own[i] !== bytes[from + i]) return false
    return true
  }
  const categoryOf = (c: number, bytes: Uint8Array, from: number, to: number) => {
    const places = tables[c]
    const { values } = columns[c]
    const mask = places.length - 1
    for (let place = hashOf(bytes, from, to) & mask; places[place] >= 0; place = (place + 1) & mask)
      if (isAt(values[places[place]][0], bytes, from, to)) return places[place]
    return -1
  }
  return (bytes) => {
    const end = bytes.length
    if (bytes[end - 1] !== NEWLINE || bytes.includes(quote)) return null
    let capacity = 1024
    let inputs = new Float32Array(capacity * width)
    const arrayOf = (size: number) => (hasClasses ? new Int32Array(size) : new Float32Array(size))
    let targets = arrayOf(capacity)
    let count = 0
    let at = 0
    const last = columns.length - 1
    while (at < end) {
      if (count === capacity) {
        capacity = Math.ceil(Math.max(1.5 * capacity, 1.02 * count * (end / at)))
        const [before, known] = [inputs, targets]
        inputs = new Float32Array(capacity * width)
        inputs.set(before)
        targets = arrayOf(capacity)
        targets.set(known)
      }
      const row = count * width
      for (let c = 0; c <= last; c++) {
        const kind = kinds[c]
        const from = at
        let x = 0
        let isNumber = false
        if (kind === NUMBER) {
          const isNegative = bytes[at] === MINUS
          if (isNegative) at++
          let digits = 0
          let size = 0
          let point = -1
          for (; ; at++) {
            const digit = bytes[at] - ZERO
            if (digit >= 0 && digit <= 9) {
              digits = 10 * digits + digit
              size++
            } else if (digit === POINT - ZERO && point < 0) point = size
            else break
          }
          const code = bytes[at]
          if (size > 0 && size <= MAX_DIGITS && (code === delimiter || code === NEWLINE || code === RETURN)) {
            // a quotient of two numbers that are exact (Clinger 1990)
            x = point < 0 ? digits : digits / TENS[size - point]
            if (isNegative) x = -x
            isNumber = true
          }
        }
        if (!isNumber) while (bytes[at] !== delimiter && bytes[at] !== NEWLINE) at++
        let to = at
        if (c < last) {
          if (bytes[at] !== delimiter) return null
          at++
        } else {
          if (bytes[at] === RETURN) at++
          else if (!isNumber && at > from && bytes[at - 1] === RETURN) to--
          if (bytes[at] !== NEWLINE) return null
          at++
        }
        if (kind === SKIP) {
          for (let i = from; i < to; i++) if (bytes[i] >= ASCII) return null
          continue
        }
        const column = columns[c]
        if (kind === NUMBER) {
          if (!isNumber) {
            const text = textOf(bytes, from, to)
            if (text === null) return null
            if (isGap(text, column)) {
              if (column.fill === null) return null
              inputs[row + column.at] = column.fill
              continue
            }
            // usual letters of numbers: others make numbers of hexadecimal digits or Infinity, which the encoder may read
            if (!/^[-+.0-9eE]+$/.test(text)) return null
            x = Number(text)
          }
          if (!(Math.abs(x) < TOO_LARGE)) return null
          const scaled = column.at < 0 ? x - column.center : (x - column.center) / column.spread
          if (!(Math.abs(scaled) < TOO_LARGE)) return null
          if (column.at < 0) targets[count] = scaled
          else inputs[row + column.at] = scaled
          continue
        }
        const found = categoryOf(c, bytes, from, to)
        if (found >= 0) {
          const [, feature, value] = column.values[found]
          if (column.at < 0) targets[count] = value
          else inputs[row + feature] = value
          continue
        }
        const text = textOf(bytes, from, to)
        if (text === null || !isGap(text, column)) return null
        if (column.fill !== null) inputs[row + column.at] = column.fill
        else if (!column.zeros) return null
      }
      count++
    }
    return { inputs: inputs.subarray(0, count * width), targets: targets.subarray(0, count), count }
  }
}
