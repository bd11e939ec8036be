/**
 * Formulas that a person types, as functions of gradus' tensors: the parser's own arithmetic is replaced by operations, so gradients and
 * Hessians of what was typed are exact. Nothing is evaluated as code.
 */
import { Parser } from 'expr-eval-fork'
import * as g from 'gradus'
import { type Ground, surfaceOf } from './functions'

type Value = g.Tensor | number
type TwoOf = (a: Value, b: Value) => Value

/** Numbers stay numbers; what meets a tensor becomes one. */
const two =
  (numbers: (a: number, b: number) => number, tensors: (a: never, b: never) => g.Tensor): TwoOf =>
  (a, b) =>
    typeof a === 'number' && typeof b === 'number' ? numbers(a, b) : tensors(a as never, b as never)
const one =
  (number: (a: number) => number, tensor: (a: never) => g.Tensor) =>
  (a: Value): Value =>
    typeof a === 'number' ? number(a) : tensor(a as never)

const tangent = (a: never) => g.div(g.sin(a), g.cos(a))

const UNARY: Record<string, (a: Value) => Value> = {
  '-': one((a) => -a, g.neg),
  '+': (a) => a,
  sin: one(Math.sin, g.sin),
  cos: one(Math.cos, g.cos),
  tan: one(Math.tan, tangent),
  tanh: one(Math.tanh, g.tanh),
  sqrt: one(Math.sqrt, g.sqrt),
  exp: one(Math.exp, g.exp),
  ln: one(Math.log, g.log),
  log: one(Math.log, g.log),
  abs: one(Math.abs, g.abs),
  sign: one(Math.sign, g.sign),
}
const BINARY: Record<string, TwoOf> = {
  '+': two((a, b) => a + b, g.add),
  '-': two((a, b) => a - b, g.sub),
  '*': two((a, b) => a * b, g.mul),
  '/': two((a, b) => a / b, g.div),
  '^': two((a, b) => a ** b, g.pow),
}
const FUNCTIONS: Record<string, TwoOf> = { min: two(Math.min, g.minimum), max: two(Math.max, g.maximum), pow: BINARY['^'] }

const parser = new Parser()
Object.assign(parser, {
  unaryOps: UNARY,
  binaryOps: BINARY,
  ternaryOps: {},
  functions: FUNCTIONS,
  consts: { pi: Math.PI, PI: Math.PI, e: Math.E, E: Math.E },
})

/** @throws Error that says what is wrong with the formula */
export function compile(ground: Ground): (x: g.Tensor, y: g.Tensor) => g.Tensor {
  const { formula } = surfaceOf(ground)
  const expression = parser.parse(formula)
  const unknown = expression.variables().filter((name) => !['x', 'y', 'k'].includes(name))
  if (unknown.length > 0)
    throw new Error(
      `unknown: ${unknown.join(', ')}. A formula may use x, y, numbers, + − * / ^, and sin, cos, tanh, exp, log, sqrt, abs, min, max`,
    )
  return (x, y) => {
    const value = expression.evaluate({ x, y, k: ground.condition } as never) as Value
    // A formula without x and y is a number.
    return typeof value === 'number' ? g.add(g.mul(x, 0), value) : value
  }
}

/** The formula in JavaScript, for programs that people copy. */
export function javascript(ground: Ground): string {
  // The parser writes every operation in brackets, and functions of one number as (sin x).
  return parser
    .parse(surfaceOf(ground).formula)
    .toString()
    .replaceAll('^', '**')
    .replace(/\((sin|cos|tan|tanh|sqrt|exp|log|ln|abs|sign) /g, (_, name: string) => `Math.${name === 'ln' ? 'log' : name}(`)
    .replace(/\b(min|max|pow)\(/g, 'Math.$1(')
    .replace(/\bk\b/g, String(ground.condition))
    .replace(/\b(pi|PI)\b(?!\w)/g, 'Math.PI')
    .replace(/(?<![\w.])(e|E)(?![\w.])/g, 'Math.E')
}
