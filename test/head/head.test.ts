/** Heads: what they predict, learn and forget, and that bad input leaves them as they were. */
import { describe, expect, expectTypeOf, test, vi } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { chooseEngine, engineOfHeads } from '../../ts/head/engine.js'
import {
  chooseNext,
  findDuplicates,
  findMislabelled,
  type Head,
  type HeadPrediction,
  headToFunction,
  loadHead,
  trainHead,
} from '../../ts/head/index.js'
import { Lines } from '../../ts/head/lines.js'
import { tensor } from '../../ts/index.js'
import { collectGarbage } from '../tools/garbage.js'

/** Clouds around random points, by class. */
function clouds(labels: readonly string[], each: number, width: number, spread = 0.5, seed = 1) {
  const random = new RandomStream(seed)
  const centers = labels.map(() => Array.from({ length: width }, () => random.normal()))
  const at = (c: number) => Float32Array.from(centers[c], (x) => x + spread * random.normal())
  const names = Array.from({ length: each * labels.length }, (_, i) => labels[i % labels.length])
  return { vectors: names.map((name) => at(labels.indexOf(name))), labels: names, at: (name: string) => at(labels.indexOf(name)) }
}

const ANIMALS = ['cat', 'dog', 'fish', 'owl'] as const
const TWO = [
  [
    [0, 1],
    [0, 2],
    [1, 0],
    [2, 0],
  ],
  ['cat', 'cat', 'dog', 'dog'],
] as const
const closeTo = (a: HeadPrediction[], b: HeadPrediction[], within: number) => {
  expect(a.map(({ label }) => label)).toEqual(b.map(({ label }) => label))
  for (const [i, { probabilities }] of a.entries())
    for (const [name, p] of Object.entries(probabilities))
      expect(Math.abs(p - (b[i].probabilities as Record<string, number>)[name])).toBeLessThan(within)
}

