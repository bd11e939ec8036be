/** Losses of rows over the temperature: slopes are those of the loss, and the temperature of a cross-validation is the likeliest one. */
import { beforeAll, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { type Answers, ONE_CLASS, setsOf } from '../../ts/head/answers.js'
import { choosePenalty } from '../../ts/head/choose-penalty.js'
import { load } from '../../ts/index.js'

beforeAll(() => load({ backend: 'wasm' }))

const SETS = setsOf([Uint8Array.of(0, 0, 0), Uint8Array.of(1, 0, 0), Uint8Array.of(0, 1, 1)])
const KINDS: [string, Answers][] = [
  ['of one class', ONE_CLASS],
  ['of sets', SETS],
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

test.each([...KINDS.slice(0, 2)].flatMap(([what, answers]) => [1e-4, 0.1, 10, 1000].map((only) => [what, only, answers] as const)))(
  'the temperature %s at a penalty of %d is that of a fine grid',
  (_, only, answers) => {
    const random = new RandomStream(2)
    const answerOf = Int32Array.from({ length: 300 }, (_, i) => i % 3)
    const vectors = Float32Array.from({ length: 300 * 20 }, (_, i) => random.normal() + Number(i % 20 === Math.floor(i / 20) % 3))
    const chosen = choosePenalty('a test', { vectors, count: 300, width: 20 }, answerOf, 3, { seed: 0, only, answers })
    if (chosen === null) throw new Error('no cross-validation')
    const { judged, logits, temperature } = chosen
    const lossAt = (log: number) =>
      judged.reduce(
        (sum, row) => sum + answers.lossOf(logits.subarray(3 * row, 3 * row + 3), chosen.answerOf[row], Math.exp(-log)),
        log ** 2 / 2,
      )
    const grid = Array.from({ length: 801 }, (_, i) => ((i - 400) / 400) * Math.log(8))
    const best = grid.reduce((a, b) => (lossAt(b) < lossAt(a) ? b : a))
    expect(Math.abs(Math.log(temperature) - best)).toBeLessThan(0.1)
    expect(lossAt(Math.log(temperature)) / lossAt(best)).toBeLessThan(1.001)
  },
)
