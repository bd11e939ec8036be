/**
 * Random streams: parts of random sizes and forms, bad rows, failures, epochs within and across passes, interruptions at random steps. The weights are
 * those of plain calls of `fit` on the windows, bit for bit.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { RandomStream } from '../../ts/common/random-stream.js'
import { Adam, Checkpoint, Dense, fit, type Module, mse, Sequential, type Tensor } from '../../ts/index.js'
import { fitStream } from '../../ts/stream/index.js'
import { cases } from '../tools/nightly.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-stream-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true }))

const make = () => {
  const model = new Sequential([new Dense(2, 4, { activation: 'tanh' }), new Dense(4, 1)], { seed: 1 })
  return { model, optimizer: new Adam(model.parameters(), { learningRate: 0.01 }) }
}
const weights = (model: Module) => model.parameters().map((p: Tensor) => [...p.data()])

function caseOf(seed: number) {
  const random = new RandomStream(seed)
  const whole = (from: number, to: number) => from + Math.floor(random.uniform() * (to - from + 1))
  const chance = (p: number) => random.uniform() < p
  const count = whole(1, 120)
  const badShare = chance(0.5) ? 0.1 : 0
  const rows = Array.from({ length: count }, () => {
    const isBad = chance(badShare)
    return { inputs: [isBad ? Number.NaN : random.normal(), random.normal()], targets: random.normal(), isBad }
  })
  const hasEpochRows = chance(0.5)
  return {
    rows,
    batchSize: whole(1, 20),
    window: whole(1, 60),
    epochs: whole(1, 3),
    epochRows: hasEpochRows ? whole(1, 150) : undefined,
    seed: whole(0, 99),
    most: whole(1, 40),
    form: whole(0, 3),
    failsAt: chance(0.15) ? whole(0, count - 1) : -1,
    seeks: chance(0.3),
    killedAt: chance(0.6) ? whole(1, 30) : -1,
    partSeed: whole(0, 1000),
  }
}
type Case = ReturnType<typeof caseOf>

/** The source of a case: parts of random sizes. */
function sourceOf({ rows, most, form, failsAt, seeks, partSeed }: Case) {
  let failures = 0
  return ({ row }: { row: number }) => {
    const random = new RandomStream(partSeed)
    return (function* () {
      for (let at = seeks ? row : 0; at < rows.length; ) {
        const part = rows.slice(at, at + 1 + Math.floor(random.uniform() * most))
        if (failures === 0 && at <= failsAt && failsAt < at + part.length) {
          failures++
          throw new Error('down')
        }
        at += part.length
        if (form === 0) yield* part
        else if (form === 1) yield part
        else if (form === 2) yield { inputs: part.map(({ inputs }) => inputs), targets: part.map(({ targets }) => targets) }
        else
          yield {
            inputs: Float64Array.from(part.flatMap(({ inputs }) => inputs)),
            shape: [part.length, 2],
            targets: Float32Array.from(part, ({ targets }) => targets),
          }
      }
    })()
  }
}

/** Plain calls of fit on the windows. */
async function expected({ rows, batchSize, window, epochs, epochRows, seed }: Case) {
  const good = rows.filter(({ isBad }) => !isBad)
  const { model, optimizer } = make()
  const size = Math.ceil(window / batchSize) * batchSize
  let [steps, index] = [0, 0]
  for (let epoch = 0; epoch < epochs; epoch++) {
    const length = epochRows ?? good.length
    const start = epochRows === undefined ? 0 : epoch * epochRows
    for (let from = 0; from < length; from += size) {
      const some = Array.from({ length: Math.min(size, length - from) }, (_, i) => good[(start + from + i) % good.length])
      const data = { inputs: some.map(({ inputs }) => inputs), targets: some.map(({ targets }) => targets) }
      const history = await fit(model, { ...data, loss: mse, optimizer, batchSize, seed: seed + index++ })
      steps += history.steps
    }
  }
  return { weights: weights(model), steps }
}

test('a stream is learnt as its windows are by fit, whatever its form, its failures and its interruptions', async () => {
  for (let seed = 0; seed < cases(120); seed++) {
    const given = caseOf(seed)
    const { rows, form, seeks, killedAt, most: _, failsAt: __, partSeed: ___, epochRows, ...options } = given
    if (rows.every(({ isBad }) => isBad)) continue
    const wanted = await expected(given)
    const file = path.join(folder, `${seed}.safetensors`)
    const data = sourceOf(given)
    const start = (kill: number) => {
      const { model, optimizer } = make()
      const checkpoint = new Checkpoint(file, { every: { steps: 4 }, keep: 1 })
      const killer = { onBatchEnd: ({ step }: { step: number }) => (step === kill ? Promise.reject(new Error('killed')) : undefined) }
      const callbacks = kill > 0 ? [checkpoint, killer] : killedAt > 0 ? [checkpoint] : []
      const run = fitStream(model, {
        ...options,
        ...(epochRows !== undefined && { epochRows }),
        ...{ data, seeks, loss: mse, optimizer, retries: 1, badRows: 'skip', callbacks },
        ...(killedAt > 0 && { resume: checkpoint }),
      })
      return { model, run }
    }
    if (killedAt > 0)
      await start(killedAt).run.then(
        () => expect(wanted.steps).toBeLessThan(killedAt),
        (error: Error) => expect(error.message).toContain('killed'),
      )
    const { model, run } = start(-1)
    const history = await run
    expect({ seed, form, weights: weights(model), steps: history.steps }).toEqual({ seed, form, ...wanted })
    const passes = rows.filter(({ isBad }) => isBad).length * options.epochs
    if (epochRows === undefined) expect({ seed, skipped: history.skipped.count }).toEqual({ seed, skipped: passes })
  }
})
