/**
 * The targets of fuzzing: each parser of this package on untrusted bytes. A target returns for an answer and for a refusal with an error of ours, and
 * throws for anything else: another error, an answer larger than its file allows, or a prototype that was changed.
 */
import { type Backend, createBackend } from '../../ts/backend/index.js'
import { fromOnnxFeatures } from '../../ts/conv/index.js'
import { encoderFromState, fromTable, parseCsv, parseIdx, parseNpy, parseNpz, type Row, type TableState } from '../../ts/data/index.js'
import { fromOnnx } from '../../ts/export/from-onnx.js'
import { toOnnx } from '../../ts/export/onnx.js'
import { decodeModelFile, encodeModel } from '../../ts/files/model-file.js'
import { Head } from '../../ts/head/head.js'
import { type HeadState, readState } from '../../ts/head/head-state.js'
import { decodeSafetensors, encodeSafetensors } from '../../ts/io/safetensors.js'
import { decodeState, encodeState } from '../../ts/io/state.js'
import { Dense } from '../../ts/nn/dense.js'
import { Sequential } from '../../ts/nn/sequential.js'
import { tableModelFrom } from '../../ts/table/model/model.js'
import { tensor } from '../../ts/tensor.js'
import { readTokenizer } from '../../ts/text/index.js'
import { checkedJob, signOf } from '../../ts/tune/queue/job.js'
import { axesOf } from '../../ts/tune/space.js'
import { entriesIn, Journal } from '../../ts/tune/storage/journal.js'
import { memoryStore } from '../../ts/tune/storage/memory.js'
import { storedSpace } from '../../ts/tune/stored-space.js'
import { recordOf } from '../../ts/tune/trial-record.js'
import { withHeader } from '../tools/model-files.js'

export type Target = (bytes: Uint8Array) => void

/** Beginnings of the errors of this package. Any other error is an error of the engine that was not anticipated. */
const OURS = /^(decodeSafetensors|decodeState|IDX data|fromTable|encode)\b/

/** Memory that a result may take in addition to the size of its file. */
const ROOM = 2 ** 20

/**
 * Runs a parser. @param ours the beginning of its errors @returns its result; undefined if it refused the input. @throws Error for any other behavior
 */
function guarded<T>(parse: () => T, ours = OURS): T | undefined {
  const { warn } = console
  // unknown values in later rows give warnings
  console.warn = () => {}
  let answer: T | undefined
  try {
    answer = answerOf(parse, ours)
  } finally {
    console.warn = warn
  }
  if (Object.keys(Object.prototype).length > 0 || Object.keys(Array.prototype).length > 0) throw new Error('a prototype was changed')
  return answer
}

