/**
 * What fuzzing runs: each parser of this package on bytes that anybody may have made. A target returns for an answer and for a refusal with
 * an error of ours, and throws for anything else: another error, an answer larger than its file allows, or a prototype that was changed.
 */
import { fromTable, parseIdx, type Row } from '../../ts/data/index.js'
import { decodeSafetensors, encodeSafetensors } from '../../ts/io/safetensors.js'
import { decodeState, encodeState } from '../../ts/io/state.js'

export type Target = (bytes: Uint8Array) => void

/** Errors of ours begin so; anything else is one of the engine that slipped through. */
const OURS = /^(decodeSafetensors|decodeState|IDX data|fromTable|encode)\b/

/** Memory that an answer may take beyond its file. */
const ROOM = 2 ** 20

/** Runs a parser. @param ours how its errors begin @returns its answer, or undefined where it refused. @throws Error for what should not be */
function guarded<T>(parse: () => T, ours = OURS): T | undefined {
  const answer = answerOf(parse, ours)
  if (Object.keys(Object.prototype).length > 0 || Object.keys(Array.prototype).length > 0) throw new Error('a prototype was changed')
  return answer
}

function answerOf<T>(parse: () => T, ours: RegExp): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof RangeError || error instanceof TypeError) || !ours.test(error.message) || /call stack/.test(error.message))
      throw new Error(`not an error of ours: ${String(error)}`, { cause: error })
    if (error.message.length > 1000) throw new Error(`a message of ${error.message.length} characters`)
    return undefined
  }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Answers fill the file exactly (halves twice), and come back from what is written of them. */
function safetensors(bytes: Uint8Array): void {
  const file = guarded(() => decodeSafetensors(bytes))
  if (file === undefined) return
  let size = 0
  for (const { dtype, data } of Object.values(file.tensors))
    size += dtype === 'F16' || dtype === 'BF16' ? data.byteLength / 2 : data.byteLength
  check(size <= bytes.length, `${size} bytes of numbers in a file of ${bytes.length}`)
  const names = Object.keys(file.tensors)
  if (names.includes('__metadata__')) return
  const again = decodeSafetensors(encodeSafetensors(file.tensors, file.metadata))
  check(Object.keys(again.tensors).sort().join('\0') === names.sort().join('\0'), 'names were lost')
}

/** The bytes are the skeleton of a state, around which there is a good file; or the whole file. */
function state(bytes: Uint8Array): void {
  guarded(() => decodeState(bytes))
  const text = new TextDecoder().decode(bytes)
  const tensors = { a: Float32Array.of(1, 2), 'b.0': Int32Array.of(3) }
  const value = guarded(() => decodeState(encodeSafetensors(tensors, { 'gradus-state/1': text })))
  // what came out goes in again, except a tree deeper than is written
  if (typeof value === 'object' && value !== null && !ArrayBuffer.isView(value) && !Array.isArray(value)) encodeState(value)
}

function idx(bytes: Uint8Array): void {
  const file = guarded(() => parseIdx(bytes))
  if (file === undefined) return
  check(file.data.byteLength <= bytes.length, `${file.data.byteLength} bytes of numbers in a file of ${bytes.length}`)
  check(file.shape.reduce((a, b) => a * b, 1) === file.data.length, 'the shape is not filled')
}

/** The bytes are a table: lines of cells with commas between, the first line the names of columns, the last column the target. */
function table(bytes: Uint8Array): void {
  const lines = new TextDecoder().decode(bytes.subarray(0, 4096)).split('\n').slice(0, 60)
  const names = lines[0].split(',').slice(0, 12)
  const rows: Row[] = lines.slice(1).map((line) => Object.fromEntries(line.split(',').map((cell, i) => [names[i] ?? `${i}`, cell])))
  const target = names[names.length - 1]
  const isFilled = bytes.length % 2 === 0
  const made = guarded(() => fromTable(rows, isFilled ? { target, missing: 'drop' } : { target }))
  if (made === undefined) return
  check(made.inputs.byteLength <= 4 * rows.length * (names.length + rows.length * names.length) + ROOM, 'a table of too many features')
  check(made.inputs.every(Number.isFinite) && made.targets.every(Number.isFinite), 'numbers that are not finite')
  guarded(() => made.encode(rows))
}

/**
 * A parser as a target: it answers or refuses with an error that begins as `ours` says, and the numbers of its answer take no more than
 * `times` the file and 1 MiB.
 */
export function parser(ours: RegExp, parse: (bytes: Uint8Array) => unknown, times = 1): Target {
  return (bytes) => {
    const answer = guarded(() => parse(bytes), ours)
    const size = bytesIn(answer)
    check(size <= times * bytes.length + ROOM, `${size} bytes of numbers in a file of ${bytes.length}`)
  }
}

/** Bytes of the typed arrays in an answer. */
function bytesIn(value: unknown, depth = 4): number {
  if (ArrayBuffer.isView(value)) return value.byteLength
  if (typeof value !== 'object' || value === null || depth === 0) return 0
  return Object.values(value).reduce((sum: number, part) => sum + bytesIn(part, depth - 1), 0)
}

/** By name of the parser. A new one is a line here, such as `npy: parser(/^parseNpy\b/, parseNpy)`; words of its format below help. */
export const targets: Readonly<Record<string, Target>> = {
  safetensors,
  state,
  idx,
  table,
}

/** Words of the formats, which a fuzzer would be long in finding. */
export const tokens: Readonly<Record<string, readonly string[]>> = {
  safetensors: [
    '"dtype":',
    '"shape":',
    '"data_offsets":',
    '"__metadata__":',
    '"F16"',
    '"BF16"',
    '"BOOL"',
    '{"a":',
    '[0,0]',
    '\\u0061',
    '__proto__',
    '1e99',
    '9007199254740993',
  ],
  state: [
    '{"$tensor":"a"}',
    '{"$number":"NaN"}',
    '{"$entries":[["$a",1]]}',
    '"__proto__":',
    '"constructor":',
    '[[[[',
    ']]]]',
    '{"a":',
    'null',
    '1e999',
    '-0',
  ],
  idx: ['\0\0\b\u0001', '\0\0\u000e\u0003', '\0\0\0\u0002', '\u00ff\u00ff\u00ff\u00ff'],
  table: ['\n', ',', ',\n', '1e999', 'NaN', '2020-01-01', '1,5', '__proto__', '0x10', '-Infinity', ' ', '\t', '1.000,5', 'null'],
}
