/** The small net of a head: taken where a line cannot do it, left where it can, and a head like others afterwards. */
import { describe, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { type Head, type HeadPrediction, headToFunction, loadHead, loadMultiLabelHead, reportText, trainHead } from '../../ts/head/index.js'
import { decodeState, encodeState } from '../../ts/index.js'

/** A ring around a disk, and noise in further columns: no line tells them apart. */
function rings(count: number, seed: number, width = 4) {
  const random = new RandomStream(seed)
  const vectors = Array.from({ length: count }, () => Float32Array.from({ length: width }, () => random.normal()))
  return { vectors, labels: vectors.map(([a, b]) => (Math.hypot(a, b) > 1.18 ? 'ring' : 'disk')) }
}
/** Two clouds that overlap: a line is best. */
function halves(count: number, seed: number, width = 8) {
  const random = new RandomStream(seed)
  const vectors = Array.from({ length: count }, () => Float32Array.from({ length: width }, () => random.normal()))
  return { vectors, labels: vectors.map(([a, b]) => (a + b + random.normal() > 0 ? 'up' : 'down')) }
}
const accuracyOf = (head: Head<string>, { vectors, labels }: { vectors: Float32Array[]; labels: string[] }) =>
  head.predict(vectors).filter(({ label }, i) => label === labels[i]).length / labels.length
const furthest = (a: HeadPrediction[], b: HeadPrediction[]) =>
  Math.max(
    ...a.flatMap(({ probabilities }, i) =>
      Object.entries(probabilities).map(([name, p]) => Math.abs(p - (b[i].probabilities as Record<string, number>)[name])),
    ),
  )

const functionOf = async (head: Head<string>, weights?: 'float32') => {
  const source = await headToFunction(head, weights && { weights })
  const { predict } = await import(`data:text/javascript,${encodeURIComponent(source)}`)
  return (vectors: Float32Array[]): HeadPrediction[] => vectors.map((v) => predict(v))
}

describe('a small net', () => {
  test('is taken where a line cannot do it, by the folds, and is as good on rows that nobody saw', async () => {
    const test = rings(1000, 2)
    const head = await trainHead<string>(...(Object.values(rings(400, 1)) as [Float32Array[], string[]]))
    expect(head.hidden).toEqual([64])
    expect(accuracyOf(head, test)).toBeGreaterThan(0.95)
    const { hidden, logLoss, accuracy } = head.report as NonNullable<Head['report']>
    expect(hidden).toMatchObject({ neurons: 64, logLoss, accuracy })
    expect(hidden?.lineLogLoss).toBeGreaterThan(0.6)
    expect(Math.abs(accuracy - accuracyOf(head, test))).toBeLessThan(0.04)
    const { vectors, labels } = rings(400, 1)
    const line = await trainHead<string>(vectors, labels, { hidden: [] })
    expect([line.hidden, line.report?.hidden]).toEqual([[], null])
    expect(accuracyOf(line, test)).toBeLessThan(0.7)
    expect(reportText(head)).toMatch(/hidden layer +64 neurons.*log loss 0\.\d+ .*0\.6/)
  })

  test('is left where a line is as good, nearly perfect, or rows are few; and where `l2` is given', async () => {
    for (let seed = 1; seed <= 6; seed++) {
      const { vectors, labels } = halves(500, seed)
      const head = await trainHead(vectors, labels)
      expect(head.hidden).toEqual([])
      const line = await trainHead(vectors, labels, { hidden: [] })
      expect(head.predict(vectors)).toEqual(line.predict(vectors))
    }
    const few = rings(299, 1)
    expect((await trainHead(few.vectors, few.labels)).report?.hidden).toBeNull()
    const many = rings(400, 1)
    expect((await trainHead(many.vectors, many.labels, { l2: 1 })).hidden).toEqual([])
    const plain = halves(500, 1)
    const apart = plain.vectors.map((v, i) => v.map((x) => x + (plain.labels[i] === 'up' ? 20 : 0)))
    expect((await trainHead(apart, plain.labels)).report?.hidden).toBeNull()
  })

  test('is made where it is wanted, also of few rows, and with a penalty', async () => {
    const { vectors, labels } = halves(12, 1)
    for (const options of [{}, { l2: 0.1 }, { l2: 0.1, calibrate: false }, { calibrate: false }]) {
      const head = await trainHead(vectors, labels, { ...options, hidden: [5] })
      expect(head.hidden).toEqual([5])
      const model = await head.toModel()
      expect(model.parameters().map(({ shape }) => shape)).toEqual([[8, 5], [5], [5, 2], [2]])
      if ('l2' in options) expect(head.l2).toBe(0.1)
    }
    const one = await trainHead(
      [
        [0, 1],
        [1, 0],
      ],
      ['a', 'b'],
      { hidden: [4] },
    )
    expect([one.hidden, one.report]).toEqual([[4], null])
  })

  test('has the same bits from the same seed', async () => {
    const { vectors, labels } = rings(300, 3)
    const heads = [await trainHead(vectors, labels, { seed: 5 }), await trainHead(vectors, labels, { seed: 5 })]
    expect(heads[0].hidden).toEqual([64])
    expect(heads[0].predict(vectors)).toEqual(heads[1].predict(vectors))
  })

  test('does not depend on the scale of the vectors', async () => {
    const { vectors, labels } = rings(400, 1)
    const far = (v: Float32Array) => v.map((x) => 1e3 * x + 500)
    const [usual, large] = [await trainHead(vectors, labels, { seed: 1 }), await trainHead(vectors.map(far), labels, { seed: 1 })]
    expect(large.hidden).toEqual([64])
    const { vectors: asked } = rings(300, 9)
    const [a, b] = [usual.predict(asked), large.predict(asked.map(far))]
    expect(a.filter(({ label }, i) => label !== b[i].label).length).toBeLessThan(9)
  })

  test('is told what it may be', async () => {
    const { vectors, labels } = halves(12, 1)
    for (const hidden of [[0], [64, 32], 64, ['64'], [1.5], true])
      await expect(trainHead(vectors, labels, { hidden: hidden as never })).rejects.toThrow(
        'trainHead: hidden wants [], or the neurons of one hidden layer, such as [64], got',
      )
  })
})

describe('a head with a hidden layer', () => {
  const trained = () => {
    const { vectors, labels } = rings(400, 1)
    return trainHead<string>(vectors, labels, { gradientTolerance: 1e-7 })
  }

  test('learns one by one what it learns together, classes too, and forgets without a trace', async () => {
    const more = rings(20, 5)
    const corner = more.vectors.map((v) => v.map((x) => x / 5 + 4))
    const [together, single] = [await trained(), await trained()]
    const asked = [...rings(200, 6).vectors, ...corner]
    const before = together.predict(asked)
    together.add([...more.vectors, ...corner], [...more.labels, ...corner.map(() => 'corner')])
    for (const [i, v] of corner.entries()) single.add(v, i < 20 ? 'corner' : '')
    for (const [i, v] of more.vectors.entries()) single.add(v, more.labels[i])
    expect(furthest(single.predict(asked), together.predict(asked))).toBeLessThan(2e-3)
    expect(together.predict(corner).filter(({ label }) => label === 'corner').length).toBeGreaterThan(17)
    expect(accuracyOf(together, rings(500, 7))).toBeGreaterThan(0.93)
    together.forget({ label: 'corner' })
    for (let i = 0; i < 20; i++) together.forget({ index: 400 })
    expect(together.labels).toEqual(['disk', 'ring'])
    expect(furthest(together.predict(asked), before)).toBeLessThan(2e-3)
    expect(together.hidden).toEqual([64])
  })

  test('is saved and read, alone and with its examples, and is a function', async () => {
    const head = await trained()
    const { vectors } = rings(100, 8)
    for (const examples of [false, true]) {
      const again = await loadHead<string>(head.bytes({ examples }))
      expect([again.hidden, again.report]).toEqual([head.hidden, head.report])
      expect(furthest(again.predict(vectors), head.predict(vectors))).toBeLessThan(0.02)
      if (!examples) continue
      for (const one of [head, again]) one.add([5, 5, 5, 5], 'corner')
      expect(furthest(again.predict(vectors), head.predict(vectors))).toBeLessThan(0.02)
    }
    const says = await functionOf(head, 'float32')
    expect(furthest(says(vectors), head.predict(vectors))).toBeLessThan(1e-4)
    const broken = (change: (saved: Record<string, Record<string, unknown>>) => void) => {
      const saved = decodeState(head.bytes()) as { head: Record<string, Record<string, unknown>> }
      change(saved.head)
      return loadHead(encodeState(saved))
    }
    await expect(broken((saved) => void delete saved.hidden.bias)).rejects.toThrow('loadHead: the file is damaged: bias')
    await expect(broken((saved) => Object.assign(saved.hidden, { bias: new Float32Array(3) }))).rejects.toThrow(
      'loadHead: the file is damaged: weights',
    )
    await expect(broken((saved) => void delete (saved as Record<string, unknown>).hidden)).rejects.toThrow(
      'loadHead: the file is damaged: weights',
    )
  })

  test('names near examples, what is none, and other priors as others do', async () => {
    const head = await trained()
    const [first] = rings(400, 1).vectors
    expect(head.nearest(first, 1)[0].index).toBe(0)
    expect(head.predict([9, -9, 9, 9]).isNone).toBe(true)
    const before = head.predict(first)
    head.setPriors({ ring: 0.999, disk: 0.001 })
    expect(head.predict(first).probabilities.ring).toBeGreaterThan(before.probabilities.ring)
  })

  test('may have sets of classes', async () => {
    const { vectors, labels } = rings(400, 1)
    const sets = labels.map((label, i) => [...(label === 'ring' ? ['ring'] : []), ...(vectors[i][2] > 0 ? ['up'] : [])])
    const [head, line] = [await trainHead<string>(vectors, sets), await trainHead<string>(vectors, sets, { hidden: [] })]
    expect([head.hidden, line.hidden]).toEqual([[64], []])
    const right = (one: typeof head) =>
      one.predict(vectors).filter(({ labels: own }, i) => own.includes('ring') === sets[i].includes('ring')).length
    expect(right(head)).toBeGreaterThan(380)
    expect(right(line)).toBeLessThan(300)
    const again = await loadMultiLabelHead<string>(head.bytes({ examples: true }))
    again.add([4, 4, 4, 4], ['corner'])
    expect([again.hidden, again.labels]).toEqual([[64], ['ring', 'up', 'corner']])
  })

  test.each([
    ['small', 1e-6, 0],
    ['large', 1e6, 0],
    ['far from 0', 1, 1000],
  ])('files and functions of 16 bits say the same of vectors that are %s, with a net and with a line', async (_, scale, shift) => {
    for (const [rows, hidden] of [
      [rings(400, 1), [64]],
      [halves(400, 1), []],
    ] as const) {
      const vectors = rows.vectors.map((v) => v.map((x) => x * scale + shift))
      const head = await trainHead<string>(vectors, rows.labels, { hidden })
      const said = head.predict(vectors)
      expect(furthest((await functionOf(head))(vectors), said)).toBeLessThan(0.02)
      for (const examples of [false, true]) {
        const again = await loadHead<string>(head.bytes({ examples }))
        expect(furthest(again.predict(vectors), said)).toBeLessThan(0.02)
        expect(furthest((await loadHead<string>(again.bytes())).predict(vectors), again.predict(vectors))).toBeLessThan(1e-3)
      }
    }
  })

  test('a vector that is too far for the net is refused, and the head is as it was; a far one moves no other in a file', async () => {
    const head = await trained()
    const { vectors } = rings(100, 8)
    const [before, count] = [head.predict(vectors), head.exampleLabels.length]
    for (const far of [1e20, 3e38]) expect(() => head.add([far, -far, far, far], 'disk')).toThrow('add: the vectors are too far')
    expect([head.predict(vectors), head.exampleLabels.length]).toEqual([before, count])
    const rows = halves(400, 1, 4)
    const line = await trainHead<string>(rows.vectors, rows.labels, { hidden: [] })
    line.add([1e10, 1e10, 1e10, 1e10], 'up')
    expect(furthest((await loadHead<string>(line.bytes())).predict(vectors), line.predict(vectors))).toBeLessThan(0.02)
  })
})
