/** A call with a mistake leaves no model locked: each option wrong in turn, then a right call. */
import { afterAll, describe, expect, test } from 'vitest'
import type { AnySchema } from '../../ts/common/options.js'
import { Adam, Dense, fit, fitAuto, fitMany, type Module, mse, Sequential } from '../../ts/index.js'
import { FIT_AUTO } from '../../ts/select/fit-auto.js'
import { FIT_STREAM, fitStream } from '../../ts/stream/fit-stream.js'
import { OnlineLearner } from '../../ts/stream/index.js'
import { ONLINE } from '../../ts/stream/online.js'
import { FIT_MANY } from '../../ts/train/fleet/options.js'
import { FIT } from '../../ts/train/options.js'

type Given = Record<string, unknown>
interface Call {
  schema: AnySchema
  run: (model: Module, options: Given) => unknown
  good: (model: Module) => Given
}

const rows = { inputs: [[0, 1], [1, 0], [1, 1], [0, 0]], targets: [[0], [1], [1], [0]] } // biome-ignore format: rows
const adam = (model: Module) => new Adam(model.parameters())
const CALLS: Record<string, Call> = {
  fit: { schema: FIT, run: (model, o) => fit(model, o as never), good: (m) => ({ ...rows, loss: mse, optimizer: adam(m) }) },
  fitAuto: { schema: FIT_AUTO, run: (model, o) => fitAuto(model, o as never), good: (m) => ({ ...rows, loss: mse, optimizer: adam(m) }) },
  fitMany: {
    schema: FIT_MANY,
    run: (model, o) => fitMany([model], o as never),
    good: (m) => ({ ...rows, loss: mse, optimizers: [adam(m)] }),
  },
  fitStream: {
    schema: FIT_STREAM,
    run: (model, o) => fitStream(model, o as never),
    good: (m) => ({ data: [rows], loss: mse, optimizer: adam(m) }),
  },
  OnlineLearner: {
    schema: ONLINE,
    run: (model, o) => new OnlineLearner(model, o as never).partialFit(rows),
    good: (m) => ({ loss: mse, optimizer: adam(m) }),
  },
}
const WRONG: unknown[] = [undefined, null, -1, 5, 'x.csv', {}, [], [[]], () => 5, () => undefined, async () => 5]
let refused = 0
afterAll(() => expect(refused).toBeGreaterThan(400))

describe.each(Object.entries(CALLS))('%s', (_, { schema, run, good }) => {
  test.each(Object.keys(schema))('%s', async (name) => {
    for (const wrong of WRONG) {
      const model = new Sequential([new Dense(2, 1)], { seed: 1 })
      try {
        await run(model, { ...good(model), [name]: wrong })
      } catch (error) {
        expect(error).toBeInstanceOf(Error)
        refused++
      }
      await run(model, good(model))
    }
  })
})

test('wrong data is named before epochs, which depend on it', async () => {
  const model = new Sequential([new Dense(2, 1)], { seed: 1 })
  for (const data of [5, undefined, null, {}, 'x.csv'])
    await expect(fitStream(model, { data, loss: mse, optimizer: adam(model), epochs: 2 } as never)).rejects.toThrow(
      /^fitStream: data wants rows/,
    )
})

describe('one training of a model at a time', () => {
  const endless = async function* () {
    for (;;) {
      yield rows
      await new Promise((resolve) => setTimeout(resolve, 1))
    }
  }
  test('fit, fitMany and partialFit wait for fitStream, also between its windows', async () => {
    const model = new Sequential([new Dense(2, 1)], { seed: 1 })
    const stop = new AbortController()
    const options = { loss: mse, optimizer: adam(model) }
    const first = fitStream(model, { ...options, data: endless, window: 8, signal: stop.signal })
    for (const wait of [0, 5, 20]) {
      await new Promise((resolve) => setTimeout(resolve, wait))
      for (const name of ['fit', 'fitMany', 'fitAuto', 'fitStream'])
        await expect(CALLS[name].run(model, CALLS[name].good(model)), name).rejects.toThrow('this model is being trained already')
      expect(() => CALLS.OnlineLearner.run(model, options)).toThrow('this model is being trained already')
    }
    stop.abort()
    await first
    for (const { run, good } of Object.values(CALLS)) await run(model, good(model))
  })

  test('fitStream waits for fit', async () => {
    const model = new Sequential([new Dense(2, 1)], { seed: 1 })
    const { run, good } = CALLS.fit
    const first = run(model, { ...good(model), epochs: 20, yieldEvery: 0 })
    await expect(fitStream(model, CALLS.fitStream.good(model) as never)).rejects.toThrow('fitStream: this model is being trained already')
    await first
  })
})
