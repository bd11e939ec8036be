/**
 * Faults that a queue must survive overnight: objectives that hang, throw, were edited or cannot be loaded, studies that are stopped, missing
 * workers.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Queue } from 'bullmq'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  createStudy,
  deleteStudy,
  float,
  type OptimizeOptions,
  type QueueWorkerHandle,
  queueStatus,
  random,
  runWorker,
  type WorkerOptions,
} from '../../../ts/tune/index.js'
import { connectRedis } from '../../../ts/tune/storage/redis.js'
import { faster } from '../../tools/clocks.js'
import { redis, redisServer, type Server } from './servers.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-edges-'))
const program = redisServer()

/** Writes a module with an objective in its present version. */
function objective(name: string, code: string): string {
  const file = path.join(folder, name)
  writeFileSync(file, code)
  return file
}

describe.runIf(program)('on a queue', () => {
  let server: Server
  let prefix = 0
  let url = ''
  const workers: QueueWorkerHandle[] = []
  const said: string[] = []
  const seen: string[] = []
  beforeAll(async () => {
    server = await redis(program as string)
    await server.start()
  })
  afterAll(async () => {
    await server.stop()
    server.remove()
    rmSync(folder, { recursive: true })
  })

  async function fresh<T>(work: () => Promise<T>): Promise<T> {
    url = `${server.url}?prefix=p${prefix++}`
    for (const list of [said, seen]) list.length = 0
    try {
      return await work()
    } finally {
      for (const worker of workers.splice(0)) await worker.close()
    }
  }
  const worker = async (name: string, options: WorkerOptions = {}) => {
    const own = await runWorker(url, {
      folder,
      onTrial: ({ number, state, reason }) => seen.push(`${name} ${number} ${state}${reason ? `: ${reason}` : ''}`),
      onMessage: (text) => said.push(`${name}: ${text}`),
      ...options,
    })
    workers.push(own)
    return own
  }
  const study = (name = 'study') => createStudy({ space: { x: float(-1, 1) }, storage: url, name, sampler: random() })
  const on = (options: OptimizeOptions): OptimizeOptions => ({
    queue: url,
    parallel: 2,
    onMessage: (text) => said.push(`study: ${text}`),
    ...options,
  })

  test('a trial that hangs is ended after trialTime, and its worker goes on', () =>
    fresh(async () => {
      const file = objective(
        'hang.mjs',
        'export default ({ x }, t) => { if (t.number === 1) for (;;); if (t.number === 2) return new Promise(() => {}); return x * x }',
      )
      await worker('w')
      const own = await study()
      await own.optimize(file, on({ trials: 6, trialTime: 1 }) as never)
      expect(own.trials.map(({ state }) => state)).toEqual(['complete', 'failed', 'failed', 'complete', 'complete', 'complete'])
      expect(own.trials[1].error).toBe('the trial took longer than trialTime allows, 1 s, and was ended')
      expect(seen).toContain('w 1 failed: the trial took longer than trialTime allows, 1 s, and was ended')
      await own.close()
    }))

  test('a worker has a limit of its own', () =>
    fresh(async () => {
      const file = objective('hang2.mjs', 'export default () => { for (;;); }')
      await worker('w', { trialTime: 0.5 })
      const own = await study()
      await own.optimize(file, on({ trials: 2 }) as never)
      expect(own.trials.map(({ state }) => state)).toEqual(['failed', 'failed'])
      await own.close()
    }))

  test('the end of a study reaches its workers: a trial that hangs is left, and the next study has them', () =>
    fresh(async () => {
      const file = objective('hang3.mjs', 'export default () => { for (;;); }')
      await worker('w')
      const own = await study()
      await own.optimize(file, on({ time: 2 }) as never)
      expect(own.finished).toBe(0)
      const next = await study('next')
      await next.optimize(objective('good.mjs', 'export default ({ x }) => x * x'), on({ trials: 3, time: 20 }) as never)
      expect(next.finished).toBe(3)
      expect(seen).toContain('w 0 left: its study was stopped')
      await own.close()
      await next.close()
    }))

  test('an error of the objective stops the study, and its text is everywhere', () =>
    fresh(async () => {
      const file = objective(
        'throws.mjs',
        "export default ({ x }, t) => { if (t.number % 5 === 2) throw new Error('boom in ' + t.number); return x }",
      )
      await worker('w')
      const own = await study()
      await expect(own.optimize(file, on({ trials: 20 }) as never)).rejects.toThrow(
        /^trial 2: boom in 2 \(the objective got the parameters \{"x":/,
      )
      expect(own.trials[2]).toMatchObject({ state: 'failed', error: 'boom in 2' })
      expect(seen).toContain('w 2 failed: boom in 2')
      expect(own.finished).toBeLessThan(8)
      await own.optimize(file, on({ trials: 20, onError: 'continue' }) as never)
      expect(own.trials.map(({ state }) => state === 'failed')).toEqual(Array.from({ length: 20 }, (_, i) => i % 5 === 2))
      await own.close()
    }))

  test('a value that is not finite, or no value, is what it is in this process', () =>
    fresh(async () => {
      const file = objective('nan.mjs', "export default ({ x }, t) => t.number === 1 ? NaN : t.number === 3 ? 'text' : x")
      await worker('w')
      const own = await study()
      await expect(own.optimize(file, on({ trials: 6, parallel: 1 }) as never)).rejects.toThrow(
        /^trial 3: the objective wants to return a number, got 'text'/,
      )
      expect(own.trials.map(({ state }) => state)).toEqual(['complete', 'failed', 'complete', 'failed'])
      await own.close()
    }))

  test('an objective that was edited is loaded again, and each trial says by which version it was run', () =>
    fresh(async () => {
      objective('part.mjs', 'export const offset = 0')
      const file = objective('edit.mjs', "import { offset } from './part.mjs'\nexport default ({ x }) => x * x + offset")
      await worker('w')
      const first = await study('first')
      await first.optimize(file, on({ trials: 3 }) as never)
      expect(first.bestValue).toBeLessThan(1)
      // changes a module that the objective imports
      objective('part.mjs', 'export const offset = 100')
      const second = await study('second')
      await second.optimize(file, on({ trials: 3 }) as never)
      expect(second.bestValue).toBeGreaterThanOrEqual(100)
      const [a, b] = [first, second].map((one) => new Set(one.trials.map(({ attributes }) => attributes['gradus:objective'])))
      expect([a.size, b.size]).toEqual([1, 1])
      expect([...a][0]).toMatch(/^edit\.mjs [0-9a-f]{12}$/)
      expect([...a][0]).not.toBe([...b][0])
      // a study that goes on with another version says so, and so does its status
      await first.optimize(file, on({ trials: 5 }) as never)
      expect(said).toContain(
        `study: trials of this study were run by different versions of the objective, and cannot be compared: ${[...b][0]} and ${[...a][0]}`,
      )
      const { studies } = await queueStatus(url)
      expect(studies.map(({ versions }) => versions)).toEqual([[...a, ...b], [...b]])
      await first.close()
      await second.close()
    }))

  test('an edit in the midst: those who have the version of the study go on, others hand back, and without the former it ends with an error', () =>
    fresh(async () => {
      const slow = (offset: number) =>
        `export default async ({ x }) => { await new Promise((r) => setTimeout(r, 300)); return x + ${offset} }`
      const file = objective('midst.mjs', slow(0))
      const old = await worker('old')
      const own = await study()
      const optimizing = own.optimize(file, on({ trials: 200 }) as never).catch((error) => error)
      await expect.poll(() => own.finished).toBeGreaterThan(1)
      objective('midst.mjs', slow(100))
      await worker('new')
      await expect
        .poll(() => said.join('\n'))
        .toMatch(/^new: cannot run midst\.mjs, and hands its trials back: midst\.mjs has version \w{12} here, and the study wants \w{12}/m)
      const before = own.finished
      await expect.poll(() => own.finished).toBeGreaterThan(before + 1)
      await old.close()
      expect(String(await faster(6, () => optimizing))).toMatch(/Error: optimize: no worker can run midst\.mjs: midst\.mjs has version /)
      expect(own.trials.filter(({ state }) => state === 'complete').every(({ value }) => (value as number) < 50)).toBe(true)
      expect(own.trials.filter(({ state }) => state === 'failed')).toEqual([])
      await own.close()
    }))

  test('a worker that cannot load the objective hands its trials back: all are complete by another', () =>
    fresh(async () => {
      const code = 'export default async ({ x }) => { await new Promise((r) => setTimeout(r, 50)); return x }'
      const file = objective('table.mjs', code)
      await worker('bad', { modules: {}, folder: tmpdir() })
      await worker('good')
      const own = await study()
      await own.optimize(file, on({ trials: 16, parallel: 8 }) as never)
      expect(own.trials.every(({ state }) => state === 'complete')).toBe(true)
      expect(seen.some((line) => line.startsWith('bad') && /begun|complete/.test(line))).toBe(false)
      expect(said.filter((line) => line.startsWith('bad: cannot run table.mjs'))).toHaveLength(1)
      expect(said.join('\n')).toMatch(
        /^study: the worker on \S+ \(process \d+\) cannot run table\.mjs, and hands its trials back: this worker has no module 'table\.mjs'/m,
      )
      await own.close()
    }))

  test.each([
    ['syntax.mjs', 'export const a = 1\nexport default (x => x\n', /no worker can run syntax\.mjs: .*\(syntax\.mjs, line [23]\)/],
    [
      'data.mjs',
      "export const a = 1\n\nthrow new Error('no such table on this machine')",
      /no worker can run data\.mjs: no such table on this machine \(data\.mjs, line 3\)/,
    ],
    ['none.mjs', 'export const a = 1', /no worker can run none\.mjs: the module .*none\.mjs wants to export a function by default/],
    [
      'exit.mjs',
      'process.exit(0)',
      /no worker can run exit\.mjs: the worker ended before it had begun; does the module of the objective end the process\?/,
    ],
  ])('%s, which no worker can load, is an error that says why', (name, code, message) =>
    fresh(async () => {
      await worker('w')
      const own = await study()
      const optimizing = faster(6, () => own.optimize(objective(name, code), on({ trials: 5 }) as never))
      await expect(optimizing).rejects.toThrow(message)
      expect(own.finished).toBe(0)
      await own.close()
    }),
  )

  test('a queue without workers is told, with the command to run, and again', () =>
    fresh(async () => {
      const file = objective('alone.mjs', 'export default ({ x }) => x')
      const own = await study()
      const controller = new AbortController()
      const seconds: number[] = []
      const command = `npx gradus tune worker ${url} --module ./alone.mjs`
      const onMessage = (text: string) => {
        if (!text.endsWith(`: there is no worker. Start one, on any machine: ${command}`)) return
        seconds.push(Number(/^2 trials of 'study' wait, for (\d+) s:/.exec(text)?.[1]))
        if (seconds.length === 2) controller.abort()
      }
      await faster(3, () => own.optimize(file, on({ trials: 5, signal: controller.signal, onMessage }) as never))
      expect(seconds[0]).toBeGreaterThanOrEqual(4)
      expect(seconds[1] - seconds[0]).toBeGreaterThanOrEqual(5)
      await own.close()
    }))

  test('a storage that workers cannot reach is refused at the start', () =>
    fresh(async () => {
      const file = objective('far.mjs', 'export default ({ x }) => x')
      const message = (place: string) =>
        `optimize: queue wants the server that keeps the study, got ${url} for a study in ${place}, which workers cannot reach`
      const inMemory = await createStudy({ space: { x: float(0, 1) } })
      await expect(inMemory.optimize(file, { trials: 2, queue: url })).rejects.toThrow(message('memory'))
      const storage = path.join(folder, 'here.log')
      const inFile = await createStudy({ space: { x: float(0, 1) }, storage })
      await expect(inFile.optimize(file, { trials: 2, queue: url })).rejects.toThrow(message(storage))
      const elsewhere = await createStudy({ space: { x: float(0, 1) }, storage: `${server.url}?prefix=other` })
      await expect(elsewhere.optimize(file, { trials: 2, queue: url })).rejects.toThrow('which workers cannot reach')
      for (const one of [inMemory, inFile, elsewhere]) await one.close()
    }))

  test('a worker that is closed hands its trials back at once', () =>
    fresh(async () => {
      const file = objective('slow.mjs', 'export default async ({ x }) => { await new Promise((r) => setTimeout(r, 700)); return x }')
      const first = await worker('first', { lockSeconds: 3600 })
      const own = await study()
      const optimizing = own.optimize(file, on({ trials: 4 }) as never)
      await expect.poll(() => seen.join()).toContain('begun')
      await first.close()
      // a lock that had to run out would outlast the timeout of this test
      await worker('second')
      await optimizing
      expect(own.trials.every(({ state }) => state === 'complete')).toBe(true)
      await own.close()
    }))

  test('status says who works on what, and a study that is deleted ends', () =>
    fresh(async () => {
      const file = objective('long.mjs', 'export default async ({ x }) => { await new Promise((r) => setTimeout(r, 400)); return x }')
      await worker('w')
      const own = await study()
      const optimizing = own.optimize(file, on({ trials: 500 }) as never).catch((error) => error)
      await expect.poll(() => own.finished).toBeGreaterThan(2)
      const status = await queueStatus(url)
      expect(status.workers).toMatchObject([{ pid: process.pid, concurrency: 1, refused: [] }])
      expect(status.workers[0].running.length).toBeLessThanOrEqual(1)
      expect(status.studies).toMatchObject([
        { name: 'study', failed: 0, trials: 500, runBy: [expect.stringContaining(`(process ${process.pid})`)] },
      ])
      expect(status.studies[0].perMinute).toBeGreaterThan(10)
      expect(status.studies[0].secondsLeft).toBeGreaterThan(10)
      await deleteStudy({ storage: url, name: 'study' })
      expect(String(await optimizing)).toMatch(/the study 'study' was deleted from redis:/)
      expect((await queueStatus(url)).studies).toEqual([])
      await own.close()
    }))

  test('a worker tells nothing of a trial that the server has lost, and has another of its number now', () =>
    fresh(async () => {
      const go = path.join(folder, 'go')
      const file = objective(
        'lost.mjs',
        `import { existsSync } from 'node:fs'
export default async ({ x }, t) => {
  while (!existsSync(${JSON.stringify(go)})) await new Promise((r) => setTimeout(r, 20))
  await new Promise((r) => setTimeout(r, 1500 * t.number))
  await t.report(x, 0)
  return x
}`,
      )
      await worker('w', { concurrency: 2 })
      const own = await study()
      const optimizing = own.optimize(file, on({ trials: 2 }) as never).catch((error) => error)
      await expect.poll(() => seen.join()).toMatch(/begun.*begun/)
      const connection = await connectRedis(server.url)
      // the study that runs may give the server its journal back before the other is there
      const takeItsPlace = async () => {
        await connection.eval(`for _, key in ipairs(redis.call('keys', 'p${prefix - 1}:log*')) do redis.call('del', key) end return 1`, 0)
        return createStudy({ space: { x: float(5, 6) }, storage: url, sampler: random() })
      }
      const other = await takeItsPlace().catch(takeItsPlace).catch(takeItsPlace)
      await other.ask()
      expect(String(await optimizing)).toMatch(/did the server lose its data\?/)
      writeFileSync(go, '')
      // the first that sees it does not take the storage away from the other
      for (const number of [0, 1]) await expect.poll(() => seen.join()).toMatch(new RegExp(`w ${number} left: the journal in`))
      // its job is still there, and runs it with its own parameters
      await expect.poll(() => other.sync().then(() => other.trials[0].state)).toBe('complete')
      expect(other.trials.map(({ value, reports }) => [value, ...reports.values()])).toEqual([
        [other.trials[0].params.x, other.trials[0].params.x],
      ])
      connection.disconnect()
      await own.close()
      await other.close()
    }))

  test('threads of many objectives do not pile up', () =>
    fresh(async () => {
      const file = objective('many.mjs', 'export const make = ({ add }) => ({ x }) => x + add')
      const alive = new Set<unknown>()
      const note = (thread: NodeJS.EventEmitter) => {
        alive.add(thread)
        thread.once('exit', () => alive.delete(thread))
      }
      process.on('worker', note as never)
      await worker('w', { modules: { 'many.mjs': { module: file, factories: ['make'] } } })
      const own = await study()
      for (let add = 0; add < 8; add++)
        await own.optimize({ module: file, factory: 'make', options: { add } }, on({ trials: add + 1 }) as never)
      expect(own.trials.map(({ value, params }, i) => Math.abs((value as number) - params.x - i) < 1e-12)).toEqual(Array(8).fill(true))
      await expect.poll(() => alive.size).toBe(4)
      process.off('worker', note as never)
      await own.close()
    }))

  test('jobs that a killed run left, with a version that nobody has any more, are replaced', () =>
    fresh(async () => {
      const file = objective('left.mjs', 'export default ({ x }) => x')
      const queue = new Queue(`p${prefix - 1}-trials`, { connection: { url: server.url } as never })
      const left = { study: 'study', prefix: `p${prefix - 1}`, number: 0, objective: { name: 'left.mjs', hash: '0'.repeat(64) } }
      await queue.add('trial', left, { jobId: 'study-trial-0' })
      // a job from another version of gradus, or from anybody else
      await queue.add('trial', { study: 'study', number: 1, objective: { url: 'file:///left.mjs' } }, { jobId: 'study-trial-1' })
      await worker('w')
      const own = await study()
      await own.optimize(file, on({ trials: 3, time: 30 }) as never)
      expect(own.finished).toBe(3)
      await own.close()
      await queue.close()
    }))
})
