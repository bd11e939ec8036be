/** Trainings whose nets diverge. */
import { expect, test, vi } from 'vitest'
import { Conv2d, GlobalAvgPool } from '../../ts/conv/index.js'
import { trainImages } from '../../ts/images/index.js'
import { Module, mul, NonFiniteError, Sequential, type Tensor } from '../../ts/index.js'

/** Batches that a net learns from before everything is NaN, and the value of its first weights. */
let [batches, first] = [0, 0]

class Fuse extends Module {
  override forward(x: Tensor): Tensor {
    return this.training && batches-- <= 0 ? (mul(x, Number.NaN) as Tensor) : x
  }
}

vi.mock('../../ts/images/nets.js', async (actual) => ({
  ...(await actual<object>()),
  netOf: () =>
    new Sequential([
      new Fuse(),
      new Conv2d(1, 2, 3, { weightInitializer: (weight) => void weight.view().fill(first) }),
      new GlobalAvgPool(),
    ]),
}))

const images = Array.from({ length: 20 }, (_, i) => ({ width: 8, height: 8, data: new Uint8Array(256).fill(i % 2 ? 255 : 1) }))
const labels = images.map((_, i) => (i % 2 ? 'light' : 'dark'))
const seen: number[] = []
const training = () => trainImages({ images, labels }, { epochs: 8, augment: false, onEpoch: ({ epoch }) => void seen.push(epoch) })

test.each([
  ['a loss that is NaN from the first batch on', 0, 0.1],
  ['weights that are NaN', 1000, Number.NaN],
  ['weights whose products are beyond single precision', 1000, 3e38],
])('%s is an error instead of a net with initial weights', async (_, count, value) => {
  ;[batches, first] = [count, value]
  const error = await training().catch((caught) => caught)
  expect(error).toBeInstanceOf(NonFiniteError)
  expect(error.message).toMatch(/every net diverged \(small\).*choose another seed, or net: 'residual'/)
  expect(error.cause.message).toMatch(/loss is/)
})

test('a net that diverges in its third epoch keeps the weights of its best one', async () => {
  seen.length = 0
  ;[batches, first] = [4, 0.1] // two batches an epoch
  const { report } = await training()
  expect(seen).toEqual([1, 2])
  expect(report.logLoss).toBeLessThan(1)
})
