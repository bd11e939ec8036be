/** The net for sequences: the gates that the page shows are those of the layer. */

import { tensor } from 'gradus'
import { expect, test } from 'vitest'
import { backend } from '../src/engine/watched-net'
import { aloneText } from '../src/series/alone-text'
import { ALONE, GIVEN } from '../src/series/given'
import { SeriesNet, waveOf } from '../src/series/net'
import { configOf, seriesTab } from '../src/series/state'
import { short } from '../src/ui/controls'

const netAt = (steps: number, changes: Partial<ReturnType<typeof configOf>> = {}) => {
  const net = new SeriesNet({ ...configOf(seriesTab.defaults), ...changes })
  net.advance(steps, Number.POSITIVE_INFINITY)
  return net
}

test.each([1, 2, 6, 16])('the trace of %d units is what the net computes', (units) => {
  const net = netAt(30, { units, seed: units })
  const wave = waveOf(16, GIVEN)
  const { outputs, open, back } = net.trace(wave, 0)
  const predicted = net.model.predict(tensor(Float32Array.from(wave), [1, GIVEN, 1], { backend })).data()
  outputs.forEach((y, t) => expect(y).toBeCloseTo(predicted[t], 5))
  for (const gate of [open, back]) {
    expect(gate).toHaveLength(units)
    for (const steps of gate) expect(steps.every((v) => v > 0 && v < 1)).toBe(true)
  }
})

test('alone, each output is the next input', () => {
  const net = netAt(50)
  const wave = waveOf(16, GIVEN)
  const { outputs } = net.trace(wave, ALONE)
  expect(outputs).toHaveLength(GIVEN + ALONE)
  const given = [...wave, ...outputs.slice(GIVEN - 1, -1)]
  const again = net.trace(given, 0).outputs
  expect(again).toEqual(outputs)
})

test('what is said of the net alone is computed from the run beside it, for every wave that a link can ask for', () => {
  for (let period = 4; period <= 60; period++) {
    const net = netAt(1, { period })
    const wave = waveOf(period, GIVEN + ALONE + 1)
    const { outputs } = net.trace(wave.slice(0, GIVEN), ALONE)
    const of = (values: number[]) => short(Math.hypot(...values) / Math.sqrt(ALONE), 2)
    const alone = Array.from({ length: ALONE }, (_, i) => Math.sin((2 * Math.PI * (GIVEN + 1 + i)) / period))
    expect(aloneText(wave, outputs)).toBe(
      `Alone it is off by ${of(alone.map((v, i) => outputs[GIVEN + i] - v))} (root mean square); a flat line at 0 would be off by ${of(alone)}.`,
    )
  }
})

test('a look changes nothing, and the same seed trains to the same bits', () => {
  const [once, looked] = [netAt(10), netAt(0)]
  for (let step = 1; step <= 10; step++) {
    looked.advance(step, Number.POSITIVE_INFINITY)
    looked.trace(waveOf(16, GIVEN), ALONE)
  }
  const bits = (net: SeriesNet) => net.model.parameters().map((parameter) => Array.from(parameter.view()))
  expect(bits(looked)).toEqual(bits(once))
})
