/** Many trials at once, in threads. */
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, test, vi } from 'vitest'
import { categorical, createStudy, float, percentile, random } from '../../../ts/tune/index.js'
import { workerPool } from '../../../ts/tune/parallel/pool.js'

const MODULE = new URL('./objective.mjs', import.meta.url)

test('a module runs in threads, with reports, pruning and notes', async () => {
  const study = await createStudy({ space: { x: float(0, 1) }, pruner: percentile(50, { startupTrials: 3 }) })
  await study.optimize(MODULE, { trials: 30, parallel: 2 })
  expect(study.finished).toBe(30)
  const states = study.trials.map(({ state }) => state)
  expect(states).toContain('pruned')
  expect(study.trials.find(({ state }) => state === 'complete')?.attributes.thread).toBe('another')
})

test('a function runs in threads too, if it stands alone', async () => {
  const study = await createStudy({ space: { x: float(0, 1) }, sampler: random() })
  await study.optimize(
    // only the thread of the test has this global variable
    ({ x }) => ('__vitest_worker__' in globalThis ? 99 : x),
    { trials: 6, parallel: 2 },
  )
  expect(study.trials.every(({ value, params }) => value === params.x)).toBe(true)
  const outside = 3
  await expect(study.optimize(({ x }) => x + outside, { trials: 7, parallel: 2 })).rejects.toThrow(
    /outside is not defined; in a worker a function sees its arguments alone: import inside it, put it into a module, or set parallel: 1/,
  )
})

test('a factory makes the objective in each thread', async () => {
  const study = await createStudy({ space: { x: float(0, 1) } })
  await study.optimize({ module: MODULE, factory: 'make', options: { add: 10 } }, { trials: 4, parallel: 2 })
  expect(study.trials.every(({ value, params }) => value === params.x + 10)).toBe(true)
  await expect(study.optimize({ module: MODULE, factory: 'wrong' }, { trials: 9, parallel: 1 })).rejects.toThrow(
    /wants to export a function wrong/,
  )
  await expect(study.optimize(new URL('./no.mjs', import.meta.url), { trials: 9 })).rejects.toThrow(/Cannot find module/)
})

test('more threads than trials run as many as wanted', async () => {
  const study = await createStudy({ space: { x: float(0, 1) }, sampler: random() })
  await study.optimize(MODULE, { trials: 3, parallel: 6 })
  expect([study.finished, study.trials.length]).toEqual([3, 3])
})

test('a worker that dies between two trials is replaced', async () => {
  const study = await createStudy({ space: { x: float(0, 1) }, sampler: random() })
  const objective = ({ x }: { x: number }) => {
    setTimeout(() => Promise.reject(new Error('a stray rejection')))
    return x
  }
  const isEnded = new Promise((resolve) => process.once('worker', (worker) => worker.once('exit', resolve)))
  const pool = await workerPool<typeof study.space>(objective)
  const { signal } = new AbortController()
  const [first, second] = [await study.ask(), await study.ask()]
  expect(await pool.run(first, signal)).toBe(first.params.x)
  await isEnded
  expect(await pool.run(second, signal)).toBe(second.params.x)
  await pool.close()
})

test('a worker that dies in the turn in which its result arrives is replaced', async () => {
  const study = await createStudy({ space: { x: float(0, 1) }, sampler: random() })
  const objective = ({ x }: { x: number }) => {
    setTimeout(() => Promise.reject(new Error('a stray rejection')))
    return x
  }
  const pool = await workerPool<typeof study.space>(objective)
  const { signal } = new AbortController()
  const [first, second] = [await study.ask(), await study.ask()]
  const value = pool.run(first, signal)
  // let the pool send the trial, then hear nothing until the worker has ended
  await new Promise(setImmediate)
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 500)
  expect(await value).toBe(first.params.x)
  expect(await pool.run(second, signal)).toBe(second.params.x)
  await pool.close()
})

test('a worker that dies costs its trial a retry, nothing else', async () => {
  const marks = mkdtempSync(path.join(tmpdir(), 'gradus-marks-'))
  const study = await createStudy({ space: { x: float(0, 1), marks: categorical([marks]) } })
  await study.optimize(MODULE, { trials: 20, parallel: 3 })
  expect(study.trials.every(({ state }) => state === 'complete')).toBe(true)
  expect(readdirSync(marks)).toHaveLength(4)
  const other = await createStudy({ space: { x: float(0, 1), marks: categorical([`${marks}/nowhere`]) } })
  await other.optimize(MODULE, { trials: 5, parallel: 1, retries: 0, onError: 'continue' })
  expect(other.trials[3].state).toBe('failed')
  rmSync(marks, { recursive: true })
})

