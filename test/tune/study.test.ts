/** Studies: asking and telling, refused arguments, and storage. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { spirals } from '../../ts/data/index.js'
import { Adam, crossEntropy, Dense, fit, NonFiniteError, Sequential } from '../../ts/index.js'
import {
  categorical,
  createStudy,
  type Entry,
  float,
  grid,
  int,
  type JournalStore,
  median,
  openStudy,
  type Study,
  type Trial,
  when,
} from '../../ts/tune/index.js'
import { axesOf, type ParameterRange } from '../../ts/tune/space.js'
import { bundled } from '../tools/bundled.js'
import { memoryJournal } from './memory-journal.js'
import { space } from './spaces.js'
import { killAgain } from './storage/kill.js'

const SPACE = { x: float(-1, 1), n: int(1, 9) }
const folder = mkdtempSync(path.join(tmpdir(), 'gradus-tune-'))
const file = (name: string) => path.join(folder, name)
afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  vi.restoreAllMocks()
  syncBuiltinESMExports()
})

/** The value at a share of a range, as a person would write it. */
function valueIn(range: ParameterRange, share: number): unknown {
  if (range.kind === 'categorical') return range.choices[Math.floor(0.999 * share * range.choices.length)]
  const { low, high, step } = range
  if (step === null) return 0 + Math.min(high, Math.max(low, low + share * (high - low)))
  // 0.3, not 3 · 0.1
  return 0 + Math.min(high, Number((low + Math.round((share * (high - low)) / step) * step).toPrecision(12)))
}

