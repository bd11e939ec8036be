/** Trials of a process that ended, on any machine: other processes see its signs of life, or take over its trials after a while. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { clock } from '../../../ts/common/clock.js'
import { createStudy, float, openStudy, random, type Study } from '../../../ts/tune/index.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-heartbeat-'))
afterAll(() => rmSync(folder, { recursive: true }))
const real = clock.now
afterEach(() => {
  clock.now = real
  vi.restoreAllMocks()
})
/** Lets seconds pass, for all processes. */
const later = (seconds: number) => {
  const now = clock.now()
  clock.now = () => now + 1000 * seconds
}

const SPACE = { x: float(-1, 1) }
type Own = Study<typeof SPACE>
let count = 0
const storages = ['.log', '.sqlite'] as const

describe.each(storages)('in %s', (ending) => {
  const fresh = () => path.join(folder, `study${count++}${ending}`)
  // for this process it is another process, known only by its entries: it has its own name in the journal
  const open = (storage: string): Promise<Own> => createStudy({ space: SPACE, storage, sampler: random(), seed: 1 })

  test('a process that was killed on another machine is silent, and its trial is run by the next', async () => {
    const storage = fresh()
    const killed = await open(storage)
    const trial = await killed.ask()
    const next = await open(storage)
    const said: string[] = []
    const optimizing = next.optimize(({ x }) => x, { trials: 3, onMessage: (text) => said.push(text) })
    await vi.waitFor(() => expect(said.length).toBe(1), 5000)
    expect(said[0]).toMatch(/^waiting up to 1[12]\d s for trial 0: another process has it, and has not been heard of yet$/)
    expect(next.finished).toBe(2)
    later(121)
    await optimizing
    expect(next.trials.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete'])
    expect(next.trials[0].params).toEqual(trial.params)
    await Promise.all([killed.close(), next.close()])
  })

  test('one that writes now and then keeps its trial, and nobody waits for it', async () => {
    const storage = fresh()
    const living = await open(storage)
    const trial = await living.ask()
    const next = await open(storage)
    await trial.report(1, 0)
    await next.optimize(({ x }) => x, { trials: 3 })
    expect(next.finished).toBe(2)
    for (let i = 1; i < 5; i++) {
      later(100)
      await trial.report(1, i)
      await next.optimize(({ x }) => x, { trials: 3 })
      expect(next.trials[0].state).toBe('running')
    }
    await living.tell(trial, 5)
    await next.sync()
    expect(next.trials[0].value).toBe(5)
    await Promise.all([living.close(), next.close()])
  })

  test('it writes without being asked while a trial runs, and not after', async () => {
    const storage = fresh()
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    try {
      const living = await open(storage)
      const trial = await living.ask()
      const next = await open(storage)
      for (let i = 0; i < 6; i++) {
        later(31)
        vi.advanceTimersByTime(31_000)
        await new Promise((resolve) => setTimeout(resolve, 30))
        await next.sync()
      }
      // three minutes later the process still has its trial
      expect((await next.ask()).number).toBe(1)
      await living.tell(trial, 1)
      await next.sync()
      expect(vi.getTimerCount()).toBe(1)
      await Promise.all([living.close(), next.close()])
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  })

  test('a time that is over ends the waiting', async () => {
    const storage = fresh()
    const killed = await open(storage)
    await killed.ask()
    const next = await open(storage)
    await next.optimize(({ x }) => x, { trials: 2, time: 1.2, onMessage() {} })
    expect(next.trials.map(({ state }) => state)).toEqual(['running', 'complete'])
    await Promise.all([killed.close(), next.close()])
  })
})

test('a study in memory writes none', async () => {
  const study = await createStudy({ space: SPACE })
  await study.optimize(({ x }) => x, { trials: 3 })
  expect(study.finished).toBe(3)
})

test('what is not finite, or no number, is no promise', async () => {
  const storage = path.join(folder, 'odd.log')
  const { writeFileSync } = await import('node:fs')
  const entry = (fields: object) => `${JSON.stringify({ worker_id: 'w', ...fields })}\n`
  writeFileSync(
    storage,
    entry({ op_code: 0, study_name: 'study', directions: [1] }) +
      entry({ op_code: 3, study_id: 0, system_attr: { 'gradus:alive': 'soon' } }) +
      entry({ op_code: 3, study_id: 0, system_attr: null }) +
      entry({ op_code: 4, study_id: 0 }),
  )
  const study = await openStudy({ storage })
  later(1e6)
  expect(study.uncertain.numbers).toEqual([])
  expect(study.trials[0].state).toBe('running')
  await study.close()
})
