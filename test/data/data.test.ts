/** Data: the IDX parser against good and damaged files, MNIST and Iris against known facts, toy data, splitting and scaling. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  blobs,
  type Dataset,
  encoderFromState,
  fitScaler,
  fromArrays,
  fromTable,
  iris,
  kFold,
  loadMnist,
  moons,
  parseIdx,
  type Row,
  scalerFromState,
  selectRows,
  spirals,
  standardize,
  trainTestSplit,
  xor,
} from '../../ts/data/index.js'

/** An IDX file from a type code, sizes and the raw bytes of its elements. */
function idx(code: number, shape: readonly number[], elements: readonly number[]): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length))
  header.setUint32(0, (code << 8) | shape.length)
  for (const [i, d] of shape.entries()) header.setUint32(4 + 4 * i, d)
  return Uint8Array.of(...new Uint8Array(header.buffer), ...elements)
}

function bigEndian(bytes: number, write: (view: DataView) => void): number[] {
  const view = new DataView(new ArrayBuffer(bytes))
  write(view)
  return [...new Uint8Array(view.buffer)]
}

describe('parseIdx', () => {
  test.each([
    ['uint8', 8, [0, 255], [0, 255]],
    ['int8', 9, [-128, 127], [0x80, 0x7f]],
    ['int16', 11, [-2, 258], [0xff, 0xfe, 1, 2]],
    ['int32', 12, [-2, 16909060], [0xff, 0xff, 0xff, 0xfe, 1, 2, 3, 4]],
    ['float32', 13, [1.5, -0.25], [...bigEndian(4, (v) => v.setFloat32(0, 1.5)), ...bigEndian(4, (v) => v.setFloat32(0, -0.25))]],
    ['float64', 14, [Math.PI, -1e300], [...bigEndian(8, (v) => v.setFloat64(0, Math.PI)), ...bigEndian(8, (v) => v.setFloat64(0, -1e300))]],
  ] as const)('reads %s', (type, code, values, bytes) => {
    const read = parseIdx(idx(code, [2], bytes))
    expect(read.type).toBe(type)
    expect(read.shape).toEqual([2])
    expect([...read.data]).toEqual([...values])
  })

  test('reads an ArrayBuffer, and a view that begins in the middle of one', () => {
    const file = idx(8, [2, 3], [1, 2, 3, 4, 5, 6])
    const room = new Uint8Array(file.length + 5)
    room.set(file, 3)
    for (const bytes of [file.slice().buffer, room.subarray(3, 3 + file.length)]) {
      expect(parseIdx(bytes)).toEqual({ type: 'uint8', shape: [2, 3], data: Uint8Array.of(1, 2, 3, 4, 5, 6) })
    }
  })

  test('gives a copy', () => {
    const file = idx(8, [1], [7])
    const { data } = parseIdx(file)
    file.fill(9)
    expect(data[0]).toBe(7)
  })

  test('reads files without elements or dimensions', () => {
    expect(parseIdx(idx(8, [0, 28, 28], [])).data).toHaveLength(0)
    expect([...parseIdx(idx(8, [], [42])).data]).toEqual([42])
  })

  test.each([
    ['nothing', new Uint8Array(0), /truncated: 0 bytes/],
    ['half a magic number', Uint8Array.of(0, 0, 8), /truncated: 3 bytes/],
    ['half a header', idx(8, [2, 3], []).subarray(0, 9), /truncated: a header of 2 dimensions has 12 bytes, but there are 9/],
    ['too few elements', idx(8, [2, 3], [1, 2, 3]), /truncated: the header promises uint8 \[2, 3\], 18 bytes, but there are 15/],
    ['too many elements', idx(11, [1], [0, 1, 2]), /left over: the header promises int16 \[1\], 10 bytes, but there are 11/],
    ['an unknown type', idx(10, [1], [1]), /0x0a is no IDX element type/],
    ['another format', new TextEncoder().encode('%PDF-1.7'), /no IDX file: it must begin with two zero bytes, got 0x2550/],
    ['compressed', new Uint8Array(gzipSync(idx(8, [1], [1]))), /gzip-compressed/],
    ['sizes that overflow', idx(14, Array(40).fill(0xffffffff), []), /truncated/],
    ['a huge size times none', idx(14, [...Array(40).fill(0xffffffff), 0], []), /promises/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => parseIdx(bytes, 'digits')).toThrow(RangeError)
    expect(() => parseIdx(bytes, 'digits')).toThrow(message)
    expect(() => parseIdx(bytes, 'digits')).toThrow(/^digits/)
  })
})

