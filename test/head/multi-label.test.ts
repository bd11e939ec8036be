/** Heads with arrays as labels: a logistic regression a class, learned, forgotten, saved and explained as other heads are. */
import { describe, expect, expectTypeOf, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import {
  chooseNext,
  findMislabelled,
  headToFunction,
  loadHead,
  loadMultiLabelHead,
  type MultiLabelHead,
  reportHtml,
  reportText,
  trainHead,
} from '../../ts/head/index.js'
import { encodeState, loadState, sigmoid, tensor } from '../../ts/index.js'

const TAGS = ['art', 'money', 'sport'] as const
type Tag = (typeof TAGS)[number]

/** Rows with any number of tags: each tag adds its own direction, with noise. */
function tagged(count: number, noise = 0.6, seed = 1) {
  const random = new RandomStream(seed)
  const labels = Array.from({ length: count }, () => TAGS.filter(() => random.uniform() < 0.35))
  const vectors = labels.map((tags) =>
    Float32Array.from({ length: 8 }, (_, j) => (j < 3 && tags.includes(TAGS[j]) ? 1.5 : 0) + noise * random.normal()),
  )
  return { vectors, labels }
}
const probabilities = (head: MultiLabelHead<Tag>, vectors: readonly Float32Array[]) =>
  head.predict(vectors).map(({ probabilities: p }) => TAGS.map((tag) => p[tag]))
const difference = (a: number[][], b: number[][]) => Math.max(...a.flatMap((row, i) => row.map((p, c) => Math.abs(p - b[i][c]))))

describe('a head with arrays as labels', () => {
  test('gives each class the probability of a head of its own: yes or no', async () => {
    const { vectors, labels } = tagged(200)
    const how = { l2: 0.7, calibrate: false, gradientTolerance: 1e-8 }
    const head = await trainHead<Tag>(vectors, labels, how)
    expect(head.report).toBeNull()
    const single = await Promise.all(
      TAGS.map((tag) =>
        trainHead(
          vectors,
          labels.map((tags) => tags.includes(tag)),
          { ...how, noneBelow: 0 },
        ),
      ),
    )
    const wants = vectors.map((vector) => single.map((one) => one.predict(vector).probabilities.true))
    expect(difference(probabilities(head, vectors), wants)).toBeLessThan(1e-5)
  })

  test('names any number of classes, the likeliest first; none is an answer, too', async () => {
    const { vectors, labels } = tagged(300, 0.3)
    const head = await trainHead(vectors, labels)
    expectTypeOf(head).toEqualTypeOf<MultiLabelHead<Tag>>()
    expect(head.labels).toEqual([...TAGS])
    const asked = tagged(300, 0.3, 2)
    const found = head.predict(asked.vectors)
    const right = found.filter(({ labels: named }, i) => [...named].sort().join() === asked.labels[i].join())
    expect(right.length).toBeGreaterThan(280)
    expect(new Set(asked.labels.map(({ length }) => length))).toEqual(new Set([0, 1, 2, 3]))
    for (const { labels: named, probabilities: p } of found)
      expect(named.map((tag) => p[tag])).toEqual(named.map((tag) => p[tag]).sort((a, b) => b - a))
    expect(head.report).toMatchObject({ rows: 300, folds: 5 })
    expect(head.report?.accuracy).toBeGreaterThan(0.97)
  })

  test('is calibrated: of rows to which it gives p, about a share p has the class', async () => {
    const { vectors, labels } = tagged(600, 1.5)
    const head = await trainHead<Tag>(vectors, labels)
    const asked = tagged(4000, 1.5, 3)
    const pairs = probabilities(head, asked.vectors).flatMap((row, i) => row.map((p, c) => ({ p, has: asked.labels[i].includes(TAGS[c]) })))
    for (const [low, high] of [
      [0.1, 0.3],
      [0.3, 0.5],
      [0.5, 0.7],
      [0.7, 0.9],
    ]) {
      const own = pairs.filter(({ p }) => p >= low && p < high)
      const mean = own.reduce((sum, { p }) => sum + p, 0) / own.length
      expect(Math.abs(own.filter(({ has }) => has).length / own.length - mean)).toBeLessThan(0.06)
    }
  })

  test("threshold: 'f1' finds more of rare classes, with a larger F1 on rows that it did not see", async () => {
    const random = new RandomStream(4)
    const rows = (count: number) => {
      const labels = Array.from({ length: count }, () => (random.uniform() < 0.1 ? ['rare'] : []))
      return { labels, vectors: labels.map(({ length }) => [length + 0.8 * random.normal(), random.normal()]) }
    }
    const { vectors, labels } = rows(1000)
    const f1 = (head: MultiLabelHead<string>, { vectors, labels }: ReturnType<typeof rows>) => {
      const found = head.predict(vectors).map(({ labels: named }) => named.length)
      const hits = found.filter((n, i) => n * labels[i].length === 1).length
      return (2 * hits) / (found.filter(Boolean).length + labels.filter(({ length }) => length).length)
    }
    const asked = rows(3000)
    const usual = await trainHead<string>(vectors, labels)
    const best = await trainHead<string>(vectors, labels, { threshold: 'f1' })
    expect(usual.thresholds).toEqual({ rare: 0.5 })
    expect(best.thresholds.rare).toBeLessThan(0.45)
    expect(f1(best, asked)).toBeGreaterThan(f1(usual, asked) + 0.1)
    expect(best.report?.classes[0].f1).toBeGreaterThan(usual.report?.classes[0].f1 as number)
    expect(reportText(usual, { width: 300 })).toContain("'rare' is right where it is named, and seldom named: threshold: 'f1'")
    expect(reportText(best, { width: 300 })).not.toContain('seldom named')
    expect((await trainHead<string>(vectors, labels, { threshold: 0.2 })).thresholds).toEqual({ rare: 0.2 })
  })

  test('examples that come one by one make the head that they make together; new labels make classes', async () => {
    const { vectors, labels } = tagged(80)
    const how = { l2: 0.5, gradientTolerance: 1e-7 }
    const whole = await trainHead<Tag>(vectors, labels, { ...how, calibrate: false })
    const from = labels.findIndex((tags) => tags.includes('sport'))
    const before = Array.from(vectors.keys()).filter((i) => !labels[i].includes('sport'))
    const after = Array.from(vectors.keys()).filter((i) => labels[i].includes('sport'))
    const head = await trainHead<Tag>(
      before.map((i) => vectors[i]),
      before.map((i) => labels[i]),
      { ...how, calibrate: false },
    )
    expect(head.labels).toEqual(['art', 'money'])
    head.add(vectors[from], labels[from])
    const rest = after.filter((i) => i !== from)
    head.add(
      rest.map((i) => vectors[i]),
      rest.map((i) => labels[i]),
    )
    expect(head.count).toBe(80)
    expect(head.labels).toEqual([...TAGS])
    expect(head.exampleLabels.at(-1)).toEqual(labels[rest.at(-1) as number])
    expect(difference(probabilities(head, vectors), probabilities(whole, vectors))).toBeLessThan(1e-4)
  })

  test('forgets an example, and a class, whose examples stay without it', async () => {
    const { vectors, labels } = tagged(60)
    const how = { l2: 0.5, gradientTolerance: 1e-7, calibrate: false }
    const head = await trainHead<Tag>(vectors, labels, how)
    head.forget({ index: 7 })
    const without = await trainHead<Tag>(
      vectors.filter((_, i) => i !== 7),
      labels.filter((_, i) => i !== 7),
      how,
    )
    expect(head.count).toBe(59)
    expect(difference(probabilities(head, vectors), probabilities(without, vectors))).toBeLessThan(1e-4)
    const before = head.predict(vectors[0]).probabilities
    head.forget({ label: 'money' })
    expect(head.count).toBe(59)
    expect(head.labels).toEqual(['art', 'sport'])
    const { probabilities: p } = head.predict(vectors[0])
    expect(Object.keys(p)).toEqual(['art', 'sport'])
    // classes do not depend on one another
    for (const tag of ['art', 'sport'] as const) expect(p[tag]).toBeCloseTo(before[tag], 4)
    expect(head.exampleLabels[0]).toEqual(labels[0].filter((tag) => tag !== 'money'))
    head.forget({ label: 'art' })
    expect(() => head.forget({ label: 'sport' })).toThrow(
      'forget: a head wants at least one class, and none would be left; add another class first',
    )
    expect(() => head.forget({ label: 'art' })).toThrow("forget: label wants one of sport, got 'art'")
    expect(() => head.forget({ index: 59 })).toThrow(/forget: index wants /)
  })

  test('chooseNext takes rows with a class close to its threshold', async () => {
    const head = await trainHead(
      [
        [0, 1],
        [0, 4],
        [1, 0],
        [4, 0],
      ],
      [['up'], ['up'], ['side'], ['side']],
      { l2: 0.1 },
    )
    const asked = [
      [0, 5],
      [2, 2],
      [5, 0],
    ]
    expect(chooseNext(head, asked)).toEqual([1])
    expect(chooseNext(head, asked, 3).sort()).toEqual([0, 1, 2])
    // labels that objects put in another order, and thresholds that differ
    const numbers = await trainHead<string | number>(
      [
        [0, 1],
        [0, 4],
        [1, 0],
        [4, 0],
      ],
      [['b'], ['b'], [1], [1]],
      { l2: 0.1, threshold: 'f1' },
    )
    const distance = (x: number[]) => {
      const { probabilities: p } = numbers.predict(x)
      return Math.min(...numbers.labels.map((label) => Math.abs(p[label] - numbers.thresholds[label])))
    }
    const some = Array.from({ length: 20 }, (_, i) => [Math.cos(i) * 3, Math.sin(2 * i) * 3])
    const least = some.map(distance)
    expect(chooseNext(numbers, some)).toEqual([least.indexOf(Math.min(...least))])
    expect(() => chooseNext(head, [[1]])).toThrow('chooseNext: row 0 wants 2 numbers')
  })

  test('names near examples with their labels', async () => {
    const { vectors, labels } = tagged(40)
    const head = await trainHead<Tag>(vectors, labels)
    const [nearest] = head.nearest(vectors[3], 1)
    expect(nearest).toEqual({ index: 3, labels: labels[3], similarity: expect.closeTo(1, 6) })
  })
})

describe('files and functions', () => {
  test('a saved head predicts alike, and learns on if it was saved with its examples', async () => {
    const { vectors, labels } = tagged(60)
    const head = await trainHead<Tag>(vectors, labels, { threshold: 'f1' })
    const small = await loadMultiLabelHead<Tag>(head.bytes())
    expect(difference(probabilities(small, vectors), probabilities(head, vectors))).toBeLessThan(2e-3)
    expect(small.thresholds).toEqual(head.thresholds)
    expect(small.report).toEqual(head.report)
    expect(reportText(small)).toBe(reportText(head))
    expect(() => small.add(vectors[0], ['art'])).toThrow('add: this head was saved without its examples')
    const again = await loadMultiLabelHead<Tag | 'new'>(head.bytes({ examples: true }))
    expect(again.exampleLabels).toEqual(labels)
    again.add(vectors[0], ['art', 'new'])
    expect(again.labels).toEqual([...TAGS, 'new'])
    expect(again.count).toBe(61)
  })

  test('the other kind of head, and damage, are errors', async () => {
    const head = await trainHead(
      [
        [0, 1],
        [1, 0],
      ],
      [['a'], []],
    )
    expect(head.report).toBeNull()
    const other = await trainHead(
      [
        [0, 1],
        [1, 0],
      ],
      ['a', 'b'],
    )
    await expect(loadHead(head.bytes())).rejects.toThrow(
      /loadHead: this file holds no head with one label for each row; loadMultiLabelHead reads/,
    )
    await expect(loadMultiLabelHead(other.bytes())).rejects.toThrow(
      /loadMultiLabelHead: this file holds no head with arrays as labels.*; loadHead reads/,
    )
    const saved = (await loadState(head.bytes({ examples: true }))) as { head: Record<string, unknown> }
    expect((await loadMultiLabelHead(encodeState(saved))).count).toBe(2)
    for (const wrong of [
      ...[
        { width: 3 },
        { width: 0 },
        { labels: [] },
        { labels: ['a', 'b'] },
        { labels: [null] },
        { count: 0 },
        { l2: -1 },
        { temperature: Number.NaN },
      ],
      ...[
        { thresholds: Float64Array.of(1) },
        { usualThreshold: 1.5 },
        { bias: Float32Array.of(Number.NaN) },
        { sets: Uint8Array.of(2, 0) },
      ],
      ...[
        { sets: null },
        { examples: {} },
        { report: { classes: 1 } },
        { report: { tried: [null], classes: [] } },
        { report: undefined },
        { weights: {} },
      ],
    ])
      await expect(loadMultiLabelHead(encodeState({ head: { ...saved.head, ...wrong } })), JSON.stringify(wrong)).rejects.toThrow(
        /^loadMultiLabelHead: the file is damaged: /,
      )
  })

  test('as a function without gradus, and as a model', async () => {
    const { vectors, labels } = tagged(60)
    const head = await trainHead<Tag>(vectors, labels, { threshold: 'f1' })
    const source = await headToFunction(head, { weights: 'float32' })
    const { predict } = await import(`data:text/javascript,${encodeURIComponent(source)}`)
    for (const vector of vectors.slice(0, 20)) {
      const [own, its] = [head.predict(vector), predict(vector)]
      expect(its.labels).toEqual(own.labels)
      for (const tag of TAGS) expect(its.probabilities[tag]).toBeCloseTo(own.probabilities[tag], 5)
    }
    expect(() => predict([1])).toThrow('predict: vector wants 8 numbers, got 1')
    const p = sigmoid((await head.toModel()).predict(tensor([[...vectors[0]]]))).toArray()[0]
    expect(p[0]).toBeCloseTo(head.predict(vectors[0]).probabilities.art, 5)
  })

  test('a report names each class; labels are shown, never obeyed', async () => {
    const { vectors, labels } = tagged(60)
    const evil = labels.map((tags) => tags.map((tag) => `<b>${tag}\u001b[31m`))
    const head = await trainHead<string>(vectors, [...evil.slice(0, 59), ['one']])
    const text = reportText(head, { width: 200 })
    expect(text).toMatch(/one +0.5 +1 +/)
    expect(text).toContain("'one' has fewer than 3 rows")
    expect(text).not.toContain('\u001b[31m')
    expect(reportHtml(head)).not.toContain('<b>art')
  })
})

describe('bad input', () => {
  const good = [
    [0, 1],
    [1, 0],
    [2, 2],
  ]

  test('is named with its row, before anything is learnt', async () => {
    const cases: [unknown, unknown, string][] = [
      [good, [['a'], 'b', []], "trainHead: the labels of row 1 want an array, [] for none, got 'b'"],
      [good, [['a'], undefined, []], 'trainHead: the labels of row 1 want an array, [] for none, got undefined'],
      [good, [['a'], [undefined], []], 'trainHead: the label of row 1 wants a text, a finite number or a boolean, got undefined'],
      // biome-ignore lint/suspicious/noSparseArray: a comma too many
      [good, [['a'], ['b', , 'c'], []], 'trainHead: the label of row 1 wants a text, a finite number or a boolean, got undefined'],
      [good, [['a'], ['b', Number.NaN], []], 'trainHead: the label of row 1 wants a text, a finite number or a boolean, got NaN'],
      [good, [['a'], ['b'], [['c']]], 'trainHead: the label of row 2 wants a text, a finite number or a boolean, got'],
      [good, [['1'], [1], []], "trainHead: the labels 1 and '1' (row 0) are alike as text; write them alike"],
      [good, [['a'], ['b']], 'trainHead: labels wants an array for each of 3 vectors, got 2'],
      [good, [[], [], []], 'trainHead: labels wants at least one class, and no row has a label'],
      [
        [
          [1, 1],
          [1, 1],
          [1, 1],
        ],
        [['a'], [], []],
        'trainHead: vectors wants rows that differ, and all 3 are alike',
      ],
      [[[1, 1], [1], [1, 1]], [['a'], [], []], 'trainHead: row 1 wants 2 numbers, as row 0, got 1'],
      [
        [
          [1, 1],
          [1, Number.NaN],
          [1, 1],
        ],
        [['a'], [], []],
        'trainHead: row 1 wants finite numbers, got NaN at place 1',
      ],
    ]
    for (const [vectors, labels, message] of cases)
      await expect(trainHead(vectors as number[][], labels as string[][])).rejects.toThrow(message)
    for (const threshold of [0, 1, Number.NaN, 'f2', -1])
      await expect(trainHead(good, [['a'], [], []], { threshold: threshold as number })).rejects.toThrow(
        "trainHead: threshold wants a number above 0 and below 1, or 'f1'",
      )
  })

  test('leaves a head as it was', async () => {
    const head = await trainHead<string>(good, [['a'], ['b'], ['a', 'b']])
    const before = head.bytes({ examples: true })
    const bad: (() => void)[] = [
      () => head.add([1, 2, 3], ['a']),
      () => head.add([1, Number.POSITIVE_INFINITY], ['a']),
      () => head.add([1, 2], 'a' as unknown as string[]),
      () => head.add([1, 2], [undefined as unknown as string]),
      () =>
        head.add(
          [
            [1, 2],
            [3, 4],
          ],
          [['a']],
        ),
      () => head.forget({ index: 3 }),
      () => head.forget({ label: 'c' }),
      () => head.forget({} as { label: string }),
    ]
    for (const call of bad) expect(call).toThrow(/^(add|forget): /)
    expect(head.bytes({ examples: true })).toEqual(before)
    head.add([], [])
    expect(head.bytes({ examples: true })).toEqual(before)
  })

  test('a class that every row has, and rows with a label twice, give probabilities', async () => {
    const head = await trainHead<string>(good, [['a', 'a'], ['a'], ['a', 'b']])
    const { probabilities: p } = head.predict([1, 1])
    expect(p.a).toBeGreaterThan(0.9)
    expect(Number.isFinite(p.b)).toBe(true)
    expect(head.exampleLabels[0]).toEqual(['a'])
  })
})

describe('findMislabelled with arrays as labels', () => {
  test('names labels that a row has or lacks by mistake', async () => {
    const { vectors, labels } = tagged(200, 0.2)
    const given = labels.map((tags) => [...tags] as Tag[])
    const flip = (row: number, tag: Tag) => {
      given[row] = given[row].includes(tag) ? given[row].filter((own) => own !== tag) : [...given[row], tag]
    }
    const wrong = [3, 50, 120].map((row, i) => ({ index: row, label: TAGS[i] }))
    for (const { index, label } of wrong) flip(index, label)
    const found = await findMislabelled(vectors, given)
    expect(found.map(({ index, label }) => ({ index, label })).sort((a, b) => a.index - b.index)).toEqual(wrong)
    for (const { index, label, has, probability } of found) {
      expect(has).toBe(given[index].includes(label))
      expect(probability).toBeLessThan(0.5)
    }
    expect(await findMislabelled(vectors, labels)).toEqual([])
  })

  test('bad input', async () => {
    const { vectors, labels } = tagged(20)
    await expect(findMislabelled(vectors, [...labels.slice(1), 'art'] as never)).rejects.toThrow(
      "findMislabelled: the labels of row 19 want an array, [] for none, got 'art'",
    )
    await expect(findMislabelled(vectors.slice(1), labels)).rejects.toThrow(
      'findMislabelled: labels wants an array for each of 19 vectors, got 20',
    )
    // each class once: nobody can judge a row
    const pair = [
      [0, 1],
      [1, 0],
    ]
    expect(await findMislabelled(pair, [['a'], ['b']])).toEqual([])
  })
})
