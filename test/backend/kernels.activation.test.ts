/**
 * Activations and their derivatives against the formulas, on every backend. Tolerance: a few u of the result, plus a few
 * u of 1 where a formula takes differences from 1; relu and linear are exact.
 */
import { describe, expect, test } from 'vitest'
import { erf, erfc } from '../../ts/backend/js/math.js'
import { ACTIVATIONS, type Activation, SAVES_INPUT } from '../../ts/backend/kernels.js'
import { assertClose, backends, INF, inRoom, numbers, Room, SIZES } from '../tools/backends.js'
import * as naive from '../tools/naive.js'

test('erf and erfc of the JS backend are accurate to double precision, erfc in its tail too', () => {
  for (let x = -6; x <= 26; x += 1 / 64) {
    // the reference rounds x² before exp: an error of x² · u of its own
    const own = 1e-15 + x * x * 2 ** -53
    expect(Math.abs(erfc(x) - naive.erfc(x)), `erfc(${x})`).toBeLessThanOrEqual(2 * own * naive.erfc(x))
    expect(Math.abs(erf(x) - naive.erf(x)), `erf(${x})`).toBeLessThanOrEqual(2e-15 * Math.abs(naive.erf(x)))
  }
})

describe.each(backends)('$label', (backend) => {
  const room = new Room(backend)

  test.each(ACTIVATIONS)('activationForward: %s', (name) => {
    for (const n of SIZES) for (let offset = 0; offset < 4; offset++) checkActivation(room, name, numbers(n).list(n, 3), offset)
    checkActivation(room, name, numbers(1).list(5000, 8), 1)
    checkActivation(room, name, [0, -0, 1e-30, -1e-30, 20, -20, 60, -60, 87, -87, 100, -100, 1000, -1000], 0)
    checkActivation(room, name, [Number.NaN, 1, INF, 2, 3], 2)
  })

  test.each(ACTIVATIONS)('activationBackward: %s', (name) => {
    for (const n of SIZES) for (let offset = 0; offset < 4; offset++) checkDerivative(room, name, numbers(n + 1).list(n, 3), offset)
    checkDerivative(room, name, [0, 1e-6, -1e-6, 20, -20, 60, -60], 1)
  })

  test.each(['relu', 'leakyRelu', 'linear'] as const)('fault 28: %s: the sign of infinities, and NaN stays', (name) => {
    checkActivation(room, name, [INF, -INF, Number.NaN, 0, -INF], 0)
  })
})

function checkActivation(room: Room, name: Activation, x: number[], offset: number): void {
  const { backend } = room
  for (const inPlace of [false, true]) {
    const what = `activationForward ${name} n=${x.length} offset=${offset} inPlace=${inPlace}`
    inRoom(room, what, (kernels) => {
      const from = inPlace ? room.inout(x, offset) : room.input(x, offset)
      const to = inPlace ? from : room.output(x.length, (offset + 1) % 4)
      const stored = room.read(from, x.length)
      kernels.activationForward(from, to, x.length, ACTIVATIONS.indexOf(name))
      const expected = stored.map(naive.activation[name])
      const error = (i: number) => 16 * backend.unit * (Math.min(1, Math.abs(stored[i])) + Math.abs(expected[i])) + 4 * backend.unit
      assertClose(backend, room.read(to, x.length), expected, name === 'relu' || name === 'linear' ? () => 0 : error, what)
    })
  }
}

function checkDerivative(room: Room, name: Activation, x: number[], offset: number): void {
  const { backend } = room
  const dy = numbers(x.length).list(x.length)
  const number = ACTIVATIONS.indexOf(name)
  for (const inPlace of [false, true]) {
    const what = `activationBackward ${name} n=${x.length} offset=${offset} inPlace=${inPlace}`
    inRoom(room, what, (kernels) => {
      const saved = room.input(SAVES_INPUT.has(name) ? x : x.map(naive.activation[name]), offset)
      const from = inPlace ? room.inout(dy, offset) : room.input(dy, 3 - offset)
      const to = inPlace ? from : room.output(x.length, (offset + 1) % 4)
      kernels.activationBackward(saved, from, to, x.length, number)
      const expected = x.map((v, i) => dy[i] * naive.derivative[name](v))
      // an output saved with relative error u gives f′ = 1 − y² and the like with an absolute error of a few u
      assertClose(
        backend,
        room.read(to, x.length),
        expected,
        (i) => 16 * backend.unit * Math.abs(dy[i]) * (1 + Math.abs(expected[i])),
        what,
      )
    })
  }
}