describe('loadMnist', () => {
  let folder = ''
  const write = (name: string, bytes: Uint8Array) => writeFile(path.join(folder, name), bytes)
  const images = (n: number) => idx(8, [n, 28, 28], Array(n * 784).fill(51))

  beforeAll(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), 'gradus-idx-'))
  })
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test('finds the npm package and reads all of it', async () => {
    const { train, test: held } = await loadMnist()
    expect(train.shape).toEqual([60000, 784])
    expect(held.shape).toEqual([10000, 784])
    expect([...train.targets.subarray(0, 10)]).toEqual([5, 0, 4, 1, 9, 2, 1, 3, 1, 4])
    expect([...held.targets.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4])
    // Mean and deviation of the training pixels, as everyone quotes them.
    let [sum, squares, least, most] = [0, 0, 1, 0]
    for (const x of train.inputs) {
      sum += x
      squares += x * x
      least = Math.min(least, x)
      most = Math.max(most, x)
    }
    const mean = sum / train.inputs.length
    expect(mean).toBeCloseTo(0.1307, 4)
    expect(Math.sqrt(squares / train.inputs.length - mean * mean)).toBeCloseTo(0.3081, 4)
    expect([least, most]).toEqual([0, 1])
  })

  test('reads a folder, also compressed', async () => {
    await write('train-images-idx3-ubyte', images(2))
    await write('train-labels-idx1-ubyte.gz', gzipSync(idx(8, [2], [3, 9])))
    await write('t10k-images-idx3-ubyte.gz', gzipSync(images(1)))
    await write('t10k-labels-idx1-ubyte', idx(8, [1], [4]))
    const { train, test: held } = await loadMnist({ directory: folder })
    expect([...train.targets]).toEqual([3, 9])
    expect(held.count).toBe(1)
    expect(held.inputs[0]).toBe(Math.fround(0.2))
  })

  test('says what is wrong', async () => {
    await expect(loadMnist({ directory: path.join(folder, 'nowhere') })).rejects.toThrow(/no file train-images-idx3-ubyte/)
    await write('train-labels-idx1-ubyte', idx(8, [3], [1, 2, 3]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('train labels: wants uint8 [2], got uint8 [3]')
    await write('train-labels-idx1-ubyte', idx(8, [2], [1, 10]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('label 1 is 10, wants 0 to 9')
    await write('train-images-idx3-ubyte', idx(8, [2], [1, 2]))
    await expect(loadMnist({ directory: folder })).rejects.toThrow('train images: wants uint8 [count, height, width], got uint8 [2]')
  })
})

describe('iris', () => {
  test('is the table of Fisher', () => {
    const { inputs, targets, count, features, classNames } = iris()
    expect([count, features, classNames]).toEqual([150, 4, ['setosa', 'versicolor', 'virginica']])
    expect([0, 1, 2].map((c) => targets.filter((t) => t === c).length)).toEqual([50, 50, 50])
    const { mean, deviation } = fitScaler(inputs, 4)
    for (const [j, m] of [5.8433, 3.0573, 3.758, 1.1993].entries()) expect(mean[j]).toBeCloseTo(m, 4)
    for (const [j, d] of [0.8253, 0.4344, 1.7594, 0.7597].entries()) expect(deviation[j]).toBeCloseTo(d, 4)
    expect([...inputs.subarray(4 * 34, 4 * 35)].map((x) => x.toFixed(1))).toEqual(['4.9', '3.1', '1.5', '0.2'])
    expect([...inputs.subarray(4 * 37, 4 * 38)].map((x) => x.toFixed(1))).toEqual(['4.9', '3.6', '1.4', '0.1'])
  })
})

const TOYS: Record<string, (options: { count?: number; seed?: number; noise?: number }) => Dataset> = { spirals, moons, xor, blobs }

describe.each(Object.entries(TOYS))('%s', (name, make) => {
  test('is the same for the same seed, another for another', () => {
    const options = make === blobs ? { count: 30 } : { count: 30, noise: 0.2 }
    expect(make({ seed: 5, ...options })).toEqual(make({ seed: 5, ...options }))
    expect(make({ seed: 5, ...options }).inputs).not.toEqual(make({ seed: 6, ...options }).inputs)
  })

  test('has as many samples as asked for, classes evenly', () => {
    for (const count of [1, 7, 100]) {
      const data = make({ count })
      expect(data.shape).toEqual([count, 2])
      expect(data.inputs).toHaveLength(2 * count)
      expect(data.inputs.every(Number.isFinite)).toBe(true)
      const sizes = Array.from({ length: data.classes }, (_, c) => data.targets.filter((t) => t === c).length)
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
    }
  })

  test('refuses nonsense', () => {
    for (const count of [0, -1, 1.5, Number.NaN]) expect(() => make({ count })).toThrow(`${name}: count wants a whole number ≥ 1`)
    for (const seed of [-1, 0.5, 2 ** 53]) expect(() => make({ seed })).toThrow(/^seed: wants/)
    if (make !== blobs) expect(() => make({ noise: -1 })).toThrow(`${name}: noise wants a number from 0, got -1`)
  })
})

describe('toy data', () => {
  test('xor is the truth table', () => {
    const { inputs, targets } = xor()
    const rows = Array.from(targets, (t, i) => [inputs[2 * i], inputs[2 * i + 1], t])
    expect(rows.sort().map(String)).toEqual(['0,0,0', '0,1,1', '1,0,1', '1,1,0'])
  })

  test('moons and spirals lie where they should', () => {
    const { inputs, targets } = moons({ noise: 0, count: 50 })
    for (const [i, t] of targets.entries()) {
      const [x, y] = t === 0 ? [inputs[2 * i], inputs[2 * i + 1]] : [1 - inputs[2 * i], 0.5 - inputs[2 * i + 1]]
      expect(Math.hypot(x, y)).toBeCloseTo(1, 6)
      expect(y).toBeGreaterThan(-1e-6)
    }
    const arms = spirals({ noise: 0, classes: 4, count: 40 }).inputs
    for (let i = 0; i < 40; i++) expect(Math.hypot(arms[2 * i], arms[2 * i + 1])).toBeCloseTo(0.05 + (0.95 * Math.floor(i / 4)) / 9, 5)
  })

  test('blobs take features and classes', () => {
    const data = blobs({ count: 9, features: 5, classes: 4, spread: 0 })
    expect(data.shape).toEqual([9, 5])
    expect(data.inputs.subarray(0, 5)).toEqual(data.inputs.subarray(20, 25))
  })

  test('noise is normal', () => {
    const { inputs } = blobs({ count: 20000, classes: 1, range: 0, seed: 3 })
    const moment = (k: number) => inputs.reduce((sum, x) => sum + x ** k, 0) / inputs.length
    expect(Math.abs(moment(1))).toBeLessThan(0.02)
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.03)
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.2)
  })
})

