/** Hostile files of the newer formats: reading them ends soon, takes memory in proportion to their size, and reports errors clearly. */
import { readFileSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { checkGroup, compressorsFor } from '../../ts/data/formats/parquet.js'
import { parseNpy, parseNpz, readTable } from '../../ts/data/index.js'
import { fromOnnx } from '../../ts/export/index.js'
import { encodeMessage, type Field } from '../../ts/export/protobuf.js'
import { createBackend, Dense, decodeModel, Sequential } from '../../ts/index.js'
import { trainTable } from '../../ts/table/index.js'
import { tableModelFrom } from '../../ts/table/model/model.js'
import { Journal, parseJson } from '../../ts/tune/storage/journal.js'
import { memoryStore } from '../../ts/tune/storage/memory.js'
import { numbers } from '../tools/backends.js'
import { cpuTime } from '../tools/clocks.js'
import { withHeader } from '../tools/model-files.js'
import { milliseconds } from '../tools/nightly.js'

const backend = createBackend({ backend: 'js', memoryLimit: 64 << 20 })

describe('fault 21: ONNX files', () => {
  const node = (type: string, inputs: string[], outputs: string[]): Field => [
    1,
    [...inputs.map((name): Field => [1, name]), ...outputs.map((name): Field => [2, name]), [4, type]],
  ]
  const file = (nodes: readonly Field[], initializers: readonly (readonly Field[])[] = []) =>
    encodeMessage([[7, [...nodes, ...initializers.map((fields): Field => [5, fields]), [11, [[1, 'x']]], [12, [[1, 'y']]]]]])
  const floats = (name: string, ...shape: number[]): Field[] => [
    ...shape.map((n): Field => [1, n]),
    [2, 1],
    [8, name],
    [9, new Uint8Array(4 * shape.reduce((a, b) => a * b, 1))],
  ]

  test('whose nodes go round in a circle', () => {
    expect(() => fromOnnx(file([node('Identity', ['y'], ['y'])]))).toThrow("fromOnnx: the nodes go round in a circle at 'y'")
    const round = [node('Identity', ['a'], ['y']), node('Relu', ['b'], ['a']), node('Dropout', ['a'], ['b'])]
    expect(() => fromOnnx(file(round))).toThrow("fromOnnx: the nodes go round in a circle at 'a'")
  })

  test('whose 20,000 layers share the weights of one', () => {
    const nodes = Array.from({ length: 20_000 }, (_, i) => node('MatMul', [i === 0 ? 'x' : `${i}`, 'w'], [i === 19_999 ? 'y' : `${i + 1}`]))
    expect(() => fromOnnx(file(nodes, [floats('w', 300, 300)]), { backend })).toThrow(
      /would have far more numbers than there are in the file/,
    )
  })

  test('of 50,000 nodes, and of a number without an end, take linear time', () => {
    const nodes = Array.from({ length: 50_000 }, (_, i) => node('Identity', [i === 0 ? 'x' : `${i}`], [i === 49_999 ? 'y' : `${i + 1}`]))
    const long = file(nodes)
    expect(cpuTime(() => fromOnnx(long))).toBeLessThan(milliseconds(5000))
    const endless = file([], [[[1, new Uint8Array(2_000_000).fill(255)]]])
    expect(
      cpuTime(() => expect(() => fromOnnx(endless)).toThrow('fromOnnx: the file is damaged: there is no end to a number')),
    ).toBeLessThan(milliseconds(5000))
  })

  test('whose numbers are in another file, which is not opened, as an initializer and as the value of a node', () => {
    const [rows, columns, type, name] = floats('w', 2, 2)
    const place = (file: string): Field => [
      13,
      [
        [1, 'location'],
        [2, file],
      ],
    ]
    const message = "fromOnnx: 'w' is in a file of its own; export with all weights in one file"
    for (const other of ['/etc/passwd', 'http://127.0.0.1:1/w.bin', '']) {
      const external = [rows, columns, type, name, place(other), [14, 1]] as Field[]
      expect(() => fromOnnx(file([node('MatMul', ['x', 'w'], ['y'])], [external]))).toThrow(message)
      const constant: Field = [
        1,
        [
          [2, 'w'],
          [4, 'Constant'],
          [
            5,
            [
              [1, 'value'],
              [5, external],
            ],
          ],
        ],
      ]
      expect(() => fromOnnx(file([constant, node('MatMul', ['x', 'w'], ['y'])]))).toThrow(message)
    }
  })

  test('whose layers share weights within reason are read', () => {
    const nodes = [node('MatMul', ['x', 'w'], ['a']), node('Tanh', ['a'], ['b']), node('MatMul', ['b', 'w'], ['y'])]
    expect(fromOnnx(file(nodes, [floats('w', 3, 3)]), { backend }).parameters()).toHaveLength(2)
  })
})

describe('fault 21: model files', () => {
  const dense = (at: string) => ({ $layer: 'Dense', at, config: { inputs: 300, outputs: 300, activation: 'relu', bias: false } })
  const model = (layers: unknown[], tensors: object, more: object = {}) => ({
    model: { $model: { $layer: 'Sequential', at: '', config: { layers } }, tensors, generators: {}, frozen: [], ...more },
    parts: {},
  })
  const shapes = { w: [300, 300] }

  test('whose layers share the numbers of one, or are in one place', () => {
    const names = Array.from({ length: 5000 }, (_, i) => `${i}`)
    const shared = model(names.map(dense), Object.fromEntries(names.map((at) => [`${at}.weight`, { $tensor: 'w' }])))
    expect(() => decodeModel(withHeader(shapes, shared), { backend })).toThrow(
      "decodeModel: the numbers of '1.weight' are those of another",
    )
    const twice = model(
      names.map(() => dense('0')),
      { '0.weight': { $tensor: 'w' } },
    )
    expect(() => decodeModel(withHeader(shapes, twice), { backend })).toThrow("decodeModel: layer '0' is there twice")
    const [one] = Object.values({ model: model([dense('0')], { '0.weight': { $tensor: 'w' } }).model })
    expect(() => decodeModel(withHeader(shapes, { model: one, parts: { others: names.map(() => one) } }), { backend })).toThrow(
      /the numbers of '0.weight' are those of another tensor/,
    )
    expect(backend.heap.totalBytes).toBeLessThan(16 << 20)
  })

  test('whose random numbers are none', () => {
    const dropout = { $layer: 'Dropout', at: '0', config: { rate: 0.5 } }
    for (const state of [5, null, {}, 'abc', undefined]) {
      const file = withHeader({}, model([dropout], {}, { generators: { '0.generator': state } }))
      expect(() => decodeModel(file, { backend })).toThrow(
        "decodeModel: '0.generator' wants seed, stream and counter of random numbers, got",
      )
    }
  })

  test('of tables that do not fit their net', () => {
    const net = new Sequential([new Dense(3, 2)], { seed: 1, backend })
    const column = { name: 'a', as: 'number', categories: null, fill: 0 }
    const state = (more: object, columns: object[] = [column, column, column]) => ({
      format: 'gradus-table-model/1',
      table: {
        format: 'gradus-table/1',
        columns,
        target: { name: 'y', categories: ['u', 'v'] },
        missingValues: [],
        unknown: 'ignore',
        leftOut: [],
      },
      features: { features: 3, cuts: [] },
      target: 'y',
      task: 'classification',
      scale: { mean: 0, deviation: 1 },
      errors: [],
      fingerprint: [],
      profile: { rows: 0, columns: [] },
      ...more,
    })
    const read = (value: unknown) => tableModelFrom(net, JSON.stringify(value))
    expect(read(state({})).predict({ a: 1 })).toHaveProperty('class')
    expect(() => tableModelFrom(net, '{"format"')).toThrow(/^loadTableModel: what the file has of the table is no JSON/)
    expect(() => tableModelFrom(net, undefined)).toThrow(/^loadTableModel: this file holds a model, but none of a table/)
    for (const wrong of [null, 7, [], state({ features: { features: 3, cuts: [null] } }), state({ errors: null })])
      expect(() => read(wrong)).toThrow(/^loadTableModel: wants a model of a table/)
    const huge = Array.from({ length: 10_000 }, (_, i) => ({ name: `${i}`, as: 'hash', categories: null, buckets: 65536, fill: 0 }))
    for (const wrong of [
      state({ features: { features: 2, cuts: [] } }),
      state({ features: { features: 1e12, cuts: [] } }),
      state({ features: { features: 2, cuts: [{ feature: 2, edges: [0, 1] }] } }, [column, column]),
    ])
      expect(() => read(wrong)).toThrow(/^loadTableModel: the table has \d+ features, \d+ inputs, the net takes 3/)
    expect(() => read(state({}, huge))).toThrow('encoderFromState: 655360000 features are more than the 1048576 that a table may have')
    expect(() => read(state({ task: 'regression' }))).toThrow('loadTableModel: the table has 1 classes, the net gives 2')
  })
})

describe('fault 22, fault 23: files of NumPy', () => {
  const header = (text: string) => {
    const length = new Uint8Array(Uint32Array.of(text.length).buffer)
    return Uint8Array.from([0x93, ...Buffer.from('NUMPY'), 2, 0, ...length, ...Buffer.from(text)])
  }

  test('of 200,000 axes', () => {
    const file = header(`{'descr': '<f4', 'fortran_order': True, 'shape': (${'1,'.repeat(200_000)}), }`)
    expect(() => parseNpy(file)).toThrow('NPY data: has 200000 axes, NumPy has at most 64')
  })

  test('a zip that says there are 65,535 files in it, or four gigabytes in one of them', () => {
    const le = (n: number, bytes: number) => Array.from({ length: bytes }, (_, i) => Math.floor(n / 256 ** i) % 256)
    const end = (entries: number, at: number) => [
      ...le(0x06054b50, 4),
      ...le(0, 4),
      ...le(entries, 2),
      ...le(entries, 2),
      ...le(46, 4),
      ...le(at, 4),
      0,
      0,
    ]
    const entry = (size: number, unpacked: number) => [
      ...le(0x02014b50, 4),
      ...le(0, 6),
      ...le(8, 2),
      ...le(0, 8),
      ...le(size, 4),
      ...le(unpacked, 4),
      ...le(0, 18),
    ]
    expect(() => parseNpz(Uint8Array.from([...new Array(100).fill(0), ...end(60_000, 0)]))).toThrow(/says that more is in it than there is/)
    expect(() => parseNpz(Uint8Array.from([...entry(0xffffff, 0xfffffff0), ...end(1, 0)]))).toThrow(/more is in it than there is/)
    expect(() => parseNpz(Uint8Array.from([...entry(10, 0xfffffff0), ...end(1, 0)]))).toThrow(/it unpacks to more than/)
  })
})

describe('fault 19, fault 20: journals', () => {
  const journal = (...entries: unknown[]) => {
    const made = new Journal(memoryStore(), 'test')
    made.see(entries.map((entry) => parseJson(typeof entry === 'string' ? entry : JSON.stringify(entry)) as never))
    return made
  }
  const study = { op_code: 0, study_name: 'a', directions: [1] }

  test('a line with half a million quotes takes linear time', () => {
    for (const end of ['', '\\', '"'])
      expect(cpuTime(() => expect(() => parseJson(`[NaN, "${'\\"'.repeat(500_000)}${end}`)).toThrow(SyntaxError))).toBeLessThan(
        milliseconds(5000),
      )
    expect(parseJson('["a NaN \\" Infinity", NaN, -Infinity, {"b":Infinity}]')).toEqual([
      'a NaN " Infinity',
      Number.NaN,
      -Infinity,
      { b: Infinity },
    ])
  })

  test('names that mean something elsewhere are names here', () => {
    const distribution = '{"name":"FloatDistribution","attributes":{"low":0,"high":1,"log":false,"step":null}}'
    const { studies } = journal(
      study,
      { op_code: 4, study_id: 0 },
      '{"op_code":2,"study_id":0,"user_attr":{"__proto__":{"polluted":1}}}',
      '{"op_code":8,"trial_id":0,"user_attr":{"__proto__":{"polluted":1}}}',
      { op_code: 5, trial_id: 0, param_name: '__proto__', param_value_internal: 0.5, distribution },
    )
    const [{ userAttributes, trials }] = [...studies.values()]
    for (const object of [userAttributes, trials[0].userAttributes, trials[0].ranges, trials[0].parameters]) {
      expect(Object.keys(object)).toEqual(['__proto__'])
      expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
    }
    expect({}).not.toHaveProperty('polluted')
  })

  test('values, parameters and reports that are no numbers', () => {
    const trial = { op_code: 4, study_id: 0 }
    const float = '{"name":"FloatDistribution","attributes":{"low":0,"high":1,"log":false,"step":null}}'
    const choice = '{"name":"CategoricalDistribution","attributes":{"choices":["a","b"]}}'
    const parameter = (value: unknown, distribution: string) => ({
      ...{ op_code: 5, trial_id: 0, param_name: 'x', param_value_internal: value, distribution },
    })
    for (const [entry, message] of [
      [null, 'an entry wants to be an object, got null'],
      [{ op_code: 0, study_name: 'b' }, 'directions want to be an array, got undefined'],
      [{ op_code: 6, trial_id: 0, state: 1, values: ['x'] }, "a value wants to be a number, got 'x'"],
      [{ op_code: 6, trial_id: 0, state: 1, values: 3 }, 'values want to be numbers in an array, got 3'],
      [{ op_code: 7, trial_id: 0, step: 1, intermediate_value: {} }, 'a value wants to be a number, got an object with nothing'],
      [{ op_code: 7, trial_id: 0, step: '1', intermediate_value: 1 }, "a step wants to be a number, got '1'"],
      [parameter('x', float), "a parameter wants a finite number, got 'x'"],
      [parameter(2, choice), 'a parameter wants the number of one of 2 choices, got 2'],
      [parameter('length', choice), "a parameter wants the number of one of 2 choices, got 'length'"],
      [{ ...trial, params: { x: 1 } }, 'a parameter has no distribution'],
      [{ ...trial, state: 1, value: 'x' }, "a value wants to be a number, got 'x'"],
    ] as const)
      expect(() => journal(study, trial, entry)).toThrow(`entry 3 is none of a journal of Optuna 4 or 5: ${message}`)
    const { studies } = journal(
      study,
      { ...trial, state: 1, values: [null] },
      '{"op_code":7,"trial_id":0,"step":1,"intermediate_value":NaN}',
    )
    expect([...studies.values()][0].trials[0].values).toEqual([null])
  })

  test('states that there are not', () => {
    const trial = { op_code: 4, study_id: 0 }
    for (const state of [9, -1, 0.5, 'length', null])
      expect(() => journal(study, trial, { op_code: 6, trial_id: 0, state })).toThrow(/entry 3 is none of a journal.*there is no state/)
    expect(() => journal(study, { ...trial, state: 'length' })).toThrow(/entry 2 is none of a journal.*there is no state 'length'/)
  })
})

test('rows that are none are refused by trainTable, and so is what is no source', async () => {
  await expect(trainTable([{ x: 1, y: 'a' }, null] as never, { target: 'y' })).rejects.toThrow(
    'row 1 wants an object, { column: value, … }, got null',
  )
  await expect(trainTable(null as never, { target: 'y' })).rejects.toThrow(/wants rows in an array, or a path, URL, .* got null/)
})

describe('fault 22: Parquet', () => {
  const { cases } = JSON.parse(readFileSync('test/oracles/data_files.json', 'utf8')) as { cases: { kind: string; bytes: string }[] }
  const good = cases.filter(({ kind, bytes }) => kind === 'parquet' && bytes).map(({ bytes }) => Buffer.from(bytes, 'base64'))

  test('bytes that change in what the file says of itself: an answer or an error with its name, and nothing beside the file is read', async () => {
    const random = numbers(1)
    for (let i = 0; i < 50; i++) {
      const bytes = Uint8Array.from(good[i % good.length])
      for (let k = 0; k < 1 + (i % 3); k++) bytes[bytes.length - 9 - random.int(Math.min(400, bytes.length - 9))] = random.int(256)
      // Node crashes if a Blob is asked for bytes beyond its file, so both a File and plain bytes are tested
      for (const source of [new File([bytes], 'x.parquet'), bytes])
        await readTable(source, { format: 'parquet' }).catch((error: Error) =>
          expect(error.message).toMatch(/^(x\.parquet|the data): cannot be read as Parquet: /),
        )
    }
  })

  test('columns larger than the file, rows without end, and pages that unpack to more than is promised', async () => {
    const { parquetMetadataAsync } = await import('../../ts/data/formats/hyparquet.js')
    const [file] = good
    const metadata = await parquetMetadataAsync({
      byteLength: file.length,
      slice: (a: number, b?: number) => Uint8Array.from(file).buffer.slice(a, b),
    })
    const [group] = metadata.row_groups
    const [{ meta_data: column }] = group.columns as { meta_data: { total_compressed_size: bigint } }[]
    expect(() => checkGroup(group, file.length)).not.toThrow()
    expect(() => checkGroup({ ...group, num_rows: 2n ** 60n }, file.length)).toThrow(/a group of 1152921504606846976 rows/)
    const columns = Array.from({ length: 1000 }, () => ({ meta_data: { ...column, total_compressed_size: BigInt(file.length >> 1) } }))
    expect(() => checkGroup({ ...group, columns }, file.length)).toThrow(/columns of \d+ bytes are promised, and it has/)
    const compressors = await compressorsFor()
    for (const codec of ['GZIP', 'SNAPPY', 'BROTLI'])
      expect(() => compressors[codec](new Uint8Array(20), 2 ** 31 - 1)).toThrow('a page of 20 bytes unpacks to 2147483647')
    const bomb = brotliCompressSync(new Uint8Array(1 << 22))
    expect(compressors.GZIP(gzipSync(new Uint8Array(1 << 22)), 1000)).toHaveLength(1000)
    expect(compressors.BROTLI(bomb, 1 << 22)).toHaveLength(1 << 22)
  })
})