function answerOf<T>(parse: () => T, ours: RegExp): T | undefined {
  try {
    return parse()
  } catch (error) {
    if (!(error instanceof Error && ours.test(error.message)) || /call stack|array length|out of memory/.test(error.message))
      throw new Error(`not an error of ours: ${String(error)}`, { cause: error })
    if (error.message.length > 1000) throw new Error(`a message of ${error.message.length} characters`)
    return undefined
  }
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Results have exactly the size of the file (twice that for 16-bit floats), and survive writing and reading. */
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
  const value = guarded(() => decodeState(withHeader(tensors, text, 'gradus-state/1')))
  // the result can be written again, except a tree that is too deep for writing
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

/** Largest number of models on one backend: memory of unused models is released between tasks, and there are none here. */
const MODELS = 500
let backend: Backend | undefined
let made = 0

/** A backend with a small heap, which is replaced after some models. */
function smallBackend(): Backend {
  if (made++ % MODELS === 0) backend = createBackend({ backend: 'js', memoryLimit: 64 * ROOM })
  return backend as Backend
}

/** Shapes of the tensors in a model file around a text that may name them. */
const TENSORS = { a: [2, 3], b: [3], c: [3], d: [3], e: [3], f: [3], g: [3, 1], h: [1], i: [1] }

/** The bytes are the skeleton of a model file. The result takes no more memory than its numbers, and is written as the same bytes again. */
function model(bytes: Uint8Array): void {
  const own = smallBackend()
  const file = withHeader(TENSORS, new TextDecoder().decode(bytes))
  const before = own.heap.usedBytes
  const read = guarded(() => decodeModelFile(file, { backend: own }), /^decodeModel: /)
  check(own.heap.usedBytes - before <= file.length + ROOM, `a model of ${own.heap.usedBytes - before} bytes in a file of ${file.length}`)
  if (read === undefined) return
  const { model, ...parts } = read
  const again = encodeModel(model, parts)
  const once = decodeModelFile(again, { backend: own })
  const { model: same, ...rest } = once
  check(Buffer.compare(encodeModel(same, rest), again) === 0, 'what was read is written as something else')
}

/** Layers may share weights, so that they have more numbers than the file, but not out of proportion. */
function onnx(bytes: Uint8Array): void {
  const own = smallBackend()
  const net = guarded(() => fromOnnx(bytes, { backend: own }), /^fromOnnx: /)
  if (net === undefined) return
  const numbers = net.parameters().reduce((sum, { size }) => sum + size, 0)
  check(numbers <= 4 * bytes.length + 2 ** 16, `${numbers} numbers in a file of ${bytes.length} bytes`)
  const again = guarded(() => fromOnnx(toOnnx(net), { backend: own }), /^(fromOnnx|toOnnx): /)
  check(again === undefined || again.parameters().length === net.parameters().length, 'what was read is written as something else')
}

/** A net for images, run on an image of zeros, if it is of few pixels. */
function onnxFeatures(bytes: Uint8Array): void {
  const net = guarded(() => fromOnnxFeatures(bytes, { backend: smallBackend() }), /^fromOnnxFeatures: /)
  if (net === undefined) return
  const [, a, b, c] = net.inputShape.map((n) => (n === 0 ? 2 : n))
  if (a * b * c > 1000) return
  const image = new Float32Array(a * b * c)
  guarded(
    () => net.predict(tensor(image, net.channelsFirst ? [1, b, c, a] : [1, a, b, c], { backend: net.backend })),
    /^(?!Cannot |Invalid |undefined|\w+ is not )/,
  )
}

/** The bytes are the lines of a journal. */
function journal(bytes: Uint8Array): void {
  const lines = new TextDecoder().decode(bytes).split('\n')
  guarded(() => {
    const own = new Journal(memoryStore(), 'fuzz')
    own.see(entriesIn(lines, 'memory', 0))
    // as a worker opens a study of a server
    for (const study of own.studies.values()) {
      guarded(() => axesOf(storedSpace(study)), /./)
      for (const trial of study.trials) recordOf(trial)
    }
    return [...own.studies.values()]
  }, /^memory[:,] /)
}

/** The bytes are data from a server of a queue: a job, and the sign of a worker. The results are plain text within their limits of length. */
function queue(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes)
  const job = guarded(() => checkedJob(parsed(text)), /^job: /)
  if (job) check(guarded(() => checkedJob(JSON.parse(JSON.stringify(job))), /^job: /) !== undefined, 'a job is refused that was taken')
  const sign = guarded(() => signOf(text))
  if (sign === undefined) return
  for (const { reason, objective } of sign.refused)
    check(!/[\p{Cc}]/u.test(reason + objective) && reason.length < 4000, 'a text for a terminal with control characters')
  check(
    [sign.pid, sign.concurrency, sign.trials].every((n) => Number.isFinite(n) && n >= 0),
    'a number that is none',
  )
}

const net = new Sequential([new Dense(3, 2)], { seed: 1, backend: createBackend({ backend: 'js' }) })

/** The bytes are the text about the table in the file of a table model. */
function tableModel(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes)
  const ours = /^(loadTableModel|encoderFromState|encode)\b/
  const state = guarded(() => tableModelFrom(net, text), ours)
  guarded(() => encoderFromState(parsed(text)?.table as TableState).encode([{ a: '1', b: 'x', c: '2020-01-01' }]), ours)
  if (state === undefined) return
  const answers = guarded(() => state.predict([{ a: '1', b: 'x', c: '2020-01-01' }]), ours)
  check(answers === undefined || Object.keys(answers[0]).length >= 3, 'no answer')
}

const HALVES = { factor: 1, halves: Uint16Array.of(0x3c00, 0, 0, 0x3c00) }
const GOOD_HEAD = {
  ...{
    format: 'gradus-head/1',
    labels: ['a', 'b'],
    width: 2,
    l2: 1,
    temperature: 1,
    priors: 'examples',
    noneBelow: 0.05,
    gradientTolerance: 1e-4,
  },
  ...{
    counts: Int32Array.of(2, 1),
    report: null,
    weights: HALVES,
    bias: Float32Array.of(0, 1),
    hidden: { weights: HALVES, bias: Float32Array.of(0.5, -1) },
    means: HALVES,
    spreads: Float32Array.of(1, 2),
  },
  ...{ distances: Float32Array.of(1, 2, 3), hasZeros: false, examples: { vectors: HALVES, classOf: Int32Array.of(0, 1) } },
}

