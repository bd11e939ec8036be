/** The net for pictures: its evidence adds up to its scores, and looking at it changes nothing. */
import { beforeAll, expect, test } from 'vitest'
import { digitBytes } from '../build/digits.mjs'
import { HALF, PicturesNet, pixelsOf, SIDE } from '../src/pictures/net'
import { moved } from '../src/pictures/session'
import { configOf, picturesTab } from '../src/pictures/state'
import { digitsOf } from '../src/train/digits'

let data: ReturnType<typeof digitsOf>
beforeAll(async () => {
  data = digitsOf(await digitBytes())
})

const netAt = (steps: number, config = configOf(picturesTab.defaults)) => {
  const net = new PicturesNet(config, data)
  net.advance(steps, Number.POSITIVE_INFINITY)
  return net
}
const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, v) => sum + v, 0) / values.length

test('the mean of the evidence for a class, and one bias for all pictures, are its score', () => {
  const net = netAt(40)
  const biases = [0, 7, 499].map((row) => {
    const { scores, evidence, shares, first, second } = net.look(pixelsOf(data.test, row))
    expect(first.map((map) => map.length)).toEqual(new Array(8).fill(SIDE ** 2))
    expect(second.map((map) => map.length)).toEqual(new Array(16).fill(HALF ** 2))
    expect(shares.reduce((sum, v) => sum + v, 0)).toBeCloseTo(1, 6)
    return scores.map((score, c) => score - mean(evidence[c]))
  })
  for (const bias of biases.slice(1)) bias.forEach((value, c) => expect(value).toBeCloseTo(biases[0][c], 4))
})

test('a look changes nothing, and the same seed trains to the same bits', () => {
  const [once, looked] = [netAt(10), new PicturesNet(configOf(picturesTab.defaults), data)]
  for (let step = 1; step <= 10; step++) {
    looked.advance(step, Number.POSITIVE_INFINITY)
    looked.look(pixelsOf(data.test, step))
    looked.accuracy()
  }
  const bits = (net: PicturesNet) => net.model.parameters().map((parameter) => Array.from(parameter.view()))
  expect(bits(looked)).toEqual(bits(once))
})

test('nets of every size that the page offers, and a picture without ink', () => {
  for (const [filters, kernel] of [
    [1, 1],
    [2, 4],
    [16, 7],
  ]) {
    const net = netAt(1, { seed: 3, rate: 0.01, filters, kernel })
    expect(net.filters()).toHaveLength(filters)
    expect(net.filters()[0]).toHaveLength(kernel ** 2)
    const { scores } = net.look(new Float32Array(SIDE ** 2))
    expect(scores.every(Number.isFinite)).toBe(true)
  }
})

test('a rate that is too large is said, and the net stops', () => {
  const net = netAt(400, { ...configOf(picturesTab.defaults), rate: 1e6 })
  if (net.problem !== '') expect(net.problem).toMatch(/^the loss became \w+ at step \d+: the learning rate is too large$/)
  expect(net.problem !== '' || net.step === 400).toBe(true)
})

test('a digit is moved to either side, without coming in again at the other', () => {
  const picture = Float32Array.from({ length: SIDE ** 2 }, (_, i) => i + 1)
  expect(Array.from(moved(picture, 0))).toEqual(Array.from(picture))
  for (const shift of [-4, -1, 2, 4]) {
    const result = moved(picture, shift)
    for (let row = 0; row < SIDE; row++)
      for (let column = 0; column < SIDE; column++) {
        const from = column - shift
        expect(result[row * SIDE + column]).toBe(from >= 0 && from < SIDE ? picture[row * SIDE + from] : 0)
      }
  }
})
