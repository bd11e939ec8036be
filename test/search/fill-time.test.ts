/** Rounds until the time is over: which recipes are trained, for how long, on a clock that training alone moves. */
import { expect, test } from 'vitest'
import { clock } from '../../ts/common/clock.js'
import { fillTime } from '../../ts/search/fill-time.js'
import type { Round, Rounds } from '../../ts/search/rounds.js'

const EPOCHS = 30

/**
 * @param seconds until the end, in which an epoch of one recipe takes one
 * @param early share of a full training after which nets stop
 */
async function roundsOf(seconds: number, first: [string, ...string[]] = ['usual'], rows = 1000, early = 1, epochs = EPOCHS) {
  const real = clock.now
  let now = 0
  clock.now = () => now
  const seen: Round<string>[] = []
  const candidates: string[] = []
  const rounds = {
    ...{ candidates, failure: undefined, trainingRows: rows, options: { seed: 5, signal: undefined }, deadline: 1000 * seconds },
    async train(round: Round<string>) {
      seen.push(round)
      now += 1000 * round.recipes.length * round.epochs * (round.share ?? 1) * (round.epochs === epochs ? early : 1)
      candidates.push(...round.recipes)
    },
  } as unknown as Rounds<string>
  try {
    const isFull = await fillTime(rounds, {
      ...{ first, isPaired: true, batchSize: 32, epochs, small: 'small' },
      draw: (seed, number) => `${number}: ${seed}`,
    })
    return { isFull, seen, over: now / 1000 - seconds }
  } finally {
    clock.now = real
  }
}
const inFull = ({ epochs, share }: Round<string>) => epochs === EPOCHS && share === 1

test('after a pilot and a measured epoch, all first recipes are trained in full, as without a limit, then others with numbers of their own', async () => {
  const { isFull, seen } = await roundsOf(400, ['usual', 'dry'])
  expect(isFull).toBe(true)
  expect(seen.slice(0, 2).map(({ recipes, epochs }) => [recipes, epochs])).toEqual([
    [['usual'], 2],
    [['usual'], 5],
  ])
  const [paired, ...others] = seen.slice(2)
  expect(paired).toEqual({ recipes: ['usual', 'dry'], isPaired: true, batchSize: 32, epochs: EPOCHS, number: 0, share: 1 })
  expect(others.length).toBeGreaterThan(4)
  expect(others.map(({ number }) => number)).toEqual(others.map((_, i) => i + 1))
  expect(others.some(({ isPaired }) => isPaired)).toBe(false)
  const drawn = others.flatMap(({ recipes }) => recipes)
  expect(drawn.map((recipe) => Number(recipe.split(':')[0]))).toEqual(drawn.map((_, i) => i))
  expect(new Set(drawn.map((recipe) => recipe.split(': ')[1])).size).toBe(drawn.length)
  expect(others.filter(inFull).length).toBeGreaterThan(3)
})

test('where two do not fit, the usual one is trained alone; where not even that fits, for fewer epochs, then on fewer rows', async () => {
  const alone = await roundsOf(55, ['usual', 'dry'])
  expect([alone.isFull, alone.seen[2].recipes, inFull(alone.seen[2])]).toEqual([true, ['usual'], true])
  const short = await roundsOf(25)
  expect([short.isFull, short.seen[2].recipes, short.seen[2].share]).toEqual([false, ['usual'], 1])
  expect(short.seen[2].epochs).toBeLessThan(EPOCHS)
  const many = await roundsOf(3, ['usual'], 100_000)
  expect(many.isFull).toBe(false)
  for (const { share } of many.seen) expect(share).toBeLessThan(1)
})

test('a training in full is begun if most of it fits, and nets that stop early leave time for more', async () => {
  const { isFull, seen, over } = await roundsOf(36)
  expect([isFull, inFull(seen[2])]).toEqual([true, true])
  expect(over).toBeGreaterThan(0)
  const fullOf = async (early: number) =>
    (await roundsOf(150, ['usual'], 1000, early)).seen.filter(inFull).flatMap(({ recipes }) => recipes).length
  expect(await fullOf(1)).toBe(4)
  expect(await fullOf(0.5)).toBe(9)
})

test('no training ends later than a fifth of a training after the time', async () => {
  for (let seconds = 12; seconds < 300; seconds += 7) expect((await roundsOf(seconds)).over).toBeLessThanOrEqual(EPOCHS / 5)
})

test('no training has more epochs than a full one, and one is full with all rows only', async () => {
  for (const epochs of [1, 2, 3]) {
    for (const seconds of [0.01, 2, 4, 40]) {
      const { isFull, seen } = await roundsOf(seconds, ['usual'], 20_000, 1, epochs)
      expect(Math.max(...seen.map((round) => round.epochs))).toBeLessThanOrEqual(epochs)
      const [, , first] = seen
      expect(isFull).toBe(first !== undefined && first.epochs === epochs && first.share === 1)
    }
  }
})