/** The bytes are JSON: parts of a head file that stand in the place of good ones. A list of numbers is an array of the kind that a good part has. */
function head(bytes: Uint8Array): void {
  const parts = Object.entries(parsed(new TextDecoder().decode(bytes)) ?? {}).map(([name, value]) => {
    const good = (GOOD_HEAD as Record<string, unknown>)[name]
    if (Array.isArray(value) && good instanceof Float32Array) return [name, Float32Array.from(value)]
    if (Array.isArray(value) && good instanceof Int32Array) return [name, Int32Array.from(value)]
    return [name, value]
  })
  const ours = /^(loadHead|predict|Head): /
  const state = guarded(() => readState<string>({ head: { ...GOOD_HEAD, ...Object.fromEntries(parts) } }), ours)
  const made = state && guarded(() => new Head(state as HeadState<string>), ours)
  if (made === undefined) return
  for (const value of [0, 1]) {
    const { probabilities, probability, pValue } = made.predict(new Float32Array(made.width).fill(value))
    const all = Object.values<number>(probabilities)
    check(all.length === made.labels.length && all.every(Number.isFinite), 'a class without a probability')
    check(probability > 0 && pValue >= 0 && pValue <= 1, 'a probability that is none')
    check(pValue > 0 || value === 0, 'a vector of ones that is certainly none')
  }
  check(made.bytes({ examples: true }).length > 0, 'a head that cannot be written')
}

function parsed(text: string): { table?: unknown } | undefined {
  try {
    return Object(JSON.parse(text)) as { table?: unknown }
  } catch {
    return undefined
  }
}

/** Rows have the columns of the first one, each value a text. */
function csv(bytes: Uint8Array): void {
  const text = new TextDecoder().decode(bytes)
  const rows = guarded(
    () => parseCsv(text, { ragged: bytes.length % 2 === 0 ? 'fill' : 'error', decimal: bytes.length % 3 === 0 ? ',' : '.' }),
    /^parseCsv: /,
  )
  if (rows === undefined || rows.length === 0) return
  const columns = Object.keys(rows[0]).join('\0')
  check(
    rows.every((row) => Object.keys(row).join('\0') === columns),
    'rows of other columns',
  )
  check(
    rows.every((row) => Object.values(row).every((value) => typeof value === 'string')),
    'a value that is no text',
  )
}

/** The bytes are tokenizer.json, or vocab.json, a line with = and merges.txt. What is read encodes texts, and is written as the same again. */
function tokenizer(bytes: Uint8Array): void {
  const [first, ...rest] = new TextDecoder().decode(bytes).split('\n=\n')
  const read = guarded(() => readTokenizer(rest.length === 0 ? first : { vocabulary: first, merges: rest.join('\n') }), /^readTokenizer: /)
  if (read === undefined) return
  check(read.size <= bytes.length, `${read.size} tokens in a file of ${bytes.length}`)
  check(readTokenizer(read.toJson()).toJson() === read.toJson(), 'what was read is written as something else')
  for (const text of ['', 'a b', ' the\n<pad>', 'ü🐈']) {
    const tokens = guarded(() => read.encode(text, { special: true }), /^encode: /)
    if (tokens !== undefined) read.decode(tokens)
  }
}

/** The targets by name of the parser. To add a parser, add a line such as `npy: parser(/^NPY data\b/, parseNpy)`; words of its format below help. */
export const targets: Readonly<Record<string, Target>> = {
  safetensors,
  state,
  idx,
  table,
  npy: parser(/^NPY data\b/, (bytes) => parseNpy(bytes), 4),
  // deflate packs at most a thousand bytes into one
  npz: parser(/\bNPZ data\b/, (bytes) => parseNpz(bytes), 4 * 1100),
  csv,
  model,
  onnx,
  onnxFeatures,
  tableModel,
  head,
  journal,
  queue,
  tokenizer,
}