describe('a head', () => {
  test('names the class of vectors that it did not see, with probabilities that add up to 1', async () => {
    const { vectors, labels, at } = clouds(ANIMALS, 20, 16)
    const head = await trainHead(vectors, labels)
    expect(head.labels).toEqual([...ANIMALS])
    const asked = Array.from({ length: 200 }, (_, i) => ANIMALS[i % 4])
    const found = head.predict(asked.map(at))
    expect(found.filter(({ label }, i) => label === asked[i]).length).toBeGreaterThan(195)
    for (const { label, probability, probabilities } of found) {
      expect(Object.values(probabilities).reduce((a, b) => a + b)).toBeCloseTo(1, 12)
      expect(probabilities[label]).toBe(probability)
    }
    expect(head.report?.accuracy).toBeGreaterThan(0.95)
    expect(head.report?.folds).toBe(5)
  })

  test('learns from three examples a class', async () => {
    const { vectors, labels, at } = clouds(ANIMALS, 3, 32, 0.4)
    const head = await trainHead(vectors, labels)
    const asked = Array.from({ length: 100 }, (_, i) => ANIMALS[i % 4])
    expect(head.predict(asked.map(at)).filter(({ label }, i) => label === asked[i]).length).toBeGreaterThan(90)
  })

  test('one example of each class is enough to begin with', async () => {
    const head = await trainHead(
      [
        [0, 1],
        [1, 0],
      ],
      ['a', 'b'],
    )
    expect(head.report).toBeNull()
    expect(head.predict([0, 2]).label).toBe('a')
  })

  test('takes typed arrays, tensors of gradus and tensors of others alike', async () => {
    const { vectors, labels } = clouds(ANIMALS, 5, 8)
    const flat = Float32Array.from(vectors.flatMap((v) => [...v]))
    const heads = [
      await trainHead(vectors, labels),
      await trainHead(
        vectors.map((v) => [...v]),
        labels,
      ),
      await trainHead(tensor(flat, [20, 8]), labels),
      await trainHead({ data: flat, dims: [20, 8] }, labels),
    ]
    const [first, ...others] = heads.map((head) => head.predict({ data: flat, dims: [20, 8] }))
    for (const other of others) expect(other).toEqual(first)
    expect(heads[0].predict(vectors[0])).toEqual(first[0])
    expect(heads[0].predict(tensor(vectors[0]))).toEqual(first[0])
  })

  test('takes what transformers.js, fastembed and MediaPipe give, as they give it', async () => {
    const { vectors, labels } = clouds(ANIMALS, 5, 8)
    const expected = (await trainHead(vectors, labels)).predict(vectors)
    // transformers.js: a Tensor of its own, with further fields behind a proxy
    const theirs: { dims: number[]; data: Float32Array | BigInt64Array | unknown[] } = new Proxy(
      { ort_tensor: {}, type: 'float32', dims: [20, 8], data: Float32Array.from(vectors.flatMap((v) => [...v])), size: 160 },
      { get: (target, key) => Reflect.get(target, key) },
    )
    expect((await trainHead(theirs, labels)).predict(theirs)).toEqual(expected)
    // fastembed: batches of arrays
    const batches = async function* () {
      for (let i = 0; i < 20; i += 6) yield vectors.slice(i, i + 6).map((vector) => Array.from(vector))
    }
    const arrays: number[][] = []
    for await (const batch of batches()) arrays.push(...batch)
    expect((await trainHead(arrays, labels)).predict(arrays)).toEqual(expected)
    // MediaPipe: an embedding a result
    const results = vectors.map((vector) => ({ embeddings: [{ floatEmbedding: Array.from(vector), headIndex: 0, headName: 'feature' }] }))
    const floats = results.map(({ embeddings }) => embeddings[0].floatEmbedding)
    expect((await trainHead(floats, labels)).predict(floats)).toEqual(expected)
    // integers and texts that such a tensor may hold
    await expect(trainHead({ data: new BigInt64Array(4), dims: [2, 2] }, ['cat', 'dog'])).rejects.toThrow(
      'trainHead: vectors wants numbers, got 0n; give the embeddings of the model, not its tokens',
    )
    await expect(trainHead({ data: [1, 2, '3', 4], dims: [2, 2] }, ['cat', 'dog'])).rejects.toThrow('row 1 wants finite numbers')
    // tokens that were not pooled
    await expect(trainHead({ data: new Float32Array(40), dims: [1, 5, 8] }, ['cat'])).rejects.toThrow(/pool the tokens of each text first/)
  })

  test('numbers and booleans are labels, too, in their order', async () => {
    const head = await trainHead(
      [
        [0, 1],
        [1, 0],
        [5, 5],
      ],
      [10, 2, 3],
    )
    expect(head.labels).toEqual([2, 3, 10])
    expect(head.predict([5, 6]).label).toBe(3)
    expect((await trainHead([[0], [1]], [true, false])).predict([0]).label).toBe(true)
  })

  test('the same seed gives the same bits', async () => {
    const { vectors, labels } = clouds(ANIMALS, 10, 8)
    const grown = async () => {
      const head = await trainHead<string>(vectors, labels, { seed: 3 })
      head.add(
        vectors[0].map((x) => -x),
        'crab',
      )
      return head.predict(vectors)
    }
    expect(await grown()).toEqual(await grown())
  })

  test('does not depend on the scale of the vectors', async () => {
    const { vectors, labels } = clouds(ANIMALS, 10, 8)
    const usual = await trainHead(vectors, labels)
    const large = await trainHead(
      vectors.map((v) => v.map((x) => 1e4 * x + 500)),
      labels,
    )
    closeTo(large.predict(vectors.map((v) => v.map((x) => 1e4 * x + 500))), usual.predict(vectors), 0.01)
  })

  test('probabilities are calibrated', async () => {
    const { vectors, labels, at } = clouds(ANIMALS, 50, 8, 1.6)
    const head = await trainHead(vectors, labels)
    const asked = Array.from({ length: 2000 }, (_, i) => ANIMALS[i % 4])
    const found = head.predict(asked.map(at))
    const accuracy = found.filter(({ label }, i) => label === asked[i]).length / asked.length
    const confidence = found.reduce((sum, { probability }) => sum + probability, 0) / asked.length
    expect(accuracy).toBeLessThan(0.9)
    expect(Math.abs(accuracy - confidence)).toBeLessThan(0.04)
  })

  test('says of what it does not know that it is none, and of about one in twenty of what it knows', async () => {
    const { vectors, labels, at } = clouds(ANIMALS, 50, 32)
    const isKnown = (_: unknown, i: number) => labels[i] !== 'owl'
    const head = await trainHead(vectors.filter(isKnown), labels.filter(isKnown))
    const known = head.predict(Array.from({ length: 900 }, (_, i) => at(ANIMALS[i % 3])))
    const owls = head.predict(Array.from({ length: 300 }, () => at('owl')))
    expect(owls.filter(({ isNone }) => isNone).length).toBeGreaterThan(290)
    const rate = known.filter(({ isNone }) => isNone).length / 900
    expect(rate).toBeGreaterThan(0.02)
    expect(rate).toBeLessThan(0.1)
    // p-values of known classes are evenly distributed between 0 and 1
    expect(known.reduce((sum, { pValue }) => sum + pValue, 0) / 900).toBeCloseTo(0.5, 1)
    expect((await trainHead(vectors, labels, { noneBelow: 0 })).predict([...vectors[0]].map((x) => 100 * x)).isNone).toBe(false)
  })

  test('says of zeros that they are none, if no example is zeros: they may be near every mean', async () => {
    const { vectors, labels } = clouds(['cat', 'dog'], 4, 8, 0.2)
    const rows = vectors.map((v) => [...v].map((x) => x / Math.hypot(...v)))
    const head = await trainHead<string>(rows, labels)
    const zeros = new Float32Array(8)
    expect(head.predict(zeros)).toMatchObject({ pValue: 0, isNone: true })
    expect(head.predict(zeros.map((_, j) => Number(j === 7))).pValue).toBeGreaterThan(0)
    expect((await loadHead(head.bytes())).predict(zeros).isNone).toBe(true)
    head.add(zeros, 'nothing')
    for (const own of [head, await loadHead(head.bytes())]) expect(own.predict(zeros).pValue).toBeGreaterThan(0)
    head.forget({ label: 'nothing' })
    expect(head.predict(zeros).isNone).toBe(true)
    expect((await trainHead(rows, labels, { noneBelow: 0 })).predict(zeros).isNone).toBe(false)
  })

  test('warns of a column that hides the others, not of a scale that all have', async () => {
    const { vectors, labels } = clouds(['cat', 'dog'], 10, 8, 0.2)
    const warn = vi.spyOn(console, 'warn').mockReturnValue()
    const wide = (factor: number, column: number) => vectors.map((v) => v.map((x, j) => (j === column ? factor * x : x)))
    for (const rows of [wide(100, 3), vectors.map((v) => v.map((x) => 1e6 * x)), wide(0, 3)]) await trainHead(rows, labels)
    expect(warn).not.toHaveBeenCalled()
    await trainHead(wide(1e6, 3), labels)
    await trainHead(
      wide(1e6, 5),
      labels.map((label) => [label]),
    )
    const said = warn.mock.calls.flat().join('\n')
    expect(said).toMatch(
      /trainHead: the numbers at place 3 of the vectors vary [\d,]+ times.*hide them; divide each column.*\n.*at place 5/,
    )
    warn.mockRestore()
  })

  test('held-out losses of few rows with many columns are about those of an exact search', async () => {
    const solve = Lines.prototype.solve
    for (let seed = 1; seed < 9; seed++) {
      const { vectors, labels } = clouds(ANIMALS.slice(0, 3), 5 + 5 * (seed % 3), 50 * (1 + (seed % 2)), 2 + (seed % 3), seed)
      const head = await trainHead(vectors, labels, { hidden: [] })
      const exact = vi.spyOn(Lines.prototype, 'solve').mockImplementation(function (this: Lines, penalty, _, every) {
        solve.call(this, penalty, { absolute: 1e-8 }, every)
      })
      const { report } = await trainHead(vectors, labels, { hidden: [], l2: head.l2 })
      exact.mockRestore()
      const [got, wanted] = [head.report?.logLoss ?? 0, report?.logLoss ?? 1]
      expect(Math.abs(got - wanted), `seed ${seed}: ${got}, ${wanted}`).toBeLessThan(0.05 * wanted + 0.002)
    }
  })

  test('priors change probabilities by Bayes’ rule', async () => {
    const { vectors, labels } = clouds(ANIMALS, 10, 8, 1.5)
    const head = await trainHead(vectors, labels)
    const before = head.predict(vectors[0]).probabilities as Record<string, number>
    const priors = { cat: 0.7, dog: 0.1, fish: 0.1, owl: 0.1 }
    head.setPriors(priors)
    const weighed = ANIMALS.map((name) => before[name] * priors[name])
    const sum = weighed.reduce((a, b) => a + b)
    for (const [c, name] of ANIMALS.entries())
      expect((head.predict(vectors[0]).probabilities as Record<string, number>)[name]).toBeCloseTo(weighed[c] / sum, 10)
    head.setPriors('examples')
    expect(head.predict(vectors[0]).probabilities).toEqual(before)
    expect(() => head.setPriors({ cat: 0.5 })).toThrow('setPriors: priors wants shares that add up to 1, got 0.5')
    expect(() => head.setPriors({ whale: 1 } as never)).toThrow(
      "setPriors: priors wants labels of the head, cat, dog, fish, owl, got 'whale'",
    )
    expect(head.predict(vectors[0]).probabilities).toEqual(before)
  })

  test('uniform priors undo unequal numbers of examples', async () => {
    const { vectors, labels } = clouds(['a', 'b'], 60, 4, 2)
    const keeps = (_: unknown, i: number) => labels[i] === 'a' || i < 24
    const head = await trainHead(vectors.filter(keeps), labels.filter(keeps), { priors: 'uniform', calibrate: false })
    const plain = await trainHead(vectors.filter(keeps), labels.filter(keeps), { calibrate: false })
    const odds = (p: Record<string, number>) => p.b / p.a
    expect(odds(head.predict(vectors[3]).probabilities) / odds(plain.predict(vectors[3]).probabilities)).toBeCloseTo(60 / 12, 8)
  })

  test('labels go through as types', async () => {
    const head = await trainHead(
      [
        [0, 1],
        [1, 0],
      ],
      ['cat', 'dog'],
    )
    expectTypeOf(head).toEqualTypeOf<Head<'cat' | 'dog'>>()
    expectTypeOf(head.predict([0, 1]).label).toEqualTypeOf<'cat' | 'dog'>()
    expectTypeOf(head.predict([0, 1]).probabilities.dog).toBeNumber()
    // @ts-expect-error: no such label
    expect(() => head.forget({ label: 'cow' })).toThrow("forget: label wants one of cat, dog, got 'cow'")
    const open = await trainHead<string>(
      [
        [0, 1],
        [1, 0],
      ],
      ['cat', 'dog'],
    )
    expectTypeOf(open.predict([[0, 1]])).toEqualTypeOf<HeadPrediction<string>[]>()
  })
})

