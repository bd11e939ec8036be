/** The test functions of samplers equal COCO's: values of the package ioh (test/oracles/bbob.py). */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { bbob } from '../../../bench/tune/bbob.js'

interface Oracle {
  points: number[][]
  rows: { function: number; instance: number; optimum: number; values: number[] }[]
}

const { points, rows } = JSON.parse(readFileSync('test/oracles/bbob.json', 'utf8')) as Oracle

test.each(rows)('f$function, instance $instance', ({ function: number, instance, optimum, values }) => {
  const problem = bbob(number, instance)
  expect(problem.optimum).toBeCloseTo(optimum, 8)
  points.forEach((point, i) => {
    const error = Math.abs(problem.value(point) - values[i])
    expect(error).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(values[i] - optimum)))
  })
})
