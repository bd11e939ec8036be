/** Formulas that people type: read, computed by gradus in double precision, and written as JavaScript, which is the oracle. */
import { createBackend, tensor } from 'gradus'
import { describe, expect, test } from 'vitest'
import { compile, javascript } from '../src/descent/formula'
import { SURFACES } from '../src/descent/functions'

const backend = createBackend({ backend: 'js', dtype: 'float64' })
const ground = (formula: string) => ({ formula, condition: 20 })
const POINTS = [
  [1.3, 0.4],
  [-2, 3],
  [0.5, -1.25],
]

/** Values of a formula, computed by gradus, and by the JavaScript that the page copies. */
function values(formula: string): [number[], number[]] {
  const f = compile(ground(formula))
  const program = new Function('x', 'y', `return ${javascript(ground(formula))}`) as (x: number, y: number) => number
  return [POINTS.map(([x, y]) => f(tensor([x], { backend }), tensor([y], { backend })).item()), POINTS.map(([x, y]) => program(x, y))]
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
    ['7', () => 7],
    ['sin(x) + cos(y)*tan(x) - tanh(y)', (x: number, y: number) => Math.sin(x) + Math.cos(y) * Math.tan(x) - Math.tanh(y)],
    ['min(x, y) + max(x, 2)*pi - e', (x: number, y: number) => Math.min(x, y) + Math.max(x, 2) * Math.PI - Math.E],
    ['pow(abs(x), 1.5) + sqrt(y*y) + log(exp(x)) + sign(y)', (x: number, y: number) => Math.abs(x) ** 1.5 + Math.abs(y) + x + Math.sign(y)],
  ])('%s', (formula, truth) => {
    const wanted = POINTS.map(([x, y]) => truth(x, y))
    for (const found of values(formula)) found.forEach((value, i) => expect(value).toBeCloseTo(wanted[i], 12))
  })

  test.each(SURFACES.map(({ label, formula }) => [label, formula]))('of %s is the same as a program', (_, formula) => {
    const [own, program] = values(formula)
    own.forEach((value, i) => expect(value / program[i]).toBeCloseTo(1, 12))
  })

  test.each([
    ['x^2 + q', /unknown: q/],
    ['sinh(x)', /unknown: sinh/],
    ['constructor', /unknown: constructor/],
    ['toString(x)', /unknown: toString/],
    ['x +', /ends too early/],
    ['', /ends too early/],
    ['(x', /wants '\)' at its end/],
    ['x y', /goes on with 'y'/],
    ['2x', /goes on with 'x'/],
    ['x ? 1', /has '\?'/],
    ['x * * y', /has '\*' where/],
    ['sin(x, y)', /sin wants one number, got 2/],
    ['min(x)', /min wants two numbers, got 1/],
  ])('%s is refused with the reason', (formula, reason) => {
    expect(() => compile(ground(formula))).toThrow(reason)
  })
})
