/** Turns of the event loop. */
import { expect, test, vi } from 'vitest'
import { clock } from '../../ts/common/clock.js'
import { Pacer } from '../../ts/common/pacer.js'

test('a turn that began in the time of a clock that was put back is over', async () => {
  const ahead = clock.now() + 1e9
  vi.spyOn(clock, 'now').mockReturnValue(ahead)
  const pacer = new Pacer(1e12)
  await pacer.pause()
  vi.restoreAllMocks()
  expect(pacer.isDue).toBe(true)
  await pacer.pause()
  expect(pacer.isDue).toBe(false)
})
