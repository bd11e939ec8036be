/** The name that is meant by a misspelled one. */
import { expect, test } from 'vitest'
import { nearest } from '../../ts/common/nearest.js'

test.each<[string, string[], string | undefined]>([
  ['adma', ['SGD', 'Adam', 'AdamW'], 'Adam'],
  ['Species', ['island', 'species'], 'species'],
  ['irs', ['mnist', 'iris'], 'iris'],
  ['penguin.csv', ['cars.csv', 'penguins.csv'], 'penguins.csv'],
  ['quickprop', ['SGD', 'Adam'], undefined],
  // in a short name two changed letters make another one
  ['x', ['y'], undefined],
  ['ab', ['xy', 'abcd'], undefined],
  ['X', ['x'], 'x'],
  ['--target', ['--ragged', '--json'], undefined],
  ['a'.repeat(65), ['a'.repeat(64)], undefined],
])('%s among %j', (name, known, meant) => {
  expect(nearest(name, known)).toBe(meant)
})