describe('add and forget', () => {
  test('examples that come one by one make the head that they make together', async () => {
    const { vectors, labels } = clouds(ANIMALS, 12, 8, 1)
    const whole = await trainHead(vectors, labels, { l2: 0.3, calibrate: false, gradientTolerance: 1e-7 })
    const grown = await trainHead<string>(vectors.slice(0, 10), labels.slice(0, 10), { l2: 0.3, calibrate: false, gradientTolerance: 1e-7 })
    grown.add(vectors[10], labels[10])
    grown.add(vectors.slice(11, 40), labels.slice(11, 40))
    for (let i = 40; i < vectors.length; i++) grown.add(vectors[i], labels[i])
    expect(grown.count).toBe(48)
    expect(grown.exampleLabels).toEqual(labels)
    closeTo(grown.predict(vectors), whole.predict(vectors), 1e-5)
    for (const v of vectors) expect(grown.predict(v).pValue).toBeCloseTo(whole.predict(v).pValue, 12)
  })

  test('what was added and forgotten leaves no trace', async () => {
    const { vectors, labels } = clouds(ANIMALS, 8, 8, 1)
    const options = { l2: 0.3, gradientTolerance: 1e-7 }
    const head = await trainHead<string>(vectors, labels, options)
    const before = head.predict(vectors)
    head.add(
      vectors.slice(0, 3).map((v) => v.map((x) => -x)),
      ['cow', 'cow', 'cat'],
    )
    expect(head.labels).toEqual([...ANIMALS, 'cow'])
    expect(head.predict(vectors[0].map((x) => -x)).label).toBe('cow')
    head.forget({ label: 'cow' })
    expect(head.labels).toEqual([...ANIMALS])
    head.forget({ index: 32 })
    expect(head.count).toBe(32)
    closeTo(head.predict(vectors), before, 1e-5)
    expect(head.predict(vectors).map(({ pValue }) => pValue)).toEqual(before.map(({ pValue }) => pValue))
  })

  test('numbers of examples move up where one is forgotten, and a class goes with its last example', async () => {
    const head = await trainHead<string>(
      [
        [0, 1],
        [1, 0],
        [5, 5],
        [5, 6],
      ],
      ['a', 'b', 'c', 'c'],
    )
    head.forget({ index: 1 })
    expect(head.labels).toEqual(['a', 'c'])
    expect(head.exampleLabels).toEqual(['a', 'c', 'c'])
    expect(head.nearest([5, 6.1], 1)).toMatchObject([{ index: 2, label: 'c' }])
    expect(() => head.forget({ label: 'a' })).toThrow(
      'forget: a head wants at least two classes, and 1 would be left; add another class first',
    )
    expect(head.labels).toEqual(['a', 'c'])
  })

  test('nearest examples explain a prediction', async () => {
    const { vectors, labels } = clouds(ANIMALS, 10, 8)
    const head = await trainHead(vectors, labels)
    const [first, second] = head.nearest(vectors[7], 2)
    expect(first).toMatchObject({ index: 7, label: labels[7] })
    expect(first.similarity).toBeCloseTo(1, 6)
    expect(second.similarity).toBeLessThan(first.similarity)
    expect(head.nearest(vectors[7], 100)).toHaveLength(40)
  })
})

