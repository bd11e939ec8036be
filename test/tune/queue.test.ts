/** A study on a real queue, disturbed. `make queue-proof` does so with 500 trials and 20 kills. */
import { expect, test } from 'vitest'
import { createStudy, float, runWorker } from '../../ts/tune/index.js'
import { disturbed, redisServer } from './queue/run.js'

const server = redisServer()

test.runIf(server)('workers that are killed and a Redis that is restarted lose and double nothing', async () => {
  const { finished, complete, wrong, best, wanted } = await disturbed(server as string, { trials: 24, workers: 2, kills: 1, restarts: 1 })
  expect({ finished, complete, wrong, best }).toEqual({ finished: 24, complete: 24, wrong: [], best: wanted })
})

test('errors say what is wrong', async () => {
  await expect(runWorker('http://host')).rejects.toThrow(
    "a queue wants the URL of a server of Redis, such as redis://localhost:6379, got 'http://host'",
  )
  await expect(runWorker('redis://127.0.0.1:1')).rejects.toThrow(/cannot reach Redis at redis:\/\/127\.0\.0\.1:1/)
  const study = await createStudy({ space: { x: float(0, 1) } })
  await expect(study.optimize(() => 1, { trials: 1, queue: 'redis://127.0.0.1:1' })).rejects.toThrow(/on a queue objective wants a module/)
})
