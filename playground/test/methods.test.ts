import { OPTIMIZERS } from 'gradus'
import { expect, test } from 'vitest'
import { FIRST_ORDER } from '../src/methods'

test('every optimizer of the library can be chosen', () => {
  const chosen = FIRST_ORDER.map(({ id }) => id).filter((id) => id !== 'UncorrectedAdam')
  expect([...chosen].sort(), 'a new optimizer wants a line in playground/src/methods.ts').toEqual(Object.keys(OPTIMIZERS).sort())
})
