/**
 * Losses, value and gradient, against the naive formulas, on every backend, with and without weights and gradient.
 *
 * Tolerance: (n + 24) · u times the sizes that the naive formulas state beside their results.
 */
import { describe, expect, test } from 'vitest'
import { assertClose, backends, inRoom, numbers, Room } from '../tools/backends.js'
import * as naive from '../tools/naive.js'

const ELEMENT_LOSSES = Object.keys(naive.elementLosses) as (keyof typeof naive.elementLosses)[]
const CLASS_LOSSES = ['crossEntropyIndices', 'crossEntropyProbabilities'] as const
type LossName = (typeof ELEMENT_LOSSES)[number] | (typeof CLASS_LOSSES)[number]

interface LossCase {
  name: LossName
  rows: number
  cols: number
  prediction: number[]
  /** Floats, or class numbers for crossEntropyIndices. */
  target: number[]
  weights?: number[]
  gradient: boolean
  scale: number
  option: number
}

const split = (x: number[], rows: number, cols: number) => Array.from({ length: rows }, (_, r) => x.slice(r * cols, (r + 1) * cols))

/** The naive loss of every row. */
function rowLosses({ name, rows, cols, prediction, target, option }: LossCase): naive.RowLoss[] {
  const p = split(prediction, rows, cols)
  if (name === 'crossEntropyIndices') {
    return p.map((row, r) =>
      naive.crossEntropy(
        row,
        row.map((_, c) => (c === target[r] ? 1 - option : 0) + option / cols),
      ),
    )
  }
  const t = split(target, rows, cols)
  if (name === 'crossEntropyProbabilities')
    return p.map((row, r) =>
      naive.crossEntropy(
        row,
        t[r].map((v) => (1 - option) * v + option / cols),
      ),
    )
  return p.map((row, r) => naive.elementLosses[name](row, t[r], option))
}

function checkLoss(room: Room, loss: LossCase): void {
  const { backend } = room
  const { name, rows, cols, scale, option } = loss
  const what = `${name} ${rows}×${cols} weights=${loss.weights !== undefined} gradient=${loss.gradient} option=${option}`
  inRoom(room, what, (kernels) => {
    const p = room.input(loss.prediction, 1)
    const t = name === 'crossEntropyIndices' ? room.indices(loss.target) : room.input(loss.target, 2)
    const w = loss.weights ? room.input(loss.weights, 3) : 0
    const g = loss.gradient ? room.output(rows * cols, 1) : 0
    const out = room.output(1)
    kernels[name](p, t, w, g, out, rows, cols, scale, option)

    const expected = rowLosses(loss)
    const weight = (r: number) => scale * (loss.weights ? loss.weights[r] : 1)
    const value = naive.sum(expected.map((e, r) => weight(r) * e.value))
    const size = naive.sum(expected.map((e, r) => Math.abs(weight(r)) * e.scale))
    assertClose(backend, room.read(out, 1), [value], () => (rows * cols + 24) * backend.unit * size, `${what}: value`)
    if (!loss.gradient) return
    const gradient = expected.flatMap((e, r) => e.gradient.map((v) => weight(r) * v))
    const sizes = expected.flatMap((e, r) => e.gradientScale.map((v) => Math.abs(weight(r)) * v))
    const error = (i: number) => (cols + 24) * backend.unit * sizes[i]
    assertClose(backend, room.read(g, rows * cols), gradient, error, `${what}: gradient`)
  })
}

/** Targets that suit the loss. */
function targetOf(name: LossName, rows: number, cols: number, r: ReturnType<typeof numbers>): number[] {
  if (name === 'crossEntropyIndices') return Array.from({ length: rows }, () => r.int(cols))
  if (name === 'binaryCrossEntropy') return Array.from({ length: rows * cols }, () => (r.int(3) === 0 ? Math.fround(r.unit()) : r.int(2)))
  if (name !== 'crossEntropyProbabilities') return r.list(rows * cols)
  return Array.from({ length: rows * cols }, () => Math.fround(r.unit()))
}

const OPTIONS: Record<LossName, number[]> = {
  squaredError: [0],
  absoluteError: [0],
  huber: [1, 0.25],
  binaryCrossEntropy: [0, 0.125],
  crossEntropyIndices: [0, 0.125],
  crossEntropyProbabilities: [0, 0.125],
}