describe('bad input', () => {
  const train = (vectors: unknown, labels: unknown) => trainHead(vectors as never, labels as never)
  const cases: [what: string, vectors: unknown, labels: unknown, message: string][] = [
    [
      'a vector of another length',
      [
        [1, 2],
        [1, 2, 3],
      ],
      ['a', 'b'],
      'trainHead: row 1 wants 2 numbers, as row 0, got 3; embed all rows by the same model',
    ],
    [
      'a number that is not finite',
      [
        [1, 2],
        [1, Number.NaN],
      ],
      ['a', 'b'],
      'trainHead: row 1 wants finite numbers, got NaN at place 1; leave the row out, or embed it again',
    ],
    [
      'a hole',
      [
        [1, 2],
        [1, undefined],
      ],
      ['a', 'b'],
      'trainHead: row 1 wants finite numbers, got undefined at place 1',
    ],
    ['a number beyond single precision', [[1e39], [1]], ['a', 'b'], 'trainHead: row 0 wants numbers below 3.4e38, got 1e+39 at place 0'],
    ['no vector', [[1, 2], undefined], ['a', 'b'], 'trainHead: row 1 wants an array of numbers, got undefined'],
    ['a promise', [[1, 2], Promise.resolve([1, 2])], ['a', 'b'], 'trainHead: row 1 wants an array of numbers, got a Promise'],
    [
      'tokens that are not pooled',
      { data: new Float32Array(8), dims: [2, 2, 2] },
      ['a', 'b'],
      'trainHead: vectors wants a tensor [rows, width], got shape [2, 2, 2]; pool the tokens',
    ],
    [
      'all alike',
      [
        [1, 2],
        [1, 2],
        [1, 2],
      ],
      ['a', 'b', 'b'],
      'trainHead: vectors wants rows that differ, and all 3 are alike',
    ],
    [
      'one class alone',
      [
        [1, 2],
        [3, 4],
      ],
      ['a', 'a'],
      'trainHead: labels wants at least two classes, and all rows are a; add rows of another class',
    ],
    [
      'a label that is undefined',
      [
        [1, 2],
        [3, 4],
      ],
      ['a', undefined],
      'trainHead: the label of row 1 wants a text, a finite number or a boolean, got undefined; leave the row out',
    ],
    [
      'a label that is empty',
      [
        [1, 2],
        [3, 4],
      ],
      ['a', ''],
      "trainHead: the label of row 1 wants a text, a finite number or a boolean, got ''; leave the row out",
    ],
    [
      'an array among labels',
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      ['a', 'b', ['a', 'b']],
      'trainHead: the label of row 2 wants a text, a finite number or a boolean, got',
    ],
    [
      'a label that is NaN',
      [
        [1, 2],
        [3, 4],
      ],
      [Number.NaN, 1],
      'trainHead: the label of row 0 wants a text, a finite number or a boolean, got NaN',
    ],
    [
      'a label that is no property',
      [
        [1, 2],
        [3, 4],
      ],
      ['__proto__', 'a'],
      "trainHead: the label of row 0 wants a text, a finite number or a boolean, got '__proto__'; leave the row out",
    ],
    [
      'labels alike as text',
      [
        [1, 2],
        [3, 4],
      ],
      [1, '1'],
      "trainHead: the labels '1' and 1 (row 0) are alike as text",
    ],
    [
      'fewer labels',
      [
        [1, 2],
        [3, 4],
      ],
      ['a'],
      'trainHead: labels wants one for each of 2 vectors, got 1',
    ],
    ['no rows', [], [], 'trainHead: vectors wants examples of two classes, got none'],
    ['empty vectors', [[], []], ['a', 'b'], 'trainHead: vectors wants examples of two classes, got none'],
    ['a text', 'abc', ['a'], "trainHead: vectors wants arrays of numbers, one for each row, or a tensor [rows, width], got 'abc'"],
  ]

  test.each(cases)('trainHead names the row and a remedy: %s', async (_, vectors, labels, message) => {
    await expect(train(vectors, labels)).rejects.toThrow(message)
  })

  test('C of scikit-learn is 1/l2', async () => {
    await expect(trainHead(...TWO, { C: 10 } as never)).rejects.toThrow("trainHead: there is no option 'C'; did you mean l2 = 1/C?")
  })

  const bad: [what: string, change: (head: Head<string>) => void, message: string][] = [
    ['a vector of another length', (head) => head.add([1, 2, 3], 'cat'), 'add: vector wants 2 numbers, as the head was trained on, got 3'],
    ['a vector that is not finite', (head) => head.add([1, Infinity], 'cat'), 'add: vector wants finite numbers, got Infinity at place 1'],
    [
      'a number beyond single precision',
      (head) => head.add([1e39, 1], 'cat'),
      'add: vector wants numbers below 3.4e38, got 1e+39 at place 0',
    ],
    ['a hole', (head) => head.add([1, null as never], 'cat'), 'add: vector wants finite numbers, got null at place 1'],
    ['a label that is undefined', (head) => head.add([1, 2], undefined as never), 'add: the label of row 0 wants a text'],
    [
      'the second row of a batch',
      (head) =>
        head.add(
          [
            [1, 2],
            [1, 2, 3],
          ],
          ['cat', 'cow'],
        ),
      'add: row 1 wants 2 numbers, as those of the head, got 3',
    ],
    [
      'the second label of a batch',
      (head) =>
        head.add(
          [
            [1, 2],
            [1, 2],
          ],
          ['cow', null as never],
        ),
      'add: the label of row 1 wants',
    ],
    [
      'too few labels',
      (head) =>
        head.add(
          [
            [1, 2],
            [1, 2],
          ],
          ['cow'],
        ),
      'add: labels wants one for each of 2 vectors, got 1',
    ],
    ['an index that there is not', (head) => head.forget({ index: 4 }), 'forget: index wants a whole number from 0 to 3, got 4'],
    ['neither label nor index', (head) => head.forget({} as never), 'forget: wants { label } or { index }, got an object with nothing'],
    [
      'priors that would name nothing',
      (head) => {
        head.setPriors({ cat: 0.5, dog: 0.5 })
        head.add([3, 3], 'cow')
        head.forget({ label: 'cat' })
      },
      "Head: priors wants labels of the head, dog, cow, got 'cat'",
    ],
  ]

  test.each(bad)('a head is as it was: %s', async (_, change, message) => {
    const head = await trainHead<string>(...(TWO as unknown as [number[][], string[]]))
    const before = head.predict([1, 1])
    const count = head.count
    expect(() => change(head)).toThrow(message)
    if (head.labels.length === 2) {
      expect(head.predict([1, 1])).toEqual(before)
      expect(head.count).toBe(count)
    }
    head.setPriors('examples')
    head.add([0, 5], 'cat')
    expect(head.predict([0, 4]).label).toBe('cat')
    expect(head.exampleLabels.length).toBe(head.count)
  })

  test('predict names the row', async () => {
    const head = await trainHead(...TWO)
    expect(() =>
      head.predict([
        [1, 2],
        [1, 'x'],
      ] as never),
    ).toThrow('predict: row 1 wants finite numbers')
    expect(() => head.predict([1, 1e39])).toThrow('predict: vector wants numbers below 3.4e38, got 1e+39 at place 1')
    expect(() => head.predict([1])).toThrow('predict: vector wants 2 numbers, as the head was trained on, got 1')
    expect(() => head.predict(undefined as never)).toThrow('predict: vector wants 2 numbers, got undefined')
    expect(head.predict([])).toEqual([])
  })
})

