/** Typed formulas as functions of gradus' tensors, so that their gradients and Hessians are exact. */
import { abs, add, cos, div, exp, log, maximum, minimum, mul, neg, pow, sign, sin, sqrt, sub, type Tensor, tanh } from 'gradus'
import { type Expression, namesIn, parse } from './expression'

/** The function to minimize: a formula in x, y and k, the condition number. */
export interface Ground {
  formula: string
  condition: number
}

type Value = Tensor | number

/** An operator or a function: for numbers, for tensors, and as a call of gradus' functions in a program. */
interface Operation {
  count: number
  numbers(...args: number[]): number
  tensors(...args: never[]): Tensor
  text(...args: string[]): string
}

const operation = (
  count: number,
  numbers: Operation['numbers'],
  tensors: Operation['tensors'],
  name: string,
  text: Operation['text'] = (...args) => `${name}(${args.join(', ')})`,
): Operation => ({ count, numbers, tensors, text })

const POWER = operation(2, (a, b) => a ** b, pow, 'pow')
const LOG = operation(1, Math.log, log, 'log')
const OPERATIONS: Record<string, Operation | Operation[]> = {
  '+': operation(2, (a, b) => a + b, add, 'add'),
  '-': [operation(1, (a) => -a, neg, 'neg'), operation(2, (a, b) => a - b, sub, 'sub')],
  '*': operation(2, (a, b) => a * b, mul, 'mul'),
  '/': operation(2, (a, b) => a / b, div, 'div'),
  '^': POWER,
  pow: POWER,
  sin: operation(1, Math.sin, sin, 'sin'),
  cos: operation(1, Math.cos, cos, 'cos'),
  tan: operation(
    1,
    Math.tan,
    (a: Tensor) => div(sin(a), cos(a)),
    'tan',
    // computed once: derivatives along two paths would be rounded in another order
    (a) => `((a) => div(sin(a), cos(a)))(${a})`,
  ),
  tanh: operation(1, Math.tanh, tanh, 'tanh'),
  sqrt: operation(1, Math.sqrt, sqrt, 'sqrt'),
  exp: operation(1, Math.exp, exp, 'exp'),
  ln: LOG,
  log: LOG,
  abs: operation(1, Math.abs, abs, 'abs'),
  sign: operation(1, Math.sign, sign, 'sign'),
  min: operation(2, Math.min, minimum, 'minimum'),
  max: operation(2, Math.max, maximum, 'maximum'),
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
export function understood(ground: Ground): Expression {
  const expression = parse(ground.formula)
  const unknown = namesIn(expression).filter((name) => !['x', 'y', 'k'].includes(name) && !isKnown(CONSTANTS, name))
  if (unknown.length > 0) throw new Error(`unknown: ${unknown.join(', ')}. ${HELP}`)
  return expression
}

/** @throws Error that describes the mistake in the formula */
export function compile(ground: Ground): (x: Tensor, y: Tensor) => Tensor {
  const expression = understood(ground)
  // Mistakes in a call are reported before anything is computed.
  textOf(expression, ground.condition)
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

/** The formula as a program calls gradus, with the names of the functions that it calls. */
export function program(ground: Ground): { text: string; names: string[] } {
  const value = textOf(understood(ground), ground.condition)
  const text = typeof value === 'number' ? `add(mul(x, 0), ${numberText(value)})` : value
  return { text, names: [...new Set(text.match(/[a-z]+(?=\()/g))] }
}

/** Parts without x and y are numbers, as in {@link compile}. */
function textOf(expression: Expression, condition: number): string | number {
  if (expression.kind === 'number') return expression.value
  if (expression.kind === 'name') return expression.name === 'k' ? condition : (CONSTANTS[expression.name] ?? expression.name)
  const args = expression.args.map((arg) => textOf(arg, condition))
  const { numbers, text } = operationOf(expression.name, args.length)
  if (args.every((arg) => typeof arg === 'number')) return numbers(...(args as number[]))
  return text(...args.map((arg) => (typeof arg === 'number' ? numberText(arg) : arg)))
}

const numberText = (value: number) => (Object.is(value, -0) ? '-0' : String(value))
