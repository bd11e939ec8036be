/** Pairs of hyper-parameters: their small maps, and what is said of them. */
import { expect, test } from 'vitest'
import { AXES, axis } from '../src/fleet/axes'
import type { Pair } from '../src/fleet/map'
import { pairsText } from '../src/fleet/pairs-text'
import { fleet } from '../src/fleet/state'
import { fleetImportance } from '../src/fleet/train-many'

test.each([1, 2])('each pair has its map, in order of importance, and every net is in it (seed %d)', async (seed) => {
  const { shares, pairs, nets } = await fleetImportance({ ...fleet.defaults, seed, steps: 80 })
  const names = shares.map(({ name }) => name)
  expect(pairs.map(({ x, y }) => [x, y])).toEqual(names.flatMap((y, i) => names.slice(0, i).map((x) => [x, y])))
  for (const { x, y, columns, rows, means, together } of pairs) {
    const counted = (name: string) => axis(name).values?.length ?? 8
    expect([columns, rows, means.length]).toEqual([counted(x), counted(y), columns * rows])
    expect(means.filter(Number.isFinite).length).toBeGreaterThan(0.9 * means.length)
    expect(together).toBeGreaterThanOrEqual(0)
    expect(together).toBeLessThan(1)
  }
  expect(pairs).toHaveLength((AXES.length * (AXES.length - 1)) / 2)
  expect(nets).toBe(1024)
})

test('pairs that matter together are named, the largest first, and none where none does', () => {
  const pair = (x: Pair['x'], y: Pair['y'], together: number): Pair => ({ x, y, together, columns: 1, rows: 1, means: [0] })
  expect(pairsText([pair('rate', 'depth', 0.015), pair('rate', 'batch', 0.126), pair('rate', 'cooling', 0.2)])).toBe(
    'Together, beyond what each explains alone: learning rate and learning-rate decay 20 %; learning rate and rows a step 13 %.',
  )
  expect(pairsText([pair('rate', 'depth', 0)])).toBe('No two of them explain more together than each does alone.')
})