describe('files', () => {
  const trained = async (width = 384, classes = 10, each = 100) => {
    const names = Array.from({ length: classes }, (_, c) => `class ${c}`)
    const { vectors, labels } = clouds(names, each, width, 3)
    return { head: await trainHead<string>(vectors, labels), vectors }
  }

  test('384 numbers × 10 classes take less than 20 kB and predict alike', async () => {
    const { head, vectors } = await trained()
    const bytes = head.bytes()
    console.log(`a head of 384 × 10: ${bytes.length} bytes`)
    expect(bytes.length).toBeLessThan(20_000)
    const again = await loadHead<string>(bytes)
    closeTo(again.predict(vectors), head.predict(vectors), 0.005)
    expect(again.labels).toEqual(head.labels)
    expect(again.report).toEqual(head.report)
    expect(() => again.add(vectors[0], 'class 0')).toThrow('add: this head was saved without its examples; save it with examples: true')
    expect(() => again.nearest(vectors[0])).toThrow('nearest: this head was saved without its examples')
  })

  test('with its examples it goes on learning', async () => {
    const { head, vectors } = await trained(16, 3, 10)
    const again = await loadHead<string>(head.bytes({ examples: true }))
    for (const one of [head, again])
      one.add(
        vectors[0].map((x) => -x),
        'new',
      )
    closeTo(again.predict(vectors), head.predict(vectors), 0.005)
    expect(again.nearest(vectors[4], 1)[0].index).toBe(4)
  })

  test('refuses what is no head', async () => {
    const { head } = await trained(4, 2, 3)
    const bytes = head.bytes()
    const { encodeState, decodeState } = await import('../../ts/index.js')
    const changed = (change: (saved: Record<string, never>) => void) => {
      const saved = decodeState(bytes)
      change(saved.head)
      return encodeState(saved)
    }
    await expect(loadHead(encodeState({ x: 1 }))).rejects.toThrow(
      'loadHead: this file holds no head with one label for each row; loadState reads it',
    )
    await expect(loadHead(changed((saved) => Object.assign(saved, { width: 5 })))).rejects.toThrow('loadHead: the file is damaged: weights')
    await expect(loadHead(changed((saved) => Object.assign(saved, { temperature: 0 })))).rejects.toThrow('loadHead: the file is damaged')
    await expect(loadHead(changed((saved) => Object.assign(saved, { labels: ['a', 'a'] })))).rejects.toThrow(
      'loadHead: the file is damaged',
    )
    await expect(loadHead(bytes.slice(0, 100))).rejects.toThrow()
  })

  test('the function says what the head says', async () => {
    const { head, vectors } = await trained(64, 3, 10)
    const source = await headToFunction(head, { weights: 'float32' })
    const { predict } = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as {
      predict: (v: ArrayLike<number>) => HeadPrediction
    }
    const found = vectors.map((v) => predict(v))
    closeTo(found, head.predict(vectors), 1e-5)
    expect(() => predict([1])).toThrow('predict: vector wants 64 numbers, got 1')
    expect((await headToFunction(head)).length).toBeLessThan(source.length)
  })
})

