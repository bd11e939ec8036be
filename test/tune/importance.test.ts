/** Importances equal those of Optuna's PED-ANOVA (test/oracles/tune_importance.py). */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { categorical, createStudy, float, importance, int, type Space, when } from '../../ts/tune/index.js'

interface Case {
  name: string
  direction: 'minimize' | 'maximize'
  good: number
  among: number
  space: Record<string, { name: string; attributes: { low: number; high: number; log: boolean; step: number | null; choices: string[] } }>
  trials: { params: Record<string, number | string>; value: number }[]
  importance: Record<string, number>
}

const { cases } = JSON.parse(readFileSync('test/oracles/tune_importance.json', 'utf8')) as { cases: Case[] }

function spaceOf(ranges: Case['space']): Space {
  const entries = Object.entries(ranges).map(([name, { name: kind, attributes }]) => {
    const { low, high, log, step, choices } = attributes
    const range =
      kind === 'CategoricalDistribution'
        ? categorical(choices)
        : kind === 'IntDistribution'
          ? int(low, high, { log })
          : float(low, high, step === null ? { log } : { step })
    return [name, name === 'momentum' ? when('kind', 'SGD', range) : range] as const
  })
  // a parameter comes before the conditional parameter that depends on it
  return Object.fromEntries(entries.sort(([a], [b]) => Number(a === 'momentum') - Number(b === 'momentum')))
}

describe('PED-ANOVA', () => {
  test.each(cases)('$name', async ({ space, direction, good, among, trials, importance: wanted }) => {
    const study = await createStudy({ space: spaceOf(space), direction })
    for (const { params, value } of trials) await study.add(params, value)
    const found = importance(study, { targetQuantile: good, regionQuantile: among })
    expect(Object.keys(found).sort()).toEqual(Object.keys(wanted).sort())
    for (const [name, share] of Object.entries(wanted)) expect(found[name], name).toBeCloseTo(share, 9)
    const shares = Object.values(found)
    expect(shares).toEqual([...shares].sort((a, b) => b - a))
  })

  test('without trials nothing mattered', async () => {
    const study = await createStudy({ space: { x: float(0, 1), y: float(0, 1) } })
    expect(importance(study)).toEqual({ x: 0, y: 0 })
  })

  test('refuses shares that are none', async () => {
    const study = await createStudy({ space: { x: float(0, 1) } })
    expect(() => importance(study, { targetQuantile: 0.5, regionQuantile: 0.2 })).toThrow(
      'importance: wants 0 < targetQuantile < regionQuantile ≤ 1, got targetQuantile 0.5 and regionQuantile 0.2',
    )
  })
})
