/** Weights and probabilities against scikit-learn's LogisticRegression at the same penalty. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { softmaxOf } from '../../ts/common/softmax.js'
import { ONE_CLASS } from '../../ts/head/answers.js'
import { EngineRows } from '../../ts/head/engine-rows.js'
import { lift } from '../../ts/head/hidden.js'
import { trainHead } from '../../ts/head/index.js'
import { Lines } from '../../ts/head/lines.js'
import { Logits } from '../../ts/head/logits.js'
import { tensor } from '../../ts/index.js'

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

describe.each(cases.filter(({ hidden }) => hidden === undefined))('$name', ({ l2, count, width, classes, vectors, labels, ...wanted }) => {
  const rows = { vectors: Float32Array.from(vectors), count, width }
  const solved = (penalty: number, weightOf?: (row: number, problem: number) => number, problems = 1) => {
    const lines = new Lines(new EngineRows(rows), classes, problems)
    lines.setTargets(labels, weightOf)
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

  test('folds that are solved together are those that are solved alone', () => {
    const weightOf = (row: number, problem: number) => Number(row % 3 !== problem)
    const together = solved(l2, weightOf, 3)
    for (let fold = 0; fold < 3; fold++) {
      const alone = solved(l2, (row) => weightOf(row, fold)).line()
      expect(furthest(together.line(fold).weights, alone.weights)).toBeLessThan(50 * within * largest(alone.weights))
    }
  })

  test('the mean of the folds and what they learnt about curvature is a better start than a fold', () => {
    const folds = solved(l2, (row, problem) => Number(row % 3 !== problem), 3)
    const evaluations = (begin: (lines: Lines) => void) => {
      const lines = new Lines(new EngineRows(rows), classes, 1)
      lines.setTargets(labels)
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
    const mean = evaluations((lines) => lines.startFrom(folds.mean()))
    const fold = evaluations((lines) => lines.startAt(folds.line()))
    expect(mean.count).toBeLessThanOrEqual(fold.count)
    expect(furthest(mean.line.weights, fold.line.weights)).toBeLessThan(0.01 * largest(fold.line.weights))
  })

  test('another penalty, after a solution for one, has its own minimum', () => {
    const lines = solved(l2)
    lines.solve(l2 * 3, { absolute: 1e-9 })
    const alone = solved(l2 * 3).line()
    expect(furthest(lines.line().weights, alone.weights)).toBeLessThan(50 * within * largest(alone.weights))
  })
})

describe.each(cases.filter(({ hidden }) => hidden !== undefined))('$name', ({ l2, count, width, classes, vectors, labels, ...wanted }) => {
  const rows = { vectors: Float32Array.from(vectors), count, width }
  const { values, ...own } = wanted.hidden as NonNullable<Case['hidden']>
  const hidden = { weights: Float64Array.from(own.weights), bias: Float64Array.from(own.bias) }
  const behind = lift(rows, hidden)
  const lines = new Lines(new EngineRows(behind), classes, 1)
  lines.setTargets(labels)
  lines.solve(l2, { absolute: 1e-9 })
  const line = lines.line()

  test('the layer has the values of NumPy, behind them weights are those of scikit-learn', () => {
    expect(furthest(behind.vectors, values)).toBeLessThan(1e-6 * largest(values))
    expect(furthest(line.weights, wanted.weights)).toBeLessThan(5e-6 * largest(wanted.weights))
  })

  test('probabilities of the head, and of its model, are those of scikit-learn, and so is their loss', () => {
    const logits = new Logits(line, 1, hidden, new Float64Array(classes))
    const ofModel = logits
      .toModel()
      .predict(tensor(rows.vectors, [count, width]))
      .data()
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