describe.each(backends)('$label', (backend) => {
  const room = new Room(backend)
  const all: LossName[] = [...ELEMENT_LOSSES, ...CLASS_LOSSES]

  test.each(all)('%s', (name) => {
    for (const rows of [0, 1, 2, 3, 4, 5, 17]) {
      for (const cols of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 33, 100]) {
        if (cols === 0 && name === 'crossEntropyIndices') continue
        const r = numbers(rows * 100 + cols)
        const common = { name, rows, cols, prediction: r.list(rows * cols, 3), target: targetOf(name, rows, cols, r), scale: 0.375 }
        const weights = Array.from({ length: rows }, (_, i) => (i % 4 === 3 ? 0 : Math.fround(r.unit())))
        for (const option of OPTIONS[name]) {
          checkLoss(room, { ...common, gradient: true, option })
          checkLoss(room, { ...common, gradient: true, option, weights })
          checkLoss(room, { ...common, gradient: false, option, weights })
        }
      }
    }
  })

  test.each(all)('%s: NaN in a prediction shows in the value', (name) => {
    const target = name === 'crossEntropyIndices' ? [0, 2] : [0, 0, 1, 1, 0, 0]
    const prediction = [0, 1, 2, 3, Number.NaN, 5]
    checkLoss(room, { name, rows: 2, cols: 3, prediction, target, gradient: true, scale: 1, option: OPTIONS[name][0] })
  })

  test('absoluteError: derivative 0 at 0', () => {
    const x = [1, 2, 3, 4, 5]
    checkLoss(room, { name: 'absoluteError', rows: 1, cols: 5, prediction: x, target: x, gradient: true, scale: 1, option: 0 })
  })

  test('huber: the point where the pieces meet', () => {
    const prediction = [0.5, -0.5, 0.75, -0.75, 0.25]
    checkLoss(room, { name: 'huber', rows: 1, cols: 5, prediction, target: [0, 0, 0, 0, 0], gradient: true, scale: 2, option: 0.5 })
  })

  test('logits far from 0 neither overflow nor lose the loss', () => {
    const prediction = [100, -100, 1000, -1000, 50, -50]
    const target = [0, 1, 1, 0, 1, 0]
    checkLoss(room, { name: 'binaryCrossEntropy', rows: 2, cols: 3, prediction, target, gradient: true, scale: 1, option: 0 })
    checkLoss(room, { name: 'crossEntropyIndices', rows: 2, cols: 3, prediction, target: [1, 2], gradient: true, scale: 1, option: 0 })
    checkLoss(room, { name: 'crossEntropyProbabilities', rows: 2, cols: 3, prediction, target, gradient: true, scale: 1, option: 0 })
    const low = [-1000, -1001, -1002]
    checkLoss(room, { name: 'crossEntropyIndices', rows: 1, cols: 3, prediction: low, target: [1], gradient: true, scale: 1, option: 0 })
  })

  test('crossEntropy keeps the digits of a small loss of large logits', () => {
    for (const base of [1000, 1e5, -1e5]) {
      const prediction = [base, base - 10, base - 12]
      const truth = Math.log(1 + Math.exp(-10) + Math.exp(-12))
      inRoom(room, `logits about ${base}`, (kernels) => {
        const at = room.input(prediction)
        const [one, two] = [room.output(1), room.output(1)]
        kernels.crossEntropyIndices(at, room.indices([0]), 0, 0, one, 1, 3, 1, 0)
        kernels.crossEntropyProbabilities(at, room.input([1, 0, 0]), 0, 0, two, 1, 3, 1, 0)
        // Σ exp is a float next to 1
        for (const out of [one, two]) expect(Math.abs(room.read(out, 1)[0] - truth)).toBeLessThan(2 ** -23)
      })
    }
  })

  test('crossEntropyIndices: masked classes (−∞ logits) cost nothing', () => {
    const prediction = [1, Number.NEGATIVE_INFINITY, 2, 3, Number.NEGATIVE_INFINITY, 0.5, 1, 0, 2, Number.NEGATIVE_INFINITY]
    checkLoss(room, { name: 'crossEntropyIndices', rows: 2, cols: 5, prediction, target: [2, 3], gradient: true, scale: 1, option: 0 })
  })
})