describe('trainTestSplit', () => {
  const data = blobs({ count: 101, classes: 3, seed: 2 })
  const rowsOf = ({ inputs, targets }: Dataset) => Array.from(targets, (t, i) => `${inputs[2 * i]},${inputs[2 * i + 1]},${t}`)

  test.each([true, false])('puts every row on one side, stratify %s', (stratify) => {
    const { train, test: held } = trainTestSplit(data, { testFraction: 0.3, seed: 4, stratify })
    expect(held.count).toBe(30)
    expect([...rowsOf(train), ...rowsOf(held)].sort()).toEqual(rowsOf(data).sort())
  })

  test('is the same for the same seed, another for another', () => {
    expect(trainTestSplit(data, { seed: 1 })).toEqual(trainTestSplit(data, { seed: 1 }))
    expect(trainTestSplit(data, { seed: 1 }).test).not.toEqual(trainTestSplit(data, { seed: 2 }).test)
  })

  test('keeps proportions of classes', () => {
    const { test: held } = trainTestSplit(iris(), { testFraction: 0.2 })
    expect([0, 1, 2].map((c) => held.targets.filter((t) => t === c).length)).toEqual([10, 10, 10])
  })

  test.each([
    ['20 classes of 2, a fifth', 20, 2, 0.2, 8],
    ['10 classes of 4, a tenth', 10, 4, 0.1, 4],
    ['30 classes of 3, a fifth', 30, 3, 0.2, 18],
    ['3 classes of 1, a third', 3, 1, 1 / 3, 1],
    ['classes of 1, 2 and 97', 0, 0, 0.2, 20],
  ])('keeps the fraction of all rows: %s', (_, classes, each, testFraction, wanted) => {
    const targets = classes ? Array.from({ length: classes * each }, (_, i) => Math.floor(i / each)) : [0, 1, 1, ...new Array(97).fill(2)]
    const table = fromArrays(
      targets.map((_, i) => [i]),
      Int32Array.from(targets),
    )
    const taken = new Set<number>()
    for (let seed = 0; seed < 40; seed++) {
      const { train, test: held } = trainTestSplit(table, { testFraction, seed })
      expect([train.count, held.count]).toEqual([targets.length - wanted, wanted])
      for (let c = 0; c < table.classes; c++) {
        const exact = targets.filter((t) => t === c).length * testFraction
        const count = held.targets.filter((t) => t === c).length
        expect(Math.abs(count - exact)).toBeLessThan(1)
        if (count > 0) taken.add(c)
      }
    }
    // chance decides between classes of equal size, not their number
    if (classes) expect(taken.size).toBe(classes)
  })

  test('refuses fractions that leave nothing', () => {
    for (const testFraction of [0, 1, -0.1, Number.NaN]) expect(() => trainTestSplit(data, { testFraction })).toThrow(/above 0 and below 1/)
    expect(() => trainTestSplit(xor(), { testFraction: 0.01 })).toThrow(/leaves one side empty/)
  })
})