describe('examples to look at', () => {
  test('findMislabelled names labels that were changed', async () => {
    const { vectors, labels } = clouds(ANIMALS, 25, 16, 0.4, 4)
    const wrong = [3, 41, 77]
    const given = labels.map((label, i) => (wrong.includes(i) ? ANIMALS[(ANIMALS.indexOf(label as 'cat') + 1) % 4] : label))
    const found = await findMislabelled(vectors, given)
    expect(found.map(({ index }) => index).sort((a, b) => a - b)).toEqual(wrong)
    for (const { index, suggestion, label } of found) {
      expect(suggestion).toBe(labels[index])
      expect(label).toBe(given[index])
    }
    expect(await findMislabelled(vectors, labels)).toEqual([])
  })

  test('findDuplicates finds equal rows however long they are', () => {
    const random = new RandomStream(1)
    const rows = Array.from({ length: 8 }, () => Float32Array.from({ length: 50_000 }, () => random.uniform()))
    const twins = rows.map((row) => row.map((x) => 3 * x))
    const found = findDuplicates([...rows, ...twins], { similarity: 1 })
    expect(found.map(({ first, second }) => [first, second]).sort(([a], [b]) => a - b)).toEqual(rows.map((_, i) => [i, i + 8]))
    for (const { similarity } of found) expect(similarity).toBeCloseTo(1, 7)
  })

  test('findDuplicates names pairs of rows that are nearly the same, also across blocks', () => {
    const { vectors } = clouds(ANIMALS, 150, 32)
    const copy = vectors[2].map((x) => 2 * x + 1e-4)
    expect(findDuplicates([...vectors, copy])).toMatchObject([{ first: 2, second: 600 }])
    expect(findDuplicates([])).toEqual([])
    expect(() => findDuplicates([[1], [1, 2]])).toThrow('findDuplicates: row 1 wants 1 numbers, as row 0, got 2')
  })

  test('chooseNext takes rows that the head is least sure of, and no two alike', async () => {
    const head = await trainHead(
      [
        [0, 1],
        [0, 2],
        [1, 0],
        [2, 0],
      ],
      ['a', 'a', 'b', 'b'],
    )
    expect(
      chooseNext(head, [
        [0, 3],
        [1, 1],
        [3, 0],
      ]),
    ).toEqual([1])
    const next = chooseNext(
      head,
      [
        [1, 1],
        [1, 1],
        [8, 8.1],
        [0, 9],
        [9, 0],
      ],
      2,
    )
    expect(next).toEqual([0, 2])
    expect(chooseNext(head, [], 2)).toEqual([])
  })

  test('labels that chooseNext asks for teach more than the first ones', async () => {
    const asked = async (seed: number, choose: boolean) => {
      const { vectors, labels } = clouds(ANIMALS, 100, 8, 1.3, seed)
      const own = await trainHead<string>(vectors.slice(0, 8), labels.slice(0, 8))
      const pool = Array.from({ length: 200 }, (_, i) => i + 8)
      for (let round = 0; round < 6; round++) {
        const picked = choose
          ? chooseNext(
              own,
              pool.map((i) => vectors[i]),
              5,
            )
          : [0, 1, 2, 3, 4]
        own.add(
          picked.map((i) => vectors[pool[i]]),
          picked.map((i) => labels[pool[i]]),
        )
        for (const i of [...picked].sort((a, b) => b - a)) pool.splice(i, 1)
      }
      return own.predict(vectors.slice(208)).filter(({ label }, i) => label === labels[208 + i]).length
    }
    let [active, passive] = [0, 0]
    for (let seed = 1; seed <= 8; seed++) {
      active += await asked(seed, true)
      passive += await asked(seed, false)
    }
    console.log(`right of ${8 * 192} after 30 labels: ${active} chosen, ${passive} not`)
    expect(active).toBeGreaterThan(passive)
  })
})

