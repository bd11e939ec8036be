/** Formulas that people type: read, computed by gradus in double precision, and written as calls of gradus for a program. */
import * as gradus from 'gradus'
import { describe, expect, test } from 'vitest'
import { compile, program } from '../src/descent/formula'
import { SURFACES } from '../src/descent/functions'

const backend = gradus.createBackend({ backend: 'js', dtype: 'float64' })
const ground = (formula: string) => ({ formula, condition: 20 })
const POINTS = [
  [1.3, 0.4],
  [-2, 3],
  [0.5, -1.25],
]

/** By the page, and by the text that it copies. */
function values(formula: string): [number[], number[]] {
  const { text, names } = program(ground(formula))
  const copied = new Function(...names, 'x', 'y', `return ${text}`)
  const operations: Record<string, unknown> = { ...gradus }
  const functions = names.map((name) => operations[name])
  const at = (f: (x: gradus.Tensor, y: gradus.Tensor) => gradus.Tensor) =>
    POINTS.map(([x, y]) => f(gradus.tensor([x], { backend }), gradus.tensor([y], { backend })).item())
  return [at(compile(ground(formula))), at((x, y) => copied(...functions, x, y))]
}

describe('a formula', () => {
  test.each([
    ['-x^2', (x: number) => -(x ** 2)],
    ['2^-1 * x', (x: number) => x / 2],
    ['2^3^2 + 0*x', () => 512],
    ['1 - 2 - 3 + 0*x', () => -4],
    ['8 / 4 / 2 + 0*x', () => 1],
    ['-2^2 - -x', (x: number) => x - 4],
    ['(-x)^2*3', (x: number) => 3 * x * x],
    ['1.5e1*x + .5', (x: number) => 15 * x + 0.5],
    ['x**2 − y·k', (x: number, y: number) => x * x - 20 * y],
    ['2x² − 3(Y + 1)(x - 1)', (x: number, y: number) => 2 * x * x - 3 * (y + 1) * (x - 1)],
    ['|x - |y|| + 2*|x|^2 + 2e - SIN(x)³', (x: number, y: number) => Math.abs(x - Math.abs(y)) + 2 * x * x + 2 * Math.E - Math.sin(x) ** 3],
    ['7', () => 7],
    ['sin(x) + cos(y)*tan(x) - tanh(y)', (x: number, y: number) => Math.sin(x) + Math.cos(y) * Math.tan(x) - Math.tanh(y)],
    ['min(x, y) + max(x, 2)*pi - e', (x: number, y: number) => Math.min(x, y) + Math.max(x, 2) * Math.PI - Math.E],
    ['pow(abs(x), 1.5) + sqrt(y*y) + log(exp(x)) + sign(y)', (x: number, y: number) => Math.abs(x) ** 1.5 + Math.abs(y) + x + Math.sign(y)],
  ])('%s', (formula, truth) => {
    const wanted = POINTS.map(([x, y]) => truth(x, y))
    for (const found of values(formula)) found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 12))
  })

  test.each(SURFACES.map(({ label, formula }) => [label, formula]))('of %s is the same as a program', (_, formula) => {
    const [own, copied] = values(formula)
    expect(copied).toEqual(own)
  })

  test.each([
    ['x^2 + q', /unknown: q/],
    ['sinh(x)', /unknown: sinh/],
    ['constructor', /unknown: constructor/],
    ['toString(x)', /unknown: tostring/],
    ['x +', /ends too early/],
    ['', /ends too early/],
    ['(x', /wants '\)' at its end/],
    ['x y', /goes on with 'y'/],
    ['x2 + y', /unknown: x2/],
    ['2 3', /goes on with '3'/],
    ['|x', /wants '\|' at its end/],
    ['x ? 1', /has '\?'/],
    ['x * * y', /has '\*' where/],
    ['sin(x, y)', /sin wants one number, got 2/],
    ['min(x)', /min wants two numbers, got 1/],
  ])('%s is refused with the reason', (formula, reason) => {
    expect(() => compile(ground(formula))).toThrow(reason)
  })
})