describe('kFold', () => {
  const data = blobs({ count: 103, classes: 3, seed: 2 })
  const numbered = (count: number, classes = 0): Dataset<Float32Array | Int32Array> => ({
    inputs: Float32Array.from({ length: count }, (_, i) => i),
    targets: classes === 0 ? new Float32Array(count) : Int32Array.from({ length: count }, (_, i) => i % classes),
    ...{ count, features: 1, classes, shape: [count, 1] },
  })

  test.each([
    [2, true],
    [5, true],
    [5, false],
    [103, true],
    [7, false],
  ])('%d folds, stratify %s: each row is tested once, and trained on in all others', (folds, stratify) => {
    const rows = numbered(103, 3)
    const splits = kFold(rows, { folds, stratify, seed: 3 })
    expect(splits).toHaveLength(folds)
    const tested = splits.flatMap(({ test }) => [...test.inputs])
    expect(tested.sort((a, b) => a - b)).toEqual([...rows.inputs])
    for (const { train, test } of splits) {
      expect([...train.inputs, ...test.inputs].sort((a, b) => a - b)).toEqual([...rows.inputs])
      for (const part of [train, test]) expect([...part.targets]).toEqual(Array.from(part.inputs, (i) => i % 3))
    }
    const sizes = splits.map(({ test }) => test.count)
    expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  })

  test('every class in proportion, to one row', () => {
    const uneven = selectRows(
      data,
      [...data.targets.keys()].filter((i) => data.targets[i] !== 2 || i < 40),
    )
    for (const folds of [2, 3, 5, 10]) {
      const counts = kFold(uneven, { folds, seed: 1 }).map(({ test }) => [0, 1, 2].map((c) => test.targets.filter((t) => t === c).length))
      for (const c of [0, 1, 2]) {
        const ofClass = counts.map((count) => count[c])
        expect(Math.max(...ofClass) - Math.min(...ofClass), `${folds} folds, class ${c}`).toBeLessThanOrEqual(1)
      }
    }
    const plain = kFold(numbered(30, 3), { folds: 3, stratify: false, shuffle: false })
    expect(plain.map(({ test }) => [...test.inputs])).toEqual([0, 1, 2].map((k) => Array.from({ length: 10 }, (_, i) => 10 * k + i)))
  })

  test('a seed decides the order', () => {
    const first = (seed: number) => [...kFold(data, { seed })[0].test.inputs]
    expect(first(1)).toEqual(first(1))
    expect(first(1)).not.toEqual(first(2))
    expect(kFold(numbered(10))[0].test.inputs).not.toEqual(kFold(numbered(10), { shuffle: false })[0].test.inputs)
  })

  test('refuses what cannot be cut', () => {
    for (const folds of [1, 0, 2.5, 104, Number.NaN]) expect(() => kFold(data, { folds })).toThrow(`from 2 to the 103 rows, got ${folds}`)
    expect(() => kFold(numbered(10), { stratify: true })).toThrow('kFold: stratify wants classes')
    expect(() => kFold(data, { k: 3 } as object)).toThrow("kFold: there is no option 'k'")
    expect(() => trainTestSplit(data, { testSize: 0.3 } as object)).toThrow("trainTestSplit: there is no option 'testSize'")
    const bare = [{ x: 1, y: 2 }]
    expect(() => fromTable(bare, { target: 'y', ignore: ['x'] } as never)).toThrow("fromTable: there is no option 'ignore'")
  })
})