/** Keywords of the formats, which a fuzzer would take long to find. */
export const tokens: Readonly<Record<string, readonly string[]>> = {
  tokenizer: [
    ...[
      '"model":{"type":"BPE"',
      '"WordLevel"',
      '"vocab":{"a":0,"b":1,"ab":2}',
      '"merges":[["a","b"]]',
      '"merges":["a b"]',
      '"unk_token":"a"',
    ],
    ...[
      '"pre_tokenizer":',
      '{"type":"Whitespace"}',
      '"added_tokens":[',
      '{"id":3,"content":"<pad>","special":true}',
      '"normalizer":{"type":"NFC"}',
    ],
    ...['"__proto__":', '\n=\n', '#version: 0.2\n', 'a b\n', '16777215', '1e9', 'null', ','],
  ],
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
  npy: ["'descr': '<f4'", "'|b1'", "'>i8'", "'fortran_order': ", 'True', 'False', "'shape': (", '2,', '(2, 2), ', '}', '0, ', '\n', '1,'],
  npz: ['PK\u0001\u0002', 'PK\u0003\u0004', 'PK\u0005\u0006', '.npy', '__proto__', '../', '\u00ff\u00ff\u00ff\u00ff', "'shape': ("],
  csv: ['\n', '\r\n', ',', '"', '""', ';', '\t', '__proto__', 'a,a', '\n"', '",', '|', ' ', 'column2'],
  model: [
    '{"$tensor":"a"}',
    '{"$tensor":"b"}',
    '{"$same":"0"}',
    '{"$layer":"Dense","at":"0","config":{"inputs":2,"outputs":3,"activation":"tanh","bias":true}}',
    '{"$layer":"Sequential","at":"","config":{"layers":[]}}',
    '"$model":',
    '"tensors":{',
    '"0.weight":',
    '"frozen":[]',
    '"generators":{}',
    '"0.generator":[1,2,3]',
    '"parts":{}',
    '"config":{',
    '"__proto__":',
    '{"$number":"NaN"}',
    '{"$entries":[["$a",1]]}',
    '{"$object":"constructor","config":{}}',
    'null',
    '1e999',
    ',',
    '[',
    ']',
  ],
  onnx: [
    'Gemm',
    'MatMul',
    'Add',
    'Relu',
    'Identity',
    'Softmax',
    'x',
    '\u0008\u0001',
    '\u0012\0',
    '\u00ff\u00ff\u00ff\u00ff\u000f',
    '\u000a\u0001x',
  ],
  head: [
    '"labels":',
    '"hidden":null',
    '"hidden":{}',
    '"width":2',
    '"counts":[1,1]',
    '"priors":{"a":0.5,"b":0.5}',
    '"priors":"uniform"',
    '"spreads":[1,1]',
    '"distances":[]',
    '"bias":[0,0]',
    '"temperature":',
    '"examples":',
    '"__proto__"',
    'null',
    'true',
    '1e999',
    '1e-320',
  ],
  tableModel: [
    '"as":"hash"',
    '"as":"date"',
    '"as":"ordinal"',
    '"as":"embedding"',
    '"buckets":65536',
    '"categories":null',
    '"categories":["x"]',
    '"fill":0',
    '"center":',
    '"spread":0',
    '"drop":true',
    '"lenient":true',
    '"__proto__":',
    '{"feature":0,"edges":[0,1]}',
    '1e999',
    'null',
    '"classification"',
    '"regression"',
    ',',
  ],
  journal: [
    '{"op_code":0,"study_name":"a","directions":[1]}\n',
    '{"op_code":4,"study_id":0}\n',
    '{"op_code":5,"trial_id":0,"param_name":"x","param_value_internal":0,"distribution":',
    '{"op_code":6,"trial_id":0,"state":1,"values":[NaN]}\n',
    '{"op_code":7,"trial_id":0,"step":1,"intermediate_value":-Infinity}\n',
    '{"op_code":8,"trial_id":0,"user_attr":{"__proto__":1}}\n',
    'NaN',
    'Infinity',
    '"__proto__":',
    '\\"',
    '"choices":[1,"a"]',
    '\n',
    '}',
    '1e999',
  ],
  queue: [
    '{"study":"a","prefix":"gradus","number":0,"objective":{"name":"a.js"}}',
    '"trialTime":1',
    '"hash":"',
    '"factory":"constructor"',
    '"options":',
    '{"kind":"worker","host":"a","pid":1,"concurrency":1,"running":[{"study":"a","number":1,"seconds":2}],"refused":[{"objective":"a.js","reason":"b"}],"study":"","trials":0}',
    '"__proto__":',
    '\u001b',
    '1e999',
    'null',
    ',',
  ],
  table: ['\n', ',', ',\n', '1e999', 'NaN', '2020-01-01', '1,5', '__proto__', '0x10', '-Infinity', ' ', '\t', '1.000,5', 'null'],
}
