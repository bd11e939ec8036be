/** Trainings that somebody watches. */
import { expect, test } from 'vitest'
import { STEP } from '../src/checks'
import { MAX_STEPS } from '../src/engine/max-steps'
import { type PaceMessage, paced } from '../src/engine/paced'

/** Steps of each picture of a net that is at once where it is told to be. */
async function shown(
  at: number,
  isPlaying: boolean,
  speed: number,
  pictures: number,
  inbox: PaceMessage[] = [],
  from = 0,
): Promise<number[]> {
  const seen: number[] = []
  let [step, breaths] = [from, 0]
  const context = {
    messages: () => [...inbox.splice(0), { type: 'seen' } as const],
    get isStopped() {
      return seen.length >= pictures || breaths > 100
    },
    breathe: async () => {
      breaths++
    },
  }
  await paced<never>({ at, isPlaying, speed }, context, {
    step: () => step,
    isAlive: () => true,
    advance: (until) => {
      step = until
    },
    show: () => {
      seen.push(step)
    },
    receive: () => false,
  })
  return seen
}

test('a training ends at the last step that a link can name', async () => {
  expect(STEP(MAX_STEPS) && !STEP(MAX_STEPS + 1)).toBe(true)
  expect(await shown(10, true, 0, 2)).toEqual([10, MAX_STEPS])
  expect(await shown(MAX_STEPS - 1, true, 1000, 2)).toEqual([MAX_STEPS - 1, MAX_STEPS])
  const more: PaceMessage = { type: 'steps', count: 1 }
  expect(await shown(5, false, 0, 1, [more], 5)).toEqual([6])
  expect(await shown(MAX_STEPS, false, 0, 1, [more], MAX_STEPS)).toEqual([MAX_STEPS])
})
