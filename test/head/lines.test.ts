/** Weights and probabilities against scikit-learn's LogisticRegression at the same penalty. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { softmaxOf } from '../../ts/common/softmax.js'
import { ONE_CLASS } from '../../ts/head/answers.js'
import { chooseEngine } from '../../ts/head/engine.js'
import { EngineRows } from '../../ts/head/engine-rows.js'
import { trainHead } from '../../ts/head/index.js'
import { lift } from '../../ts/head/lift.js'
import { Lines } from '../../ts/head/lines.js'
import { Logits } from '../../ts/head/logits.js'
import { tensor } from '../../ts/index.js'
import { takeRows } from '../../ts/rows/take.js'

interface Case {
  name: string
  l2: number
  count: number
  width: number
  classes: number
  vectors: number[]
  labels: number[]
  weights: number[]
  bias: number[]
  probabilities: number[]
  hidden?: { weights: number[]; bias: number[]; values: number[] }
}

const { cases } = JSON.parse(readFileSync('test/oracles/head.json', 'utf8')) as { cases: Case[] }

const largest = (values: Iterable<number>) => [...values].reduce((a, b) => Math.max(a, Math.abs(b)), 0)
const furthest = (a: ArrayLike<number>, b: ArrayLike<number>) => largest(Array.from(a, (x, i) => x - b[i]))

const onBoth = (all: Case[]) => all.flatMap((one) => (['wasm', 'js'] as const).map((engine) => ({ ...one, engine })))
afterAll(() => chooseEngine('wasm'))

describe.each(onBoth(cases.filter(({ hidden }) => hidden === undefined)))(
  '$name, $engine',
  ({ l2, count, width, classes, vectors, labels, engine, ...wanted }) => {
    beforeAll(() => chooseEngine(engine))

    const rows = { vectors: Float32Array.from(vectors), count, width }
    const engineRows = (own = rows, answers: ArrayLike<number> = labels) => {
      const made = new EngineRows(own, (row) => row % 3)
      made.setAnswers(answers, ONE_CLASS, classes)
      return made
    }
    const solved = (penalty: number, without = -1, engine = engineRows()) => {
      const lines = new Lines(engine, classes, ONE_CLASS, without)
      lines.solve(penalty, { absolute: 1e-9 })
      return lines
    }

    // a weak penalty leaves the minimum so flat that single precision finds it to four digits
    const within = l2 < 0.1 ? 5e-5 : 2e-6

    test(`weights are those of scikit-learn to ${within} of the largest`, () => {
      const { weights, bias } = solved(l2).line()
      const mean = bias.reduce((a, b) => a + b) / classes
      expect(furthest(weights, wanted.weights)).toBeLessThan(within * largest(wanted.weights))
      expect(
        furthest(
          bias.map((b) => b - mean),
          wanted.bias,
        ),
      ).toBeLessThan(within * Math.max(1, largest(wanted.bias)))
    })

    test('probabilities are those of scikit-learn to 1e-6', async () => {
      const list = Array.from({ length: count }, (_, i) => rows.vectors.subarray(i * width, (i + 1) * width))
      const head = await trainHead(list, labels, { l2, calibrate: false, gradientTolerance: 1e-9 })
      const found = head.predict(list).flatMap(({ probabilities }) => Object.values(probabilities))
      expect(furthest(found, wanted.probabilities)).toBeLessThan(1e-6)
    })

    test('a fold is solved as if there were no other rows, and foretells the ones that it holds out', () => {
      const engine = engineRows()
      for (let fold = 0; fold < 3; fold++) {
        const kept = labels.map((_, row) => row).filter((row) => row % 3 !== fold)
        const vectors = takeRows(rows.vectors, kept, width)
        const own = solved(l2, fold, engine)
        const alone = solved(l2, -1, engineRows({ vectors, count: kept.length, width }, takeRows(Int32Array.from(labels), kept))).line()
        expect(furthest(own.line().weights, alone.weights)).toBeLessThan(50 * within * largest(alone.weights))
        const z = new Float64Array(count * classes).fill(-1)
        own.writeHeldOut(z)
        const logits = new Logits(own.line(), 1, null, new Float64Array(classes))
        for (let row = 0; row < count; row++) {
          const found = z.subarray(row * classes, (row + 1) * classes)
          const want = row % 3 === fold ? logits.of(rows.vectors.subarray(row * width, (row + 1) * width)) : found.map(() => -1)
          expect(furthest(found, want)).toBeLessThan(1e-5 * Math.max(1, largest(want)))
        }
      }
    })

    test('folds that share their first gradients end where they end without', () => {
      const engine = engineRows()
      const folds = [0, 1, 2].map((fold) => new Lines(engine, classes, ONE_CLASS, fold))
      Lines.shareStart(folds)
      for (const [fold, own] of folds.entries()) {
        own.solve(l2, { absolute: 1e-6 })
        const alone = new Lines(engine, classes, ONE_CLASS, fold)
        alone.solve(l2, { absolute: 1e-6 })
        expect(furthest(own.line().weights, alone.line().weights)).toBeLessThan(0.01 * largest(alone.line().weights))
      }
    })

    test('the mean of the folds and what they learnt about curvature is a better start than a fold', () => {
      const folds = [0, 1, 2].map((fold) => solved(l2, fold))
      const evaluations = (begin: (lines: Lines) => void) => {
        const lines = new Lines(engineRows(), classes)
        begin(lines)
        let count = 0
        const own = lines as unknown as { gradient: (...given: unknown[]) => void }
        const { gradient } = own
        own.gradient = (...given) => {
          count++
          gradient.apply(lines, given)
        }
        lines.solve(l2, { absolute: 1e-6 })
        return { count, line: lines.line() }
      }
      const mean = evaluations((lines) => lines.startFrom(folds[0].meanOf(folds.map(({ theta }) => theta))))
      const fold = evaluations((lines) => lines.startAt(folds[0].line()))
      expect(mean.count).toBeLessThanOrEqual(fold.count)
      expect(furthest(mean.line.weights, fold.line.weights)).toBeLessThan(0.01 * largest(fold.line.weights))
    })

    test('another penalty, after a solution for one, has its own minimum', () => {
      const lines = solved(l2)
      lines.solve(l2 * 3, { absolute: 1e-9 })
      const alone = solved(l2 * 3).line()
      expect(furthest(lines.line().weights, alone.weights)).toBeLessThan(50 * within * largest(alone.weights))
    })
  },
)

describe.each(cases.filter(({ hidden }) => hidden !== undefined))('$name', ({ l2, count, width, classes, vectors, labels, ...wanted }) => {
  const rows = { vectors: Float32Array.from(vectors), count, width }
  const { values, ...own } = wanted.hidden as NonNullable<Case['hidden']>
  const hidden = { weights: Float64Array.from(own.weights), bias: Float64Array.from(own.bias) }
  const behind = lift(rows, hidden)
  const engine = new EngineRows(behind)
  engine.setAnswers(labels, ONE_CLASS, classes)
  const lines = new Lines(engine, classes)
  lines.solve(l2, { absolute: 1e-9 })
  const line = lines.line()

  test('the layer has the values of NumPy, behind them weights are those of scikit-learn', () => {
    expect(furthest(behind.vectors, values)).toBeLessThan(1e-6 * largest(values))
    expect(furthest(line.weights, wanted.weights)).toBeLessThan(5e-6 * largest(wanted.weights))
  })

  test('probabilities of the head, and of its model, are those of scikit-learn, and so is their loss', async () => {
    const logits = new Logits(line, 1, hidden, new Float64Array(classes))
    const model = await logits.toModel()
    const ofModel = model.predict(tensor(rows.vectors, [count, width])).data()
    let [loss, lossWanted] = [0, 0]
    for (let i = 0; i < count; i++) {
      const z = logits.of(rows.vectors.subarray(i * width, (i + 1) * width))
      expect(furthest(ofModel.subarray(i * classes, (i + 1) * classes), z)).toBeLessThan(2e-5)
      loss += ONE_CLASS.lossOf(z, labels[i], 1)
      const p = wanted.probabilities.slice(i * classes, (i + 1) * classes)
      lossWanted -= Math.log(p[labels[i]])
      expect(furthest(softmaxOf(z), p)).toBeLessThan(2e-6)
    }
    expect(Math.abs(loss - lossWanted)).toBeLessThan(1e-5 * count)
  })
})
