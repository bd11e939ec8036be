/** SIGKILL at random moments loses no file: a short form of `make kills`. */
import { expect, test } from 'vitest'
import { Generator } from '../../ts/index.js'
import { killOften } from '../tools/kills.js'

test('fault 13: a training that is killed at random moments loses nothing, and ends with the bits of one that was not', async () => {
  const random = new Generator(1)
  const report = await killOften(8, () => random.next())
  expect(report).toMatchObject({ lost: 0, isSame: true, leftAtEnd: 0 })
  expect(report.mostLeft).toBeLessThanOrEqual(1)
  expect(report.withinEpochs).toBeGreaterThan(0)
}, 600_000)
