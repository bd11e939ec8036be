import { readFileSync } from 'node:fs'
import { OPTIMIZERS } from 'gradus/optim'
import { expect, test } from 'vitest'
import { FIRST_ORDER } from '../src/methods'
import { otherMethods } from '../vite.config'

test('every optimizer of the library can be chosen', () => {
  const chosen = FIRST_ORDER.map(({ id }) => id).filter((id) => id !== 'UncorrectedAdam')
  expect([...chosen].sort()).toEqual(Object.keys(OPTIMIZERS).sort())
})

test('one that the page does not know has its default rate and the update of the table of optimizers', () => {
  const added = { Adam: OPTIMIZERS.Adam, Newest: { defaults: { learningRate: 0.003 } }, Rateless: { defaults: {} } }
  const [row] = /^\| \[Adamax\].*$/m.exec(readFileSync(new URL('../../docs/optimizers.md', import.meta.url), 'utf8')) as RegExpExecArray
  expect(otherMethods(added, row.replace('Adamax', 'Newest'))).toEqual([
    ['Newest', 0.003, 'u = max(β₂·u, |g| + ε); p −= η·m/u'],
    ['Rateless', 0.01, 'Rateless'],
  ])
})
