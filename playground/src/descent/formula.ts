/** Typed formulas as functions of gradus' tensors, so that their gradients and Hessians are exact. */
import { abs, add, cos, div, exp, log, maximum, minimum, mul, neg, pow, sign, sin, sqrt, sub, type Tensor, tanh } from 'gradus'
import { type Expression, namesIn, parse } from './expression'

/** The function to minimize: a formula in x, y and k, the condition number. */
export interface Ground {
  formula: string
  condition: number
}

type Value = Tensor | number

/** An operator or a function: for numbers, for tensors, and as JavaScript text. */
interface Operation {
  count: number
  numbers(...args: number[]): number
  tensors(...args: never[]): Tensor
  text(...args: string[]): string
}

const operator = (symbol: string, numbers: Operation['numbers'], tensors: Operation['tensors']): Operation => ({
  ...{ count: 2, numbers, tensors },
  // JavaScript refuses a sign in front of the base of a power.
  text: (a, b) => `(${symbol === '**' && a.startsWith('-') ? `(${a})` : a} ${symbol} ${b})`,
})
const method = (name: string, count: number, numbers: Operation['numbers'], tensors: Operation['tensors']): Operation => ({
  ...{ count, numbers, tensors },
  text: (...args) => `Math.${name}(${args.join(', ')})`,
})

const POWER = operator('**', (a, b) => a ** b, pow)
const LOG = method('log', 1, Math.log, log)
const OPERATIONS: Record<string, Operation | Operation[]> = {
  '+': operator('+', (a, b) => a + b, add),
  '-': [
    { count: 1, numbers: (a) => -a, tensors: neg, text: (a) => `-${a.startsWith('-') ? `(${a})` : a}` },
    operator('-', (a, b) => a - b, sub),
  ],
  '*': operator('*', (a, b) => a * b, mul),
  '/': operator('/', (a, b) => a / b, div),
  '^': POWER,
  pow: POWER,
  sin: method('sin', 1, Math.sin, sin),
  cos: method('cos', 1, Math.cos, cos),
  tan: method('tan', 1, Math.tan, (a: Tensor) => div(sin(a), cos(a))),
  tanh: method('tanh', 1, Math.tanh, tanh),
  sqrt: method('sqrt', 1, Math.sqrt, sqrt),
  exp: method('exp', 1, Math.exp, exp),
  ln: LOG,
  log: LOG,
  abs: method('abs', 1, Math.abs, abs),
  sign: method('sign', 1, Math.sign, sign),
  min: method('min', 2, Math.min, minimum),
  max: method('max', 2, Math.max, maximum),
}
const CONSTANTS: Record<string, number> = { pi: Math.PI, PI: Math.PI, e: Math.E, E: Math.E }

const HELP = 'A formula may use x, y, numbers, + − * / ^, pi, e, and sin, cos, tan, tanh, exp, log, sqrt, abs, sign, min, max, pow'

const isKnown = (table: object, name: string) => Object.hasOwn(table, name)

function operationOf(name: string, count: number): Operation {
  const found = (isKnown(OPERATIONS, name) ? [OPERATIONS[name]] : []).flat()
  if (found.length === 0) throw new Error(`unknown: ${name}. ${HELP}`)
  const fitting = found.find((operation) => operation.count === count)
  if (!fitting) throw new Error(`${name} wants ${found[0].count === 1 ? 'one number' : 'two numbers'}, got ${count}`)
  return fitting
}

/** The formula as a tree in which every name is known. */
function understood(ground: Ground): Expression {
  const expression = parse(ground.formula)
  const unknown = namesIn(expression).filter((name) => !['x', 'y', 'k'].includes(name) && !isKnown(CONSTANTS, name))
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}. ${HELP}`)
  return expression
}

/** @throws Error that describes the mistake in the formula */
export function compile(ground: Ground): (x: Tensor, y: Tensor) => Tensor {
  const expression = understood(ground)
  // This reports mistakes in calls before anything is computed.
  textOf(expression, ground)
  return (x, y) => {
    const value = evaluate(expression, { x, y, k: ground.condition })
    // A formula without x and y is a number.
    return typeof value === 'number' ? add(mul(x, 0), value) : value
  }
}

function evaluate(expression: Expression, values: Record<string, Value>): Value {
  if (expression.kind === 'number') return expression.value
  if (expression.kind === 'name') return values[expression.name] ?? CONSTANTS[expression.name]
  const args = expression.args.map((arg) => evaluate(arg, values))
  const { numbers, tensors } = operationOf(expression.name, args.length)
  // Numbers stay numbers; a number combined with a tensor becomes one.
  return args.every((arg) => typeof arg === 'number') ? numbers(...(args as number[])) : tensors(...(args as never[]))
}

/** The formula in JavaScript, for programs that people copy. */
export function javascript(ground: Ground): string {
  return textOf(understood(ground), ground)
}

function textOf(expression: Expression, { condition }: Ground): string {
  if (expression.kind === 'number') return String(expression.value)
  if (expression.kind === 'name') {
    const { name } = expression
    if (isKnown(CONSTANTS, name)) return CONSTANTS[name] === Math.PI ? 'Math.PI' : 'Math.E'
    return name === 'k' ? String(condition) : name
  }
  const args = expression.args.map((arg) => textOf(arg, { condition } as Ground))
  return operationOf(expression.name, args.length).text(...args)
}
