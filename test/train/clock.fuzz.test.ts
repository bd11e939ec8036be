/** The bits of a training depend on no clock. */
import { describe, expect, test } from 'vitest'
import { Dense, fit, Generator, GradientAccumulation, type Loss, mse, SGD } from '../../ts/index.js'
import { byClock, CLOCKS, type ClockName } from '../tools/clocks.js'
import { allBackends } from '../tools/small-nets.js'

const numbers = (n: number, seed: number) => Float32Array.from(new Generator(seed).normals(n))

describe.each(allBackends)('on $variant', (backend) => {
  test.each(Object.keys(CLOCKS) as ClockName[])(
    'fault 39: batches that wait at an end of an epoch are not those of the next: a clock that %s',
    async (name) => {
      for (const loss of [mse, ((p, t) => mse(p, t)) as Loss])
        for (const replay of [true, false]) {
          const model = new Dense(1, 1, { seed: 3, backend })
          const inner = new SGD(model.build().parameters(), { learningRate: 0.1 })
          const optimizer = new GradientAccumulation(inner, { every: 3 })
          const data = { inputs: numbers(27, 5), shape: [27, 1], targets: numbers(27, 6), loss }
          await byClock(name, 1, () => fit(model, { ...data, optimizer, epochs: 5, batchSize: 3, replay }))
          expect(inner.stepCount).toBe(15)
        }
    },
  )
})