test.each<[string, (vectors: Float32Array[], labels: string[]) => Promise<unknown>]>([
  ['trainHead', (vectors, labels) => trainHead(vectors, labels, { l2: 1 })],
  ['findMislabelled', (vectors, labels) => findMislabelled(vectors, labels, { l2: 1 })],
])('%s gives the memory of its rows back where it is called again and again', async (_, call) => {
  const { vectors, labels } = clouds(ANIMALS, 100, 64)
  const { heap } = engineOfHeads()
  collectGarbage()
  const before = heap.usedBytes
  for (let i = 0; i < 20; i++) {
    await call(vectors, labels)
  }
  expect(heap.usedBytes).toBeLessThanOrEqual(before)
})

test.each(['one class a row', 'arrays as labels'])('heads keep their memory while classes and examples come and go: %s', async (kind) => {
  const { vectors, labels } = clouds(ANIMALS, 100, 64)
  const given = (label: string) => (kind === 'one class a row' ? label : [label]) as string
  const { heap } = engineOfHeads()
  const head = await trainHead<string>(vectors, labels.map(given), { l2: 1 })
  const turn = () => {
    head.add(vectors[0], given('fish'))
    head.forget({ label: 'fish' })
    for (let i = 0; i < 70; i++) {
      head.add(vectors[i], given(labels[i]))
      head.forget({ index: 0 })
    }
  }
  for (let i = 0; i < 6; i++) turn()
  const before = heap.usedBytes
  for (let i = 0; i < 6; i++) turn()
  expect(heap.usedBytes).toBeLessThanOrEqual(before)
})

