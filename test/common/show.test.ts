/** Descriptions of arguments in messages. */
import { expect, test } from 'vitest'
import { show } from '../../ts/common/show.js'

class Layer {}
class Bare {
  declare name: string
}
Object.defineProperty(Bare, 'name', { value: '' })

test.each<[unknown, string]>([
  ['relu', "'relu'"],
  ['x'.repeat(1000), `'${'x'.repeat(40)}…'`],
  [-1.5, '-1.5'],
  [Number.NaN, 'NaN'],
  [null, 'null'],
  [undefined, 'undefined'],
  [Symbol('s'), 'Symbol(s)'],
  [() => {}, 'a function'],
  [Layer, 'the class Layer'],
  [[1, 2], 'an array of 2'],
  [new Float32Array(3), 'a Float32Array of 3'],
  [new Uint8Array(0), 'a Uint8Array of 0'],
  [new DataView(new ArrayBuffer(8)), 'a DataView'],
  [new Layer(), 'a Layer'],
  [new (class _Adam {})(), 'an Adam'],
  [new Error('no'), 'an Error'],
  [Promise.resolve(), 'a Promise (await it)'],
  [new Date('x'), 'an invalid Date'],
  [new Date(0), 'a Date'],
  [(function* () {})(), 'a generator'],
  [(async function* () {})(), 'a generator'],
  [{ lr: 1, betas: [] }, 'an object with lr, betas'],
  [Object.fromEntries([...'abcdefgh'].map((name) => [name, 0])), 'an object with a, b, c, d, e, f …'],
  [{}, 'an object with nothing'],
  [Object.create(null), 'an object with nothing'],
  [{ constructor: null }, 'an object with constructor'],
  [new Bare(), 'an object with nothing'],
])('%o', (value, text) => {
  expect(show(value)).toBe(text)
})