describe('ask and tell', () => {
  test('a study by hand', async () => {
    const study = await createStudy({ space: SPACE, direction: 'maximize' })
    expect(study.bestTrial).toBeUndefined()
    expect(() => study.bestValue).toThrow("the study 'study' has no complete trial yet")
    const trials = [await study.ask(), await study.ask(), await study.ask()]
    expect(trials.map(({ number }) => number)).toEqual([0, 1, 2])
    await study.tell(trials[1], 5)
    await study.tell(0, { state: 'failed', error: 'out of luck' })
    await study.tell(trials[2], [3])
    expect(study.trials.map(({ state, value, error }) => [state, value, error])).toEqual([
      ['failed', undefined, 'out of luck'],
      ['complete', 5, undefined],
      ['complete', 3, undefined],
    ])
    expect([study.bestValue, study.bestTrial?.number, study.finished]).toEqual([5, 1, 3])
    expect([String(study), inspect(study)]).toEqual(Array(2).fill("Study 'study': 3 trials, best 5 in trial 1"))
    await expect(study.tell(1, 6)).rejects.toThrow('tell: trial 1 is over already: it is complete')
    await expect(study.tell(9, 6)).rejects.toThrow('tell: wants a trial that ask() gave, got 9; the study has 3 trials, from 0')
    await expect(study.tell(await study.ask(), undefined as never)).rejects.toThrow(
      'trial 3: the objective wants to return a number, got undefined; did it forget to return?',
    )
    await study.tell(3, Number.NaN)
    expect(study.trials[3].error).toBe('the value is NaN')
  })

  test.each(['minimize', 'maximize'] as const)('to %s, a value that no other could beat is a failure, not the best', async (direction) => {
    const best = direction === 'minimize' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY
    const study = await createStudy({ space: SPACE, direction, seed: 1 })
    const [first, second, third] = [await study.ask(), await study.ask(), await study.ask()]
    await first.report(best, 0)
    await study.tell(first, best)
    await study.tell(second, -best)
    await study.tell(third, 3)
    await study.add({ x: 0, n: 1 }, best)
    expect(study.trials.map(({ state }) => state)).toEqual(['failed', 'complete', 'complete', 'failed'])
    expect(study.trials[0].error).toBe(`the value is ${best}, which no other trial could beat; did the objective divide by 0?`)
    expect(study.trials[0].reports.get(0)).toBeNaN()
    expect(study.bestValue).toBe(3)
    await study.optimize(({ x }) => x, { trials: 40 })
    expect(Number.isFinite(study.bestValue)).toBe(true)
    const two = await createStudy({ space: SPACE, direction: ['minimize', direction] })
    await two.optimize(({ x }) => [x, x > 0 ? best : x], { trials: 20 })
    expect(two.front.every(({ values }) => values.every(Number.isFinite))).toBe(true)
  })

  test('a journal by Optuna with such a value is read, and the value is not the best', async () => {
    const study = await createStudy({ space: SPACE, direction: 'maximize', storage: file('infinite.log') })
    await study.add({ x: 0.5, n: 2 }, 3)
    await study.add({ x: 0, n: 1 }, 2)
    await study.close()
    // as Optuna writes it
    writeFileSync(file('infinite.log'), readFileSync(file('infinite.log'), 'utf8').replace('"value":2', '"value":Infinity'))
    const again = await createStudy({ space: SPACE, direction: 'maximize', storage: file('infinite.log') })
    expect(again.trials.map(({ value }) => value)).toEqual([3, Number.POSITIVE_INFINITY])
    expect(again.bestValue).toBe(3)
    expect(again.front).toHaveLength(1)
    await again.optimize(({ x }) => x, { trials: 30 })
    expect(again.bestValue).toBe(3)
    await again.close()
  })

  test('a value that is enqueued or added comes back to the last digit, and one that is not of its range is refused', async () => {
    await fc.assert(
      fc.asyncProperty(space(5), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), async (space, shares) => {
        const storage = memoryJournal()
        const study = await createStudy({ space, storage: storage as JournalStore })
        const axes = axesOf(space)
        const [enqueued, added] = [0, 1].map(() =>
          Object.fromEntries(axes.map((axis) => [axis.name, valueIn(axis.range, shares.next().value as number)])),
        )
        const part = Object.fromEntries(Object.entries(enqueued).filter(() => (shares.next().value as number) < 0.5))
        await study.enqueue(enqueued as never)
        await study.enqueue(part as never)
        await study.add(added as never, 1)
        const given = [enqueued, part, added]
        for (let i = 0; i < 2; i++) await study.tell(await study.ask(), i)
        const again = await createStudy({ space, storage: storage as JournalStore })
        for (const { trials } of [study, again])
          trials.forEach(({ params }, i) => {
            for (const [name, value] of Object.entries(params)) if (name in given[i]) expect(value).toBe(given[i][name])
          })
        for (const axis of axes) {
          const { range } = axis
          if (range.kind === 'categorical') continue
          const off = range.step === null ? range.high + 1 : range.low + 0.37 * range.step
          await expect(study.enqueue({ [axis.name]: off } as never)).rejects.toThrow(
            `enqueue: ${axis.name} wants a value of ${range.kind}(`,
          )
        }
      }),
      { numRuns: Number(process.env.ENQUEUES ?? 40), seed: 3 },
    )
  })

  test('what is enqueued comes first, and what is added counts', async () => {
    const study = await createStudy({ space: SPACE })
    await study.enqueue({ x: 0.25, n: 3 })
    await study.enqueue({ n: 9 })
    expect((await study.ask()).params).toEqual({ x: 0.25, n: 3 })
    expect((await study.ask()).params.n).toBe(9)
    await study.add({ x: 0, n: 1 }, -7)
    expect(study.bestParams).toEqual({ x: 0, n: 1 })
    const two = await createStudy({ space: SPACE, direction: ['minimize', 'minimize'] })
    await two.add({ x: 0, n: 1 }, [1, 2])
    await two.add({ x: 0.5, n: 2 }, [2, 1])
    expect(two.front.map(({ number }) => number)).toEqual([0, 1])
    await expect(study.enqueue({ x: 2 })).rejects.toThrow('enqueue: x wants a value of float(-1, 1), got 2')
    await expect(study.enqueue({ y: 2 } as object)).rejects.toThrow("enqueue: there is no parameter 'y' in the space; it has x, n")
    await expect(study.add({ x: 0 } as never, 1)).rejects.toThrow('add: n wants a value of int(1, 9), got undefined')
    const conditional = await createStudy({
      space: { kind: categorical(['a', 'b']), size: when('kind', 'a', int(1, 5)), other: when('kind', 'b', int(1, 5)), x: float(0, 1) },
    })
    await expect(conditional.add({ kind: 'a', x: 0 } as never, 1)).rejects.toThrow(
      /add: size wants a value of .*int\(1, 5\)\), got undefined/,
    )
  })

  test('constraints: before a trial combinations are left out, after it the trial is not the best', async () => {
    const study = await createStudy({ space: SPACE, constraint: ({ x, n }) => x * n < 1 })
    await study.optimize(
      ({ x, n }, trial) => {
        expect(x * n).toBeLessThan(1)
        trial.constrain('n', 5 - n)
        return n
      },
      { trials: 60 },
    )
    expect(study.bestParams.n).toBe(5)
    const never = await createStudy({ space: SPACE, constraint: () => false })
    await expect(never.ask()).rejects.toThrow('ask: of 200000 random points none keeps the constraint')
  })
})

