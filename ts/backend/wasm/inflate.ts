/**
 * Deflated bytes back to what they were (P. Deutsch, RFC 1951, 1996). Modules are carried as text, deflated by the build; engines that inflate
 * by themselves do so asynchronously, and the first use of the library may be synchronous.
 */

/** A Huffman code as a table. Its index is the next bits, as many as the longest code has; an entry is 16 · symbol + the length of its code. */
type Code = Uint16Array

const DAMAGED = 'a text of WebAssembly is damaged'
/** Symbols below it are bytes; those above it stand for lengths of copies. */
const END = 256
const LONGEST_COPY = 258
/** The order in which the lengths of the codes of lengths come (RFC 1951, 3.2.7). */
const ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/** Lengths or distances, symbol by symbol: what each begins at, and how many bits follow to add (RFC 1951, 3.2.5). */
function stepsOf(first: number, count: number, bitsOf: (i: number) => number) {
  const bits = Array.from({ length: count }, (_, i) => Math.max(0, bitsOf(i)))
  let start = first
  return { bits, starts: bits.map((n) => (start += 1 << n) - (1 << n)) }
}

/** The canonical code of symbols 0, 1, … with codes of so many bits; of none where the symbol is not used (RFC 1951, 3.2.2). */
function codeOf(lengths: Uint8Array): Code {
  const longest = Math.max(...lengths)
  const code: Code = new Uint16Array(1 << longest)
  for (let length = 1, next = 0; length <= longest; length++, next *= 2) {
    for (let symbol = -1; (symbol = lengths.indexOf(length, symbol + 1)) >= 0; next++) {
      // codes come with their first bit lowest; whatever bits follow, it is this symbol
      let place = 0
      for (let bit = 0; bit < length; bit++) place |= ((next >> bit) & 1) << (length - 1 - bit)
      for (; place < code.length; place += 1 << length) code[place] = 16 * symbol + length
    }
  }
  return code
}

/** What `bytes`, a raw stream without a header, hold. @throws Error where they are no such stream */
export function inflate(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const lengths = stepsOf(3, 28, (i) => (i >> 2) - 1)
  const distances = stepsOf(1, 30, (i) => (i >> 1) - 1)
  let out = new Uint8Array(8 * bytes.length)
  let size = 0
  /** The index of the next bit. */
  let at = 0

  /** The next bits, lowest first: 17 at least, and zeros behind the end. */
  function peek(): number {
    const i = at >> 3
    return (bytes[i] | (bytes[i + 1] << 8) | (bytes[i + 2] << 16)) >> (at & 7)
  }

  function bits(count: number): number {
    const value = peek() & ((1 << count) - 1)
    at += count
    return value
  }

  function symbol(code: Code): number {
    const found = code[peek() & (code.length - 1)]
    if (found === 0 || at > 8 * bytes.length) throw new Error(DAMAGED)
    at += found & 15
    return found >> 4
  }

  function room(count: number): void {
    if (size + count <= out.length) return
    const larger = new Uint8Array(2 * (size + count))
    larger.set(out)
    out = larger
  }

  function stored(): void {
    at = (at + 7) & ~7
    const count = bits(16)
    at += 16
    room(count)
    out.set(bytes.subarray(at >> 3, (at >> 3) + count), size)
    size += count
    at += 8 * count
  }

  function block(literals: Code, places: Code): void {
    for (let found = symbol(literals); found !== END; found = symbol(literals)) {
      room(LONGEST_COPY)
      if (found < END) {
        out[size++] = found
        continue
      }
      const i = found - END - 1
      const length = i === 28 ? LONGEST_COPY : lengths.starts[i] + bits(lengths.bits[i])
      const j = symbol(places)
      const distance = distances.starts[j] + bits(distances.bits[j])
      for (const end = size + length; size < end; size++) out[size] = out[size - distance]
    }
  }

  function fixed(): void {
    const literals = Uint8Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8))
    block(codeOf(literals), codeOf(new Uint8Array(30).fill(5)))
  }

  function dynamic(): void {
    const [literals, places, count] = [bits(5) + 257, bits(5) + 1, bits(4) + 4]
    const ofLengths = new Uint8Array(ORDER.length)
    for (let i = 0; i < count; i++) ofLengths[ORDER[i]] = bits(3)
    const code = codeOf(ofLengths)
    const all = new Uint8Array(literals + places)
    for (let i = 0; i < all.length; ) {
      const found = symbol(code)
      if (found < 16) {
        all[i++] = found
        continue
      }
      // 16 repeats the last length, 17 and 18 are zeros
      const times = found === 16 ? 3 + bits(2) : found === 17 ? 3 + bits(3) : 11 + bits(7)
      all.fill(found === 16 ? all[i - 1] : 0, i, (i += times))
    }
    block(codeOf(all.subarray(0, literals)), codeOf(all.subarray(literals)))
  }

  for (let isLast = 0; isLast === 0; ) {
    isLast = bits(1)
    const kind = [stored, fixed, dynamic][bits(2)]
    if (kind === undefined) throw new Error(DAMAGED)
    kind()
  }
  return out.slice(0, size)
}