describe('selectRows', () => {
  test('copies rows in order', () => {
    const picked = selectRows(iris(), [149, 0, 0])
    expect(picked.shape).toEqual([3, 4])
    expect([...picked.targets]).toEqual([2, 0, 0])
  })

  test('refuses what is no row', () => {
    for (const row of [-1, 150, 0.5, Number.NaN]) expect(() => selectRows(iris(), [0, row])).toThrow(`index 1 is ${row}`)
  })
})

describe('standardize', () => {
  test('scales by the training data alone', () => {
    const split = trainTestSplit(iris(), { seed: 9 })
    const { train, test: held, scaler } = standardize(split)
    const again = fitScaler(train.inputs, 4)
    for (let j = 0; j < 4; j++) {
      expect(again.mean[j]).toBeCloseTo(0, 6)
      expect(again.deviation[j]).toBeCloseTo(1, 6)
    }
    expect(held.inputs).toEqual(scaler.apply(split.test.inputs))
    expect(held.targets).toEqual(split.test.targets)
    expect(fitScaler(held.inputs, 4).mean[0]).not.toBeCloseTo(0, 3)
  })

  test('takes the mean off before it rounds: columns far from 0, such as times, keep their differences', () => {
    const times = [1.7e9, 1.7e9 + 10, 1.7e9 + 20, 1.7e9 + 30]
    const scaler = scalerFromState({ format: 'gradus-scaler/1', mean: [1.7e9 + 15], deviation: [1] })
    expect([...scaler.apply(times)]).toEqual([-15, -5, 5, 15])
  })

  test('leaves constant features alone', () => {
    const { apply, deviation } = fitScaler(Float32Array.of(0.1, 1, 0.1, 2, 0.1, 3), 2)
    expect(deviation[0]).toBe(1)
    expect(Math.abs(apply(Float32Array.of(0.1, 2))[0])).toBeLessThan(1e-6)
  })

  test('doubles that differ in their last digits, such as times a second apart, are no constants', () => {
    const times = Array.from({ length: 100 }, (_, i) => 1.7e9 + i)
    // the standard deviation of 0 … 99
    const deviation = Math.sqrt((100 ** 2 - 1) / 12)
    expect(fitScaler(times, 1).deviation[0]).toBeCloseTo(deviation, 6)
    expect(fitScaler(Float64Array.from(times), 1).deviation[0]).toBeCloseTo(deviation, 6)
    // numbers of 32 bits cannot tell seconds apart there: what is left is their rounding
    expect(fitScaler(Float32Array.from(times), 1).deviation[0]).toBe(1)
  })

  test('doubles that are equal are constants, whatever their mean rounds to', () => {
    for (const value of [0.1, 1 / 3, 1.7e9 + 0.1, -1e-30, 0]) {
      for (const rows of [1, 3, 7, 1000]) expect(fitScaler(new Array(rows).fill(value), 1).deviation[0], `${rows} × ${value}`).toBe(1)
    }
  })

  test('refuses ragged rows and none', () => {
    expect(() => fitScaler(new Float32Array(5), 2)).toThrow('5 values are no whole rows of 2 features')
    expect(() => fitScaler(new Float32Array(0), 2)).toThrow('no rows')
    expect(() => fitScaler(new Float32Array(2), 0)).toThrow('features wants a whole number ≥ 1')
    expect(() => fitScaler(new Float32Array(2), 2).apply(new Float32Array(3))).toThrow('Scaler.apply: 3 values')
  })

  test('a scaler comes back from JSON to the bit', () => {
    const inputs = blobs({ count: 50, features: 3, spread: 1e-3, seed: 1 }).inputs
    const scaler = fitScaler(inputs, 3)
    const again = scalerFromState(JSON.parse(JSON.stringify(scaler.state())))
    expect(again.mean).toEqual(scaler.mean)
    expect(again.deviation).toEqual(scaler.deviation)
    expect(again.apply(inputs)).toEqual(scaler.apply(inputs))
    expect(again.invert(inputs)).toEqual(scaler.invert(inputs))
  })

  test('a state is a copy, both ways', () => {
    const state = fitScaler(Float32Array.of(1, 3), 1).state()
    const scaler = scalerFromState(state)
    state.mean[0] = 9
    expect(scaler.mean[0]).toBe(2)
    scaler.state().deviation[0] = 9
    expect(scaler.deviation[0]).toBe(1)
  })

  test('refuses what is no state of a scaler, and damaged ones', () => {
    const state = fitScaler(Float32Array.of(1, 3), 1).state()
    const foreign: [unknown, string][] = [
      [null, 'null'],
      [JSON.parse(JSON.stringify(fitScaler(Float32Array.of(1, 3), 1))), 'an object with mean, deviation'],
      [{ format: 'gradus-table/1' }, "'gradus-table/1'"],
    ]
    for (const [given, got] of foreign)
      expect(() => scalerFromState(given as typeof state)).toThrow(`this is no state of a scaler, but ${got}; take it with scaler.state()`)
    const damage = [{ mean: [] }, { mean: [1, 2] }, { mean: [null] }, { mean: { 0: 1 } }, { deviation: [0] }, { deviation: ['1'] }]
    for (const part of damage)
      expect(() => scalerFromState({ ...state, ...part } as typeof state), JSON.stringify(part)).toThrow('wants finite means')
  })
})