test('a trial says by which version of its module it was run, and a study says that versions mix', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-versions-'))
  const file = path.join(folder, 'edited.mjs')
  const write = (offset: number) => writeFileSync(file, `export default ({ x }) => x + ${offset}`)
  const said: string[] = []
  const onMessage = (text: string) => said.push(text)
  const storage = path.join(folder, 'study.log')
  const run = async (trials: number) => {
    const study = await createStudy({ space: { x: float(0, 1) }, storage })
    await study.optimize(file, { trials, parallel: 2, onMessage })
    await study.close()
    return study
  }
  write(0)
  await run(3)
  await run(4)
  expect(said).toEqual([])
  write(10)
  const study = await run(8)
  const versions = study.trials.map(({ attributes }) => attributes['gradus:objective'] as string)
  const [first, second] = [versions[0], versions[7]]
  expect(first).toMatch(/^edited\.mjs [0-9a-f]{12}$/)
  expect(first).not.toBe(second)
  expect(versions.map((one) => one === first)).toEqual([true, true, true, true, false, false, false, false])
  expect(said).toEqual([
    `trials of this study were run by different versions of the objective, and cannot be compared: ${second} and ${first}`,
  ])
  rmSync(folder, { recursive: true })
})

test('the time in which a thread loads its module is none of a trial', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'gradus-loading-'))
  const file = path.join(folder, 'slow.mjs')
  const said = (name: string) => path.join(folder, name)
  // trial 0 costs its thread, and trial 1 has to wait for another one, which loads until the test says `go`
  writeFileSync(
    file,
    `import { existsSync, writeFileSync } from 'node:fs'
    const said = (name) => new URL(name, import.meta.url)
    writeFileSync(said(existsSync(said('begun')) ? 'loading' : 'go'), '')
    while (!existsSync(said('go'))) await new Promise((resolve) => setTimeout(resolve, 1))
    export default ({ x }, { number }) => {
      if (number > 0) return x
      writeFileSync(said('begun'), '')
      for (;;);
    }`,
  )
  const until = async (name: string) => {
    while (!existsSync(said(name))) await new Promise((resolve) => setImmediate(resolve))
  }
  // the clock of this thread stands still
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
  try {
    const study = await createStudy({ space: { x: float(0, 1) } })
    const work = study.optimize(file, { trials: 2, parallel: 1, trialTime: 0.5 })
    await until('begun')
    rmSync(said('go'))
    await vi.advanceTimersByTimeAsync(500)
    await until('loading')
    await vi.advanceTimersByTimeAsync(10_000)
    writeFileSync(said('go'), '')
    await work
    expect(study.trials.map(({ state }) => state)).toEqual(['failed', 'complete'])
  } finally {
    vi.useRealTimers()
    rmSync(folder, { recursive: true })
  }
})

test('a trial whose report is wrong does not answer for the next one of its thread', async () => {
  const study = await createStudy({ space: { x: float(0, 1) } })
  await study.optimize(
    async (_, t) => {
      // JavaScript allows reports of any value
      await t.report(t.number === 0 ? ('text' as never) : 1, 0)
      return 10 + t.number
    },
    { trials: 4, parallel: 2, onError: 'continue' },
  )
  expect(study.trials.map(({ state, value }) => value ?? state)).toEqual(['failed', 11, 12, 13])
})

test('what a trial left undone is none of the next one of its thread', async () => {
  const study = await createStudy({
    space: { x: float(0, 1) },
    pruner: { shouldPrune: ({ step }: { step: number }) => step === 99 } as never,
  })
  await study.optimize(
    async (_, t) => {
      // the first one returns without waiting, and reports later
      if (t.number === 0) {
        setTimeout(() => t.report(5, 99), 50)
        return 10
      }
      await new Promise((resolve) => setTimeout(resolve, 200))
      await t.report(t.number, 0)
      if (t.shouldPrune()) t.prune()
      return 10 + t.number
    },
    { trials: 3, parallel: 2 },
  )
  expect(study.trials.map(({ state, reports }) => [state, ...reports])).toEqual([['complete'], ['complete', [0, 1]], ['complete', [0, 2]]])
})

test('eleven trials at once listen to a signal each, as Node warns of more than ten on one', async () => {
  const listeners = new Map<EventTarget, number>()
  const { addEventListener } = EventTarget.prototype
  const spy = vi.spyOn(EventTarget.prototype, 'addEventListener').mockImplementation(function (this: EventTarget, ...args) {
    if (this instanceof AbortSignal) listeners.set(this, (listeners.get(this) ?? 0) + 1)
    addEventListener.apply(this, args)
  })
  const study = await createStudy({ space: { x: float(0, 1) } })
  await study.optimize(MODULE, { trials: 11, parallel: 11 })
  spy.mockRestore()
  expect(study.finished).toBe(11)
  // one while a thread starts, one while the trial runs
  expect(Math.max(...listeners.values())).toBeLessThanOrEqual(2)
})
