/** Fault 45: generated JavaScript for models whose columns, classes and files have names chosen by strangers. */
import vm from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toFunction, toKeras, toPyTorch } from '../../ts/export/index.js'
import { literal } from '../../ts/export/literal.js'
import {
  Activation,
  BatchNorm,
  createBackend,
  Dense,
  Dropout,
  decodeModel,
  Ensemble,
  encodeModel,
  LayerNorm,
  type Module,
  Sequential,
} from '../../ts/index.js'
import { crc32Of } from '../../ts/io/crc32.js'
import { type ClassPrediction, tableToFunction } from '../../ts/table/index.js'
import { tableModelFrom } from '../../ts/table/model/model.js'
import { hostileNames, hostileText, NASTY, runModule, runs } from '../tools/hostile-text.js'

const backend = createBackend({ backend: 'js' })
const net = new Sequential([new Dense(7, 3, { activation: 'tanh' })], { seed: 1, backend })

/** A table model with these names, as a stranger's file may contain. */
function modelOf([number, category, hash, target, ...rest]: string[], more: object = {}) {
  const [a, b, u, v, w, missing] = rest
  const state = {
    format: 'gradus-table-model/1',
    table: {
      format: 'gradus-table/1',
      columns: [
        { name: number, categories: null, fill: 0, lenient: true, ...more },
        { name: category, categories: [a, b], fill: 0, ...more },
        { name: hash, as: 'hash', buckets: 4, categories: null, fill: 0, ...more },
      ],
      target: { name: target, categories: [u, v, w].sort() },
      missingValues: [missing],
      unknown: 'ignore',
      leftOut: [],
    },
    features: { features: 7, cuts: [], squeezes: false },
    target,
    task: 'classification',
    scale: { mean: 0, deviation: 1 },
    errors: [],
    fingerprint: [],
    profile: { rows: 0, columns: [] },
  }
  return tableModelFrom<ClassPrediction>(net, JSON.stringify(state), { warn: false })
}

describe('fault 45: a table as JavaScript', () => {
  test('says what the model says, whatever columns, categories and classes are called, and takes nothing of what is around it', async () => {
    await fc.assert(
      fc.asyncProperty(hostileNames(10), hostileText, async (names, cell) => {
        const model = modelOf(names)
        const source = tableToFunction(model)
        // between the tags of a page it does not end the script, and older engines accept it
        expect(source).not.toMatch(/<\/|<!--|<script|[\u2028\u2029]/i)
        const { predict } = await runModule(source)
        const rows = [names[4], names[5], cell].map((category, i) => ({
          ...row(names[0], i),
          ...row(names[1], category),
          ...row(names[2], cell),
        }))
        const wanted = model.predict(rows)
        const found = predict(rows) as typeof wanted
        expect(found.map((one) => one.class)).toEqual(wanted.map((one) => one.class))
        expect(Object.keys(found[0].probabilities)).toEqual(Object.keys(wanted[0].probabilities))
      }),
      runs(500),
    )
  })

  /** A row with this property, even if the name is `__proto__`, as JSON.parse makes it. */
  const row = (name: string, value: unknown) =>
    Object.defineProperty({}, name, { value, enumerable: true, configurable: true, writable: true })

  test('has of a column what there is alone: what else a file says of it is not written', async () => {
    const more = JSON.parse('{"__proto__": {"name": "x"}, "toString": "</script>", "as; evil()": 1}')
    const names = ['number', 'category', 'hash', 'target', 'a', 'b', 'u', 'v', 'w', 'NA']
    const source = tableToFunction(modelOf(names, more))
    expect(source).not.toMatch(/evil|script|__proto__/)
    expect(source).toBe(tableToFunction(modelOf(names)))
  })

  test('a literal is the data again', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.array(hostileText), (value, texts) => {
        const data = { value, texts }
        fc.pre(!JSON.stringify(value).includes('__proto__'))
        expect(vm.runInNewContext(`JSON.stringify(${literal(data)})`)).toBe(JSON.stringify(data))
        expect(literal(data)).not.toMatch(/[<\u2028\u2029]/)
      }),
      runs(2500),
    )
  })
})

describe('fault 45: what a model file says of its layers', () => {
  const layers = () => [
    new Dense(3, 4, { activation: 'gelu', backend }),
    new BatchNorm(4, { backend }),
    new LayerNorm(4, { backend }),
    new Activation('silu'),
    new Dropout(0.25),
    new Dense(4, 2, { backend }),
  ]
  const member = () => new Sequential(layers(), { seed: 1, backend })
  const bytes = encodeModel(new Ensemble([member(), member()], { average: 'softmax' }))
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true))
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)))
  const [key] = Object.keys(header.__metadata__).filter((name) => header.__metadata__[name].includes('"Dense"'))
  const config = header.__metadata__[key] as string

  /** The file with another value in the place of one. */
  function withConfig(text: string): Uint8Array {
    // a stranger's file may have valid checksums
    const checksums = JSON.stringify({ ...JSON.parse(header.__metadata__['gradus-crc32']), text: crc32Of(new TextEncoder().encode(text)) })
    const metadata = { ...header.__metadata__, [key]: text, 'gradus-crc32': checksums }
    const changed = new TextEncoder().encode(JSON.stringify({ ...header, __metadata__: metadata }))
    const file = new Uint8Array(8 + changed.length + bytes.length - 8 - length)
    new DataView(file.buffer).setBigUint64(0, BigInt(changed.length), true)
    file.set(changed, 8)
    file.set(bytes.subarray(8 + length), 8 + changed.length)
    return file
  }

  test('is refused, or is no code in what is written of the model', async () => {
    const places = [...config.matchAll(/"(epsilon|momentum|activation|inputs|outputs|average|width|rate)":(?:"\w+"|[\d.e-]+)/g)]
    expect(new Set(places.map(([, name]) => name))).toEqual(
      new Set(['epsilon', 'momentum', 'activation', 'inputs', 'outputs', 'average', 'width', 'rate']),
    )
    let read = 0
    for (const [whole, name] of places)
      for (const evil of [
        '1), globalThis.ran = 1, (1',
        'constructor',
        '__proto__',
        NASTY[10],
        ['x'],
        { toString: 1 },
        ['0.5'],
        '0.5',
        true,
        null,
      ]) {
        const text = config.replace(whole, `"${name}":${JSON.stringify(evil)}`)
        let model: Module
        try {
          model = decodeModel(withConfig(text), { backend })
        } catch (error) {
          expect((error as Error).message).toMatch(/^decodeModel: (?!.*checksum)/)
          continue
        }
        read++
        for (const code of [
          toFunction(model),
          toPyTorch((model as Ensemble).members[0]).code,
          toKeras((model as Ensemble).members[0]).code,
        ])
          expect(code).not.toMatch(/globalThis|script/)
      }
    // null is not a valid activation
    expect(read).toBeLessThan(5)
  })
})