describe('fromTable', () => {
  const rows: Row[] = [
    { island: 'Dream', mass: '3700', adult: true, species: 'Chinstrap' },
    { island: 'Biscoe', mass: 5100, adult: false, species: 'Gentoo' },
    { island: 'Dream', mass: 3500, adult: true, species: 'Adelie' },
  ]

  test('numbers are one feature, also as text; all else has one for each category, in alphabetical order', () => {
    const table = fromTable(rows, { target: 'species' })
    expect(table.featureNames).toEqual(['island=Biscoe', 'island=Dream', 'mass', 'adult=false', 'adult=true'])
    expect(table.shape).toEqual([3, 5])
    expect([...table.inputs]).toEqual([0, 1, 3700, 0, 1, 1, 0, 5100, 1, 0, 0, 1, 3500, 0, 1])
    expect(table.targets).toEqual(Int32Array.of(1, 2, 0))
    expect(table).toMatchObject({ count: 3, features: 5, classes: 3, classNames: ['Adelie', 'Chinstrap', 'Gentoo'] })
  })

  test('a target of numbers stays numbers, unless it is named as categories', () => {
    const numbers = fromTable(rows, { target: 'mass', inputs: ['island'] })
    expect(numbers.targets).toEqual(Float32Array.of(3700, 5100, 3500))
    expect(numbers).toMatchObject({ classes: 0, classNames: [], featureNames: ['island=Biscoe', 'island=Dream'] })
    const classes = fromTable(rows, { target: 'mass', inputs: ['island'], categories: ['mass'] })
    expect(classes.targets).toEqual(Int32Array.of(1, 2, 0))
    expect(classes.classNames).toEqual(['3500', '3700', '5100'])
  })

  test('encodes other rows in the same way, without their target', () => {
    const { encode } = fromTable(rows, { target: 'species' })
    expect([...encode([{ mass: 4000, adult: 'true', island: 'Biscoe' }])]).toEqual([1, 0, 4000, 0, 1])
    expect(encode([])).toHaveLength(0)
    expect(() => encode([{ mass: 4000, adult: true, island: 'Torgersen' }])).toThrow(
      "encode: column 'island' of row 0 wants one of Biscoe, Dream, got 'Torgersen'",
    )
    expect(() => encode([rows[0], { mass: 'heavy', adult: true, island: 'Dream' }])).toThrow(
      "encode: column 'mass' of row 1 wants a number, got 'heavy'",
    )
    expect(() => encode([{ mass: Number.NaN, adult: true, island: 'Dream' }])).toThrow("encode: no value in column 'mass' of row 0")
  })

  test('an encoder comes back from JSON', () => {
    const table = fromTable(rows, { target: 'species', missingValues: [-999, 'NA'] })
    const again = encoderFromState(JSON.parse(JSON.stringify(table.state())))
    expect(again.encode(rows)).toEqual(table.inputs)
    for (const name of ['features', 'featureNames', 'classes', 'classNames'] as const) expect(again[name]).toEqual(table[name])
    expect(again.state()).toEqual(table.state())
    expect(() => again.encode([{ ...rows[0], mass: '-999' }])).toThrow("encode: no value in column 'mass' of row 0")
    const numbers = fromTable(rows, { target: 'mass' })
    expect(encoderFromState(numbers.state())).toMatchObject({ classes: 0, classNames: [] })
    expect(trainTestSplit(numbers, { testFraction: 0.4 }).train.state()).toEqual(numbers.state())
  })

  test('the state of an encoder is a copy, both ways', () => {
    const state = fromTable(rows, { target: 'species' }).state()
    const encoder = encoderFromState(state)
    ;(state.columns[0].categories as string[])[0] = 'Bermuda'
    expect(encoder.featureNames[0]).toBe('island=Biscoe')
    ;(encoder.state().columns[0].categories as string[])[0] = 'Bermuda'
    expect(encoder.state().columns[0].categories?.[0]).toBe('Biscoe')
  })

  test('refuses what is no state of a table, and damaged ones', () => {
    const table = fromTable(rows, { target: 'species' })
    const state = table.state()
    for (const given of [undefined, {}, table, fitScaler(Float32Array.of(1, 3), 1).state()])
      expect(() => encoderFromState(given as typeof state)).toThrow('this is no state of a table')
    for (const columns of [[], {}, null])
      expect(() => encoderFromState({ ...state, columns } as typeof state)).toThrow('columns and missing')
    for (const column of [null, { name: 'x' }, { name: 1, categories: null }, { name: 'x', categories: [1] }])
      expect(() => encoderFromState({ ...state, columns: [column] } as never)).toThrow('a column has a name')
    expect(() => encoderFromState({ ...state, target: undefined } as never)).toThrow('got undefined')
  })

  test.each([[undefined], [null], [Number.NaN], [''], ['  '], ['NA']])('%j is missing', (value) => {
    const gap = [...rows, { ...rows[0], mass: value }]
    const options = { target: 'species', missingValues: ['NA'] }
    expect(() => fromTable(gap, options)).toThrow("no value in column 'mass' of row 3; give missing: 'drop'")
    expect(fromTable(gap, { ...options, missing: 'drop' })).toMatchObject({ count: 3, features: 5 })
  })

  test('a gap in a column that is not used is none', () => {
    expect(fromTable([{ ...rows[0], mass: null }, rows[1]], { target: 'species', inputs: ['adult'] }).count).toBe(2)
  })

  test('says what does not fit', () => {
    expect(() => fromTable([], { target: 'species' })).toThrow('there are no rows')
    expect(() => fromTable(rows, { target: 'spezies' })).toThrow("no column 'spezies', only island, mass, adult, species")
    expect(() => fromTable(rows, { target: 'species', inputs: ['weight'] })).toThrow("no column 'weight'")
    expect(() => fromTable(rows, { target: 'species', inputs: [] })).toThrow('no column to learn from')
    expect(() => fromTable([{ a: null, b: 1 }], { target: 'b', missing: 'drop' })).toThrow('missing in each of the 1 rows')
    expect(() => fromTable([{ a: new Date(0), b: 1 }], { target: 'b' })).toThrow(TypeError)
    expect(() => fromTable(rows, { target: 'species', missing: 'mode' as 'mean' })).toThrow(
      "missing wants 'fail', 'drop', 'mean', 'median' or a number, got 'mode'",
    )
  })
})

