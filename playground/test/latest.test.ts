/** A task that runs for the latest wish alone. */
import { expect, test } from 'vitest'
import { latest } from '../src/engine/latest'

test('one run at a time, then one for the latest of the wishes that came meanwhile', async () => {
  const [begun, ended]: number[][] = [[], []]
  const ends: (() => void)[] = []
  const wish = latest(async (input: number) => {
    begun.push(input)
    await new Promise<void>((resolve) => ends.push(resolve))
    ended.push(input)
  })
  const all = wish(1)
  wish(2)
  wish(3)
  expect(begun).toEqual([1])
  ends[0]()
  await expect.poll(() => begun).toEqual([1, 3])
  ends[1]()
  await all
  expect(ended).toEqual([1, 3])
  wish(4)
  expect(begun).toEqual([1, 3, 4])
})
