/** docs/optimizers.md is up to date with the classes, the oracle cases and the measured figures. */
import { expect, test } from 'vitest'
import { readFigures } from '../../bench/optim.js'
import { readDocument, verifiedBy, withTables } from '../../bench/optim-table.js'
import { OPTIMIZERS } from '../../ts/optim/index.js'

test('the tables are those of the classes and of bench/results/optim.json (bench/optim-table.ts writes them)', () => {
  expect(withTables(readDocument())).toBe(readDocument())
})

test('every optimizer is measured, and verified against an oracle', () => {
  const { step, updates } = readFigures()
  const verified = verifiedBy()
  for (const name of Object.keys(OPTIMIZERS)) {
    expect(step[name], `${name}: step() at 100 parameters`).toBeGreaterThan(0)
    expect(
      updates.some((u) => u.optimizer === name),
      `${name} in bench/results/optim.json`,
    ).toBe(true)
    expect(verified.get(name)?.length ?? 0, `oracle cases of ${name}`).toBeGreaterThan(0)
  }
})