describe('fromTable and columns that are nearly numbers', () => {
  const rows = Array.from({ length: 12 }, (_, i) => ({ a: i as number | string, b: `${i % 3}`, y: i }))
  const withA = (value: number | string, at = 5) => rows.map((row, i) => (i === at ? { ...row, a: value } : row))

  test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e300])('%d is no number that a net learns from', (value) => {
    expect(() => fromTable(withA(value), { target: 'y' })).toThrow(
      `fromTable: column 'a' of row 5 wants a finite number (of 32 bits), got ${value}`,
    )
    expect(() => fromTable([...withA(value).slice(5)], { target: 'a' })).toThrow("column 'a' of row 0")
  })

  test('a stray text is an error that says what to do', () => {
    expect(() => fromTable(withA('n/a', 7), { target: 'y' })).toThrow(
      `fromTable: column 'a' has numbers in 11 rows, but 'n/a' in row 7; add that to missingValues, or 'a' to categories`,
    )
    expect(fromTable(withA('n/a'), { target: 'y', missingValues: ['n/a'], missing: 'drop' })).toMatchObject({ count: 11, features: 2 })
    expect(fromTable(withA('n/a'), { target: 'y', categories: ['a'] }).features).toBe(13)
    const mixed = withA('n/a').map((row, i) => (i % 3 === 0 ? { ...row, a: 'x' } : row))
    expect(fromTable(mixed, { target: 'y', inputs: ['a'] }).features).toBe(9)
  })

  test('a missing value may be a number, given as text or not', () => {
    for (const missing of ['-999', -999]) {
      const options = { target: 'y', missing: 'drop', missingValues: [missing] } as const
      for (const value of [-999, '-999']) expect(fromTable(withA(value), options)).toMatchObject({ count: 11, features: 2 })
    }
  })

  test('categories that are numbers are sorted as such', () => {
    const table = fromTable(rows, { target: 'y', inputs: ['b'], categories: ['y', 'b'] })
    expect(table.targets).toEqual(Int32Array.from({ length: 12 }, (_, i) => i))
    expect(table.classNames.slice(9)).toEqual(['9', '10', '11'])
  })

  test('the target is no input, and what an object inherits is no column', () => {
    expect(() => fromTable(rows, { target: 'y', inputs: ['a', 'y'] })).toThrow("inputs has the target 'y'")
    expect(() => fromTable(rows as object[], { target: 'toString' })).toThrow("there is no column 'toString'")
    const { encode } = fromTable([{ valueOf: 1, y: 1 }], { target: 'y' })
    expect(() => encode([{}])).toThrow("no value in column 'valueOf' of row 0")
  })
})