describe('optimize', () => {
  test('an objective that throws stops the study, which keeps what there was', async () => {
    const study = await createStudy({ space: SPACE })
    const objective = ({ x }: { x: number }, { number }: { number: number }) => {
      if (number === 4) throw new Error('broken')
      return x
    }
    await expect(study.optimize(objective, { trials: 10 })).rejects.toThrow(
      /^trial 4: broken \(the objective got the parameters \{"x":.*, and the trial second/,
    )
    expect(study.trials.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete', 'complete', 'failed'])
    await study.optimize(objective, { trials: 10 })
    expect(study.finished).toBe(10)
    await study.optimize(() => Promise.reject(new Error('again')), { trials: 13, onError: 'continue' })
    expect(study.trials.slice(10).map(({ error }) => error)).toEqual(['again', 'again', 'again'])
  })

  test('losses that are not finite fail their trial alone', async () => {
    const study = await createStudy({ space: SPACE })
    await study.optimize(
      ({ x }, { number }) => {
        if (number % 3 === 1) return Number.NaN
        if (number % 3 === 2) throw new NonFiniteError('the loss is NaN')
        return x
      },
      { trials: 9 },
    )
    expect(study.trials.filter(({ state }) => state === 'failed')).toHaveLength(6)
    const hopeless = await createStudy({ space: SPACE })
    await expect(hopeless.optimize(() => Number.NaN, { trials: 50 })).rejects.toThrow(
      'optimize: the first 10 trials all failed; the last: the value is NaN',
    )
  })

  test('ends by time, by a signal, and not at all without either', async () => {
    const study = await createStudy({ space: SPACE })
    const slow = () => new Promise<number>((resolve) => setTimeout(() => resolve(1), 5))
    await study.optimize(slow, { time: 0.1 })
    expect(study.finished).toBeGreaterThan(0)
    const controller = new AbortController()
    await study.optimize(slow, { signal: controller.signal, onTrial: () => study.finished > 40 && controller.abort() })
    expect(study.finished).toBeGreaterThan(40)
    await expect(study.optimize(slow)).rejects.toThrow('optimize: wants trials, time or a signal, got none, so it would never end')
  })

  test('a trial that is stopped has no result, and is run anew by the next optimize or the next process', async () => {
    const storage = file('stopped.log')
    const options = { space: { width: int(2, 9) }, sampler: grid({ points: 8 }), storage }
    const study = await createStudy(options)
    const data = spirals({ count: 60, seed: 1 })
    let controller: AbortController | undefined
    const trained = async ({ width }: { width: number }, trial: Trial) => {
      const model = new Sequential([new Dense(2, width, { activation: 'tanh' }), new Dense(width, 3)], { seed: 1 })
      const stopAt = controller
      const onEpochEnd = ({ epoch }: { epoch: number }) => {
        if (trial.number === 3 && epoch === 2) stopAt?.abort(new Error('enough'))
      }
      trial.setAttribute(stopAt ? 'stopped' : 'whole', true)
      const { epochs } = await fit(model, {
        ...data,
        loss: crossEntropy,
        optimizer: new Adam(model.parameters()),
        epochs: 5,
        signal: trial.signal,
        callbacks: [{ onEpochEnd }],
      })
      return epochs.length
    }
    const states = (of: Study<{ width: ReturnType<typeof int> }>) => of.trials.map(({ state, value }) => [state, value])
    const whole = ['complete', 5]

    controller = new AbortController()
    await study.optimize(trained, { trials: 6, signal: controller.signal })
    expect(states(study)).toEqual([whole, whole, whole, ['running', undefined]])
    controller = new AbortController()
    await study.optimize(trained, { trials: 6, signal: controller.signal })
    expect(states(study)).toEqual([whole, whole, whole, ['running', undefined]])
    await study.close()

    controller = undefined
    const again = await createStudy(options)
    await again.optimize(trained, { trials: 6 })
    expect(states(again)).toEqual(Array(6).fill(whole))
    expect(again.trials[3].attributes).toEqual({ whole: true })
    expect(new Set(again.trials.map(({ params }) => params.width)).size).toBe(6)
  })

  test('a stop while a trial is asked for does not begin it', async () => {
    const study = await createStudy({ space: SPACE })
    const controller = new AbortController()
    const ask = study.askBelow.bind(study)
    vi.spyOn(study, 'askBelow').mockImplementation(async (most) => {
      const trial = await ask(most)
      if (trial?.number === 2) controller.abort()
      return trial
    })
    const begun: number[] = []
    await study.optimize((_, { number }) => begun.push(number), { trials: 9, signal: controller.signal })
    expect(begun).toEqual([0, 1])
    await study.optimize((_, { number }) => begun.push(number), { trials: 3 })
    expect(begun).toEqual([0, 1, 2])
  })

  test.each([
    ['in memory', undefined],
    ['in a file', 'handed-back.log'],
  ])('any study goes on with trials that another stopped, %s', async (_, storage) => {
    const study = await createStudy({ space: SPACE, ...(storage && { storage: file(storage) }) })
    const stopping = (_: unknown, trial: Trial) =>
      new Promise<number>((_resolve, reject) => trial.signal.addEventListener('abort', () => reject(trial.signal.reason)))
    await study.optimize(stopping, { time: 0.02 })
    expect(study.trials.map(({ state }) => state)).toEqual(['running'])
    const [{ params }] = study.trials
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 20)
    await study.optimize(stopping, { signal: controller.signal })
    // another study of the same storage, open at the same time, may take it as well
    const other = storage ? await createStudy({ space: SPACE, storage: file(storage) }) : study
    await other.optimize(({ x }) => x, { trials: 10 })
    await study.sync()
    expect(study.trials.map(({ state }) => state)).toEqual(Array(10).fill('complete'))
    expect(study.trials[0].params).toEqual(params)
  })

  test.each([
    [{ time: 3e6 }, 'optimize: time wants at most 2147483 seconds (24 days), got 3000000; leave it out for no limit'],
    [{ time: 1e12, trials: 1 }, 'optimize: time wants at most 2147483 seconds (24 days), got 1000000000000'],
    [{ trials: 0 }, 'optimize: trials wants a whole number ≥ 1, got 0'],
    [{ trials: 1, parallel: 0 }, "optimize: parallel wants a whole number ≥ 1 or 'auto', got 0"],
    [{ n_trials: 3 }, "optimize: there is no option 'n_trials'; did you mean trials?"],
    [{ trials: 1, onError: 'ignore' }, "optimize: onError wants 'stop' or 'continue', got 'ignore'"],
  ])('refuses %j', async (options, message) => {
    const study = await createStudy({ space: SPACE })
    await expect(study.optimize(() => 1, options as object)).rejects.toThrow(message)
    await expect(study.optimize(5 as never, { trials: 1 })).rejects.toThrow(
      'optimize: objective wants a function of the parameters, or the URL of a module, got 5',
    )
  })

  test('trials that are pruned', async () => {
    const study = await createStudy({ space: SPACE, pruner: median({ startupTrials: 2 }) })
    let steps = 0
    await study.optimize(
      async ({ x }, trial) => {
        for (let step = 0; step < 10; step++, steps++) {
          await trial.report(x + 1 / (step + 1), step)
          if (trial.shouldPrune()) trial.prune()
        }
        return x
      },
      { trials: 30 },
    )
    const pruned = study.trials.filter(({ state }) => state === 'pruned')
    expect(pruned.length).toBeGreaterThan(5)
    expect(steps).toBeLessThan(300)
    expect(pruned.every(({ reports }) => reports.size < 10)).toBe(true)
    const trial = await study.ask()
    await expect(trial.report('x' as never, 1)).rejects.toThrow("report wants a number, got 'x'")
    await expect(trial.report(1, 0.5)).rejects.toThrow('report wants a step from 0, a whole number, got 0.5')
  })
})

describe.each([
  ['journal', 'log'],
  ['SQLite', 'sqlite'],
])('a study in %s', (_, ending) => {
  const open = (name: string, more: object = {}) => createStudy({ space: SPACE, storage: file(`${name}.${ending}`), seed: 1, ...more })

  test('goes on when it is opened again', async () => {
    const first = await open('on')
    await first.optimize(({ x, n }) => x * x + n, { trials: 20 })
    const begun = await first.ask()
    await first.close()
    const second = await open('on')
    expect(second.finished).toBe(20)
    // trials that the previous process had begun are run first
    const again = await second.ask()
    expect([again.number, again.params]).toEqual([begun.number, begun.params])
    await second.tell(again, 1)
    await second.close()
    const shown = await openStudy({ storage: file(`on.${ending}`) })
    expect([shown.finished, shown.bestValue, Object.keys(shown.space)]).toEqual([21, second.bestValue, ['x', 'n']])
    await shown.close()
  })

  test('refuses another space and direction, unless it is told to', async () => {
    const first = await open('changed')
    await first.optimize(({ x }) => x, { trials: 12 })
    await first.close()
    await expect(open('changed', { space: { x: float(-1, 2), k: int(0, 1) } })).rejects.toThrow(
      /has another space: x was float\(-1, 1\), is float\(-1, 2\); n is gone; k is new. Give this one another name, or set allowSpaceChange: true/,
    )
    await expect(open('changed', { direction: 'maximize' })).rejects.toThrow(
      "is to minimize, got direction 'maximize'; give this one another name",
    )
    const wider = await open('changed', { space: { x: float(-2, 2), n: int(1, 9) }, allowSpaceChange: true })
    await wider.optimize(({ x }) => x, { trials: 40 })
    expect(wider.bestParams.x).toBeLessThan(-1)
    await wider.close()
  })

  test('keeps notes on the study as a whole', async () => {
    const first = await open('notes')
    expect(first.attributes).toEqual({})
    await first.setAttribute('table', { file: 'penguins.csv', epochs: 4 })
    await first.close()
    const second = await open('notes')
    expect(second.attributes).toEqual({ table: { file: 'penguins.csv', epochs: 4 } })
    await second.close()
  })

  test('loses nothing when it is killed', async () => {
    const { lost, doubled, finished, isSame, kills } = await killAgain(file(`killed.${ending}`), 16, 2, {
      node: process.execPath,
      library: bundled(`killed-${ending}`, 'ts/tune/index.ts'),
    })
    expect({ lost, doubled, finished, isSame }).toEqual({ lost: 0, doubled: 0, finished: 16, isSame: true })
    expect(kills).toBeGreaterThan(0)
  })
})

test('where another process is faster, notes and trials that were begun are not lost', async () => {
  // like Redis: an append that was refused is tried again
  const entries: Entry[] = []
  const store: JournalStore = {
    place: 'slow',
    transact(from, read, write) {
      read(entries.slice(from))
      write()
      entries.push(...write().map((entry) => JSON.parse(JSON.stringify(entry))))
      return undefined
    },
  }
  const first = await createStudy({ space: SPACE, storage: store })
  const begun = await first.ask()
  await first.close()
  const second = await createStudy({ space: SPACE, storage: store })
  const again = await second.ask()
  expect(again.number).toBe(begun.number)
  again.constrain('size', 1)
  again.setAttribute('note', 'kept')
  await second.tell(again, 5)
  expect(second.trials.map(({ constraints, attributes }) => [constraints, attributes])).toEqual([[{ size: 1 }, { note: 'kept' }]])
  await second.optimize(({ x }) => x, { trials: 4 })
  expect(second.trials).toHaveLength(4)
})

test('optimize runs, and stops by a signal, where AbortSignal.any is missing, as in Node 20.0', async () => {
  const any = vi.spyOn(AbortSignal, 'any').mockImplementation(() => {
    throw new TypeError('AbortSignal.any is not a function')
  })
  const controller = new AbortController()
  const study = await createStudy({ space: SPACE })
  await study.optimize(({ x }) => x, { trials: 3, signal: controller.signal })
  expect(study.trials.map(({ state }) => state)).toEqual(Array(3).fill('complete'))
  const stopping = (_: unknown, trial: Trial) => {
    controller.abort(new Error('enough'))
    expect(trial.signal.aborted).toBe(true)
    return 1
  }
  await study.optimize(stopping as never, { trials: 6, signal: controller.signal })
  expect(study.trials.at(-1)?.state).toBe('running')
  expect(any).not.toHaveBeenCalled()
})

test('a result that cannot be stored is no failure of its trial', async () => {
  const entries: Entry[] = []
  let breaks = 0
  const store: JournalStore = {
    place: 'breaks',
    transact(from, read, write) {
      read(entries.slice(from))
      const added = write().map((entry) => JSON.parse(JSON.stringify(entry)))
      if (breaks-- > 0) throw new Error('the disk is full')
      entries.push(...added)
      return undefined
    },
  }
  const study = await createStudy({ space: SPACE, storage: store })
  const breaking = ({ x }: { x: number }) => {
    breaks = 1
    return x
  }
  await expect(study.optimize(breaking, { trials: 2, onError: 'continue' })).rejects.toThrow('the disk is full')
  await study.sync()
  expect(study.trials.map(({ state }) => state)).toEqual(['running'])
  await expect(study.optimize((() => 'a text') as never, { trials: 2 })).rejects.toThrow(/wants to return a number, got 'a text'/)
  expect(study.trials.map(({ state }) => state)).toEqual(['running', 'failed'])
})

test('to look at a study writes nothing, so that its space is still open', async () => {
  const made = '{"op_code":0,"worker_id":"optuna","study_name":"looked","directions":[1]}\n'
  writeFileSync(file('looked.log'), made)
  const shown = await openStudy({ storage: file('looked.log') })
  expect([shown.name, shown.trials]).toEqual(['looked', []])
  await shown.close()
  expect(readFileSync(file('looked.log'), 'utf8')).toBe(made)
  const study = await createStudy({ space: SPACE, storage: file('looked.log'), name: 'looked' })
  await study.optimize(({ x }) => x, { trials: 2 })
  await study.close()
  const again = await openStudy({ storage: file('looked.log') })
  expect(Object.keys(again.space)).toEqual(['x', 'n'])
  await again.close()
})

test.each(['log', 'sqlite'])('to look for a study in a file that is not there makes no file: .%s', async (ending) => {
  const missing = file(`mistyped.${ending}`)
  await expect(openStudy({ storage: missing })).rejects.toThrow(/openStudy: there is no file .*mistyped/)
  expect(existsSync(missing)).toBe(false)
})

test('openStudy says what it wants', async () => {
  await expect(openStudy('study.log' as never)).rejects.toThrow(/openStudy: wants options as an object, \{ storage: … \}/)
  await expect(openStudy({ storag: 'study.log' } as never)).rejects.toThrow("openStudy: there is no option 'storag'; did you mean storage?")
  await expect(openStudy({} as never)).rejects.toThrow(/openStudy: wants \{ storage/)
})

test('trials of a study that was deleted do not count for the next of its name', async () => {
  const deleted = await createStudy({ space: SPACE, storage: file('deleted.log') })
  await deleted.optimize(() => -1, { trials: 3 })
  await deleted.close()
  // as optuna.delete_study has it
  writeFileSync(file('deleted.log'), '{"op_code":1,"worker_id":"optuna","study_id":0}\n', { flag: 'a' })
  for (const trials of [2, 4]) {
    const study = await createStudy({ space: SPACE, storage: file('deleted.log'), pruner: median() })
    await study.optimize(() => 1, { trials })
    expect([study.finished, study.trials.length, study.bestValue]).toEqual([trials, trials, 1])
    await study.close()
  }
})

describe('createStudy', () => {
  test.each([
    [{ direction: 'up' }, "createStudy: direction wants 'minimize' or 'maximize', or one for each objective, got 'up'"],
    [{ direction: [] }, "createStudy: direction wants 'minimize' or 'maximize' for each objective, got an empty array"],
    [{ seed: -1 }, 'createStudy: seed wants a whole number from 0 to 2⁵³ − 1, got -1'],
    [{ study_name: 'a' }, "createStudy: there is no option 'study_name'; did you mean name?"],
    [{ pruner: { name: 'mine' } }, 'createStudy: pruner wants one such as median(), got an object with name'],
    [{ storage: 5 }, "createStudy: storage wants a name such as 'study.sqlite' or 'study.log', got 5"],
  ])('refuses %j', async (options, message) => {
    await expect(createStudy({ space: SPACE, ...options } as never)).rejects.toThrow(message)
  })
})

test('a trial that is run again for another process has no notes of the time before', async () => {
  const study = await createStudy({ space: { x: float(0, 1) } })
  const { number } = await study.ask()
  study.onQueue(number).setAttribute('half', 'done')
  study.onQueue(number).setAttribute('all', 'done')
  await study.tell(number, 1)
  expect(study.trials[0].attributes).toEqual({ all: 'done' })
})

test('a result of another process that took over a trial counts, and the study that was silent goes on', async () => {
  const storage = memoryJournal() as JournalStore
  const study = await createStudy({ space: { x: float(0, 1) }, storage })
  const other = await createStudy({ space: { x: float(0, 1) }, storage })
  const seen: (number | undefined)[] = []
  await study.optimize(
    async (_, { number }) => {
      await other.sync()
      if (number < 3) await other.tell(number, 10 + number)
      if (number === 1) throw new Error('boom')
      if (number === 2) throw new NonFiniteError('loss is NaN')
      return number
    },
    { trials: 5, onError: 'continue', onTrial: ({ value }) => seen.push(value) },
  )
  expect(study.trials.map(({ value }) => value)).toEqual([10, 11, 12, 3, 4])
  expect(seen).toEqual([10, 11, 12, 3, 4])
})
