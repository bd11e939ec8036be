/** A study on a real queue, disturbed. `make queue-proof` does so with 2,000 trials over several machines. */
import { expect, test } from 'vitest'
import { createStudy, float, runWorker } from '../../../ts/tune/index.js'
import { jobId, ready } from '../../../ts/tune/queue/bullmq.js'
import { queueRunner } from '../../../ts/tune/queue/runner.js'
import { faster } from '../../tools/clocks.js'
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

test.runIf(folder)('workers go on when PostgreSQL is back, which refused their connections', async () => {
  const own = await postgres(folder as string)
  await own.start()
  const worker = await runWorker(own.url, { folder: 'test/tune/queue' })
  const study = await createStudy({ space: { x: float(0, 1), y: float(0, 1) }, storage: own.url })
  let isBack = false
  let after = 0
  const onTrial = () => {
    if (isBack) after++
  }
  try {
    // it fails as soon as the study closes, which may be before anyone waits for it
    const optimizing = study
      .optimize('test/tune/queue/objective.mjs', { trials: 1000, queue: own.url, parallel: 3, onTrial })
      .catch(() => {})
    while (study.finished < 5) await new Promise((resolve) => setTimeout(resolve, 20))
    await own.crash()
    await new Promise((resolve) => setTimeout(resolve, 1500))
    await own.start()
    isBack = true
    // a worker that does not come back fails by the timeout of this test
    await expect.poll(() => after).toBeGreaterThanOrEqual(5)
    await study.close()
    await optimizing
  } finally {
    await worker.close()
    await own.stop()
    own.remove()
  }
})

test('what BullMQ made while the server was away is made again', async () => {
  let made = 0
  const closed: number[] = []
  const part = await ready(() => {
    const number = made++
    return {
      number,
      async waitUntilReady() {
        if (number < 2) throw Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
      },
      close: async () => void closed.push(number),
      on() {},
    }
  })
  expect([part.number, closed]).toEqual([2, [0, 1]])
})

test('studies and prefixes with other names have other jobs and queues', () => {
  const names = ['a b', 'a-b', 'a_b', 'a:b', 'a_20_b', 'ä', 'a', 'study']
  const ids = names.map((name) => jobId(name, 1))
  expect(new Set(ids).size).toBe(names.length)
  expect(ids.join()).not.toContain(':')
  expect(ids.at(-1)).toBe('study-trial-1')
})

test.runIf(server)('a storage that does not answer is told, though the queue answers', async () => {
  const own = await redis(server as string)
  await own.start()
  const study = await createStudy({ space: { x: float(0, 1) }, storage: own.url })
  const silent = Object.create(study, { sync: { value: () => new Promise(() => {}) } })
  const said: string[] = []
  const runner = await queueRunner(silent, 'test/tune/queue/objective.mjs', { queue: own.url, say: (text) => void said.push(text) })
  try {
    await faster(6, () => expect.poll(() => said.join()).not.toBe(''))
    expect(said[0]).toMatch(/^no answer of redis:\/\/127\.0\.0\.1:\d+ for ([5-9]|\d\d+) s; waiting for it/)
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
