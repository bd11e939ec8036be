/**
 * Optuna reads and writes the journals of gradus, and the other way round. If Optuna is installed, by `make optuna`, it takes part itself; otherwise
 * a journal that it wrote (test/oracles/optuna_journal.log, by tune_journal.py) stands in for it.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { categorical, createStudy, float, int, openStudy, reportText, when } from '../../../ts/tune/index.js'
import { dashboard, more, open, optuna } from './optuna/run.js'

const PYTHON = path.resolve('.cache/tune/venv/bin/python')
const folder = mkdtempSync(path.join(tmpdir(), 'gradus-optuna-'))
afterAll(() => rmSync(folder, { recursive: true }))

describe('a journal by Optuna', () => {
  const copy = (name: string) => {
    const file = path.join(folder, name)
    copyFileSync('test/oracles/optuna_journal.log', file)
    return file
  }

  test('is read: studies, trials of all states, ranges, reports that are not finite', async () => {
    const study = await openStudy({ storage: copy('read.log'), name: 'first' })
    expect(study.directions).toEqual(['maximize'])
    const states = study.trials.map(({ state }) => state)
    expect([
      states.filter((s) => s === 'complete').length,
      states.filter((s) => s === 'pruned').length,
      states.filter((s) => s === 'failed').length,
    ]).toEqual([9, 3, 2])
    const [first] = study.trials
    expect(Object.keys(first.params).sort()).toEqual(['extra', 'kind', 'rate', 'size', 'width'])
    expect([...first.reports]).toEqual([
      [0, Number.NaN],
      [1, Number.POSITIVE_INFINITY],
      [2, 0.5],
    ])
    // The best trial is complete and satisfies its constraints, as in Optuna.
    const complete = study.trials.filter(
      ({ state, constraints }) => state === 'complete' && Object.values(constraints).every((value) => value <= 0),
    )
    expect(study.bestValue).toBe(Math.max(...complete.flatMap(({ value }) => value ?? [])))
    expect(reportText(study)).toContain('first: 14 trials')
    await study.close()
    await expect(openStudy({ storage: copy('two.log') })).rejects.toThrow('has 2 studies; choose one by its name: first, second')
  })

  test('goes on', async () => {
    const space = {
      rate: float(1e-5, 1, { log: true }),
      width: int(8, 64, { step: 8 }),
      size: int(1, 100, { log: true }),
      kind: categorical(['a', 2, true, null]),
      extra: when('kind', 'a', float(0, 1, { step: 0.25 })),
    }
    const study = await createStudy({ space, direction: 'maximize', name: 'first', storage: copy('on.log') })
    expect(study.finished).toBe(14)
    await study.optimize(({ rate }) => rate, { trials: 20 })
    expect(study.trials).toHaveLength(20)
    await study.close()
  })
})

describe.runIf(existsSync(PYTHON))('Optuna itself', () => {
  test('reads what gradus wrote, goes on with it, and gradus with that', async () => {
    const file = path.join(folder, 'turns.log')
    const study = await open(file)
    await more(study, 30)
    const seen = await optuna(PYTHON, 'read', file)
    expect(seen.direction).toBe('MINIMIZE')
    expect(seen.trials).toHaveLength(30)
    expect(seen.trials.filter(({ state }) => state === 'PRUNED').length).toBeGreaterThan(0)
    for (const [i, record] of study.trials.entries()) {
      const trial = seen.trials[i]
      expect([trial.number, trial.state.slice(0, 4), trial.value ?? undefined, trial.log]).toEqual([
        i,
        record.state.toUpperCase().slice(0, 4),
        // the value of a pruned trial is its last report, as in Optuna
        record.state === 'pruned' ? [...record.reports.values()].pop() : record.value,
        true,
      ])
      expect(trial.params).toEqual(record.params)
      expect(Object.entries(trial.reports)).toEqual([...record.reports].map(([step, value]) => [String(step), value]))
      expect(trial.constraints).toEqual(record.constraints)
      expect(trial.attributes.note).toBe(record.attributes.note)
    }
    expect(new Set(seen.importance)).toEqual(new Set(Object.keys(study.space)))
    expect((await optuna(PYTHON, 'more', file)).trials).toHaveLength(50)
    await more(study, 70)
    expect(study.trials).toHaveLength(70)
    expect((await optuna(PYTHON, 'read', file)).trials.filter(({ state }) => state === 'RUNNING')).toEqual([])
    await study.close()
  })

  test('writes at the same time: every trial of both is there once', async () => {
    const file = path.join(folder, 'both.log')
    const study = await open(file)
    await more(study, 5)
    const ours = (async () => {
      for (let i = 0; i < 15; i++) {
        const trial = await study.ask()
        await new Promise((resolve) => setTimeout(resolve, 60))
        await study.tell(trial, trial.params.rate)
      }
    })()
    await Promise.all([optuna(PYTHON, 'more', file), ours])
    const seen = await optuna(PYTHON, 'read', file)
    expect(seen.trials.map(({ number }) => number)).toEqual(Array.from({ length: 40 }, (_, i) => i))
    expect(seen.trials.filter(({ state }) => state === 'RUNNING')).toEqual([])
    await study.close()
  })

  test('shows it in optuna-dashboard', async () => {
    const file = path.join(folder, 'dashboard.log')
    const study = await open(file)
    await more(study, 12)
    const last = study.trials.filter(({ state }) => state === 'pruned').map(({ reports }) => String([...reports.values()].pop()))
    const { names, trials } = await dashboard(path.resolve('.cache/tune/venv/bin/optuna-dashboard'), file)
    expect(names).toEqual(['study'])
    expect(trials.map(({ number }) => number)).toEqual(study.trials.map(({ number }) => number))
    expect(trials[0].params.length).toBeGreaterThan(2)
    expect(last.length).toBeGreaterThan(0)
    expect(trials.filter(({ state }) => state === 'Pruned').map(({ values }) => String(Number(values?.[0])))).toEqual(last)
    await study.close()
  })
})
