/** A study on a real queue, disturbed. `make queue-proof` does so with 500 trials and 20 kills. */
import { expect, test } from 'vitest'
import { createStudy, float, runWorker } from '../../../ts/tune/index.js'
import { queueRunner } from '../../../ts/tune/queue/runner.js'
import { disturbed } from './run.js'
import { postgres, postgresFolder, redis, redisServer } from './servers.js'

const server = redisServer()
const folder = postgresFolder()
const SMALL = { trials: 24, workers: 2, kills: 1, restarts: 1 }

test.runIf(server)('on Redis workers that are killed and a server that crashes lose and double nothing', async () => {
  const { finished, complete, wrong, best, wanted } = await disturbed(await redis(server as string), SMALL)
  expect({ finished, complete, wrong, best }).toEqual({ finished: 24, complete: 24, wrong: [], best: wanted })
})

test.runIf(folder)('on PostgreSQL workers that are killed and a server that crashes lose and double nothing', async () => {
  const { finished, complete, wrong, best, wanted } = await disturbed(await postgres(folder as string), SMALL)
  expect({ finished, complete, wrong, best }).toEqual({ finished: 24, complete: 24, wrong: [], best: wanted })
})

test.runIf(server)('a stop before a trial is on the queue ends it, though no worker is there', async () => {
  const own = await redis(server as string)
  await own.start()
  const study = await createStudy({ space: { x: float(0, 1) }, storage: own.url })
  const runner = await queueRunner<typeof study.space>(study, 'test/tune/queue/objective.mjs', { queue: own.url, say() {} })
  try {
    const trial = await study.ask()
    await expect(runner.run(trial, AbortSignal.abort(new Error('before')))).rejects.toThrow('before')
    const controller = new AbortController()
    const running = runner.run(trial, controller.signal)
    controller.abort(new Error('while it is added'))
    await expect(running).rejects.toThrow('while it is added')
  } finally {
    await runner.close()
    await study.close()
    await own.stop()
    own.remove()
  }
})

test('errors say what is wrong', async () => {
  await expect(runWorker('http://host')).rejects.toThrow(
    "a queue wants the URL of a server, such as redis://localhost:6379 or postgres://localhost/studies, got 'http://host'",
  )
  await expect(runWorker('redis://127.0.0.1:1')).rejects.toThrow(/cannot reach Redis at redis:\/\/127\.0\.0\.1:1/)
  await expect(runWorker('postgres://me:secret@127.0.0.1:1/x')).rejects.toThrow(
    /cannot reach PostgreSQL at postgres:\/\/me:\*\*\*@127\.0\.0\.1:1\/x: connect ECONNREFUSED 127\.0\.0\.1:1\. Is the server running\?/,
  )
  const study = await createStudy({ space: { x: float(0, 1) } })
  await expect(study.optimize(() => 1, { trials: 1, queue: 'redis://127.0.0.1:1' })).rejects.toThrow(
    /on a queue objective wants the URL of a module that exports it by default, got/,
  )
})
