/** What training takes for a layer of this library. */
import { expect, test } from 'vitest'
import '../../ts/attention/index.js'
import '../../ts/conv/index.js'
import { ROOMS } from '../../ts/files/kinds.js'
import { Dense } from '../../ts/index.js'
import { isLayer } from '../../ts/nn/layer.js'
import '../../ts/recurrent/index.js'

/** A module of this class, without its constructor. */
const made = (Class: { prototype: object }) => Object.create(Class.prototype)

test('all layers of the rooms are, so that code of a user which ran between two steps does not undo their recordings', () => {
  const others = ROOMS.filter(([, Class]) => !isLayer(made(Class))).map(([name]) => name)
  expect(ROOMS.length).toBeGreaterThan(15)
  expect(others).toEqual([])
})

test('subclasses of a layer and layers with a forward of their own are not', () => {
  class Doubled extends Dense {}
  expect(isLayer(made(Dense))).toBe(true)
  expect(isLayer(made(Doubled))).toBe(false)
  for (const [, Class] of ROOMS) {
    class Own extends (Class as new () => Dense) {}
    expect(isLayer(made(Own))).toBe(false)
  }
  const layer = new Dense(2, 3)
  layer.forward = (x) => x as never
  expect(isLayer(layer)).toBe(false)
})
