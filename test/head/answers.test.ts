/** Losses of rows over the temperature: slopes are those of the loss, and the temperature of a cross-validation is the likeliest one. */
import { expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { type Answers, ONE_CLASS, setsOf } from '../../ts/head/answers.js'
import { searchPenalty } from '../../ts/head/choose-penalty.js'
import type { Lines } from '../../ts/head/lines.js'
import { cases } from '../tools/nightly.js'

const KINDS: [string, Answers][] = [
  ['of one class', ONE_CLASS],
  ['of sets', setsOf([Uint8Array.of(0, 0, 0), Uint8Array.of(1, 0, 0), Uint8Array.of(0, 1, 1)])],
  ['of sets, some classes of which are judged', setsOf([Uint8Array.of(0, 1, 0), Uint8Array.of(1, 0, 1), Uint8Array.of(1, 1, 1)], [0, 2])],
]

test.each(KINDS)('slopes of losses %s are their differences', (_, answers) => {
  const random = new RandomStream(1)
  for (let k = 0; k < 300; k++) {
    const size = 10 ** (2 * random.uniform() - 1)
    const z = Float64Array.from({ length: 3 }, () => size * random.normal())
    const [answer, inverse, h] = [k % 3, Math.exp(2 * random.uniform() - 1), 1e-4]
    const slopes: [number, number] = [0, 0]
    answers.addSlopes(z, answer, inverse, slopes)
    const [before, at, after] = [inverse - h, inverse, inverse + h].map((b) => answers.lossOf(z, answer, b))
    const scale = 1 + Math.max(...z.map(Math.abs)) ** 4
    expect(Math.abs(slopes[0] - (after - before) / (2 * h))).toBeLessThan(1e-7 * scale)
    expect(Math.abs(slopes[1] - (after - 2 * at + before) / h ** 2)).toBeLessThan(1e-6 * scale)
  }
})

test.each(KINDS)('the temperature of few and many rows %s, right and wrong ones, is that of a fine grid', (_, answers) => {
  const random = new RandomStream(2)
  const grid = Array.from({ length: 801 }, (_, i) => ((i - 400) / 400) * Math.log(8))
  for (let k = 0; k < cases(200); k++) {
    const rows = [2, 5, 20, 100, 600][k % 5]
    const size = 10 ** (3 * random.uniform() - 1)
    const logits = Float64Array.from({ length: 3 * rows }, () => size * random.normal())
    const wrong = random.uniform()
    const rowOf = (row: number) => logits.subarray(3 * row, 3 * row + 3)
    const likeliest = (row: number) =>
      [0, 1, 2].reduce((a, b) => (answers.lossOf(rowOf(row), b, 1) < answers.lossOf(rowOf(row), a, 1) ? b : a))
    const answerOf = Int32Array.from({ length: rows }, (_, row) =>
      random.uniform() < wrong ? Math.floor(3 * random.uniform()) : likeliest(row),
    )
    const judged = answerOf.map((_, row) => row)
    const solved = { rows: { width: 1, count: rows }, solve() {}, writeHeldOut: (out: Float64Array) => out.set(logits) } as unknown as Lines
    const held = { answerOf, classes: 3, judged, answers }
    const { temperature } = searchPenalty([solved], held, { spread: 1, only: 1, calibrate: true })
    const lossAt = (log: number) =>
      judged.reduce((sum, row) => sum + answers.lossOf(rowOf(row), answerOf[row], Math.exp(-log)), log ** 2 / 2)
    const losses = grid.map(lossAt)
    expect(Math.abs(Math.log(temperature) - grid[losses.indexOf(Math.min(...losses))]), `case ${k}`).toBeLessThan(0.05)
  }
})
