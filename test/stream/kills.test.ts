/** SIGKILL at random moments: a training on a stream goes on where it was. */
import path from 'node:path'
import { expect, test } from 'vitest'
import { Generator } from '../../ts/index.js'
import { killOften } from '../tools/kills.js'

test('a training on a stream that is killed at random moments loses nothing, and ends with the bits of one that was not', async () => {
  const random = new Generator(1)
  const report = await killOften(5, () => random.next(), undefined, path.resolve('test/stream/kill-child.ts'))
  expect(report).toMatchObject({ lost: 0, isSame: true, leftAtEnd: 0 })
  expect(report.withinEpochs).toBeGreaterThan(0)
}, 600_000)