describe('targets that are numbers', () => {
  const table = fromTable(
    Array.from({ length: 50 }, (_, i) => ({ x: i, y: 100 + 3 * i })),
    { target: 'y' },
  )

  test('are split with their rows', () => {
    const { train, test: held } = trainTestSplit(table, { seed: 2, testFraction: 0.3 })
    expect([train.count, held.count]).toEqual([35, 15])
    for (const { inputs, targets } of [train, held]) {
      expect(targets).toBeInstanceOf(Float32Array)
      inputs.forEach((x, i) => expect(targets[i]).toBe(100 + 3 * x))
    }
    expect([...train.inputs, ...held.inputs].sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i))
    expect(() => trainTestSplit(table, { stratify: true })).toThrow('stratify wants classes')
  })

  test('are scaled on demand, and back', () => {
    const split = trainTestSplit(table, { seed: 2 })
    const plain = standardize(split)
    expect(plain.train.targets).toEqual(split.train.targets)
    expect(plain.targetScaler.invert([7])).toEqual(Float32Array.of(7))
    const { train, test: held, targetScaler } = standardize(split, { targets: true })
    const mean = Array.from(train.targets).reduce((sum, y) => sum + y / train.count, 0)
    const square = Array.from(train.targets).reduce((sum, y) => sum + y ** 2 / train.count, 0)
    expect(mean).toBeCloseTo(0, 5)
    expect(square).toBeCloseTo(1, 5)
    targetScaler.invert(held.targets).forEach((y, i) => expect(y).toBeCloseTo(split.test.targets[i], 3))
    expect(() => standardize(trainTestSplit(iris()), { targets: true })).toThrow('targets are classes')
  })
})