test('where nothing may be compiled, loops in JavaScript take over', async () => {
  vi.stubGlobal('WebAssembly', undefined)
  try {
    chooseEngine('wasm')
    const head = await trainHead([[0, 1], [0, 2], [1, 0], [2, 0]], ['cat', 'cat', 'dog', 'dog']) // biome-ignore format: vectors
    head.add([0, 3], 'cat')
    expect(head.predict([0, 4]).label).toBe('cat')
    expect('memory' in engineOfHeads().kernels).toBe(false)
  } finally {
    vi.unstubAllGlobals()
    chooseEngine('wasm')
  }
})

test('WebAssembly and the loops in JavaScript find the same head', async () => {
  const { vectors, labels } = clouds(ANIMALS, 12, 8, 1)
  const predictions = []
  try {
    for (const engine of ['js', 'wasm'] as const) {
      chooseEngine(engine)
      expect('memory' in engineOfHeads().kernels).toBe(engine === 'wasm')
      const head = await trainHead(vectors, labels, { l2: 0.5, gradientTolerance: 1e-7 })
      head.add(vectors[0], 'dog')
      predictions.push(head.predict(vectors))
    }
  } finally {
    chooseEngine('wasm')
  }
  for (const found of predictions) closeTo(found, predictions[0], 1e-5)
})
