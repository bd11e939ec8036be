/** A model as the source of a JavaScript function that needs nothing else: for pages, microcontrollers and places without npm. */
import type { Activation as ActivationName } from '../backend/kernels.js'
import { rangeError } from '../common/errors.js'
import { readOptions, type Schema, text } from '../common/options.js'
import { show } from '../common/show.js'
import { halvesOf } from '../io/dtypes.js'
import { Flatten } from '../nn/flatten.js'
import { Module } from '../nn/module.js'
import { Ensemble } from '../select/ensemble.js'
import { functionOf, HELPERS } from './function-layers.js'
import type { FunctionSource, LayerFunction, Product } from './layer-exports.js'
import { leavesOf, noModel, withoutExport } from './leaves.js'

/** Options of {@link toFunction}. */
export interface FunctionOptions {
  /** The name of the function. Default `predict`. */
  name?: string
  /** `function`: its declaration alone, for any script. `module`: a file that exports it. Default `function`. */
  form?: 'function' | 'module'
  /** Format of the weights, as base64: `float32`, with all bits, or `float16`, half as long and with three digits. Default `float32`. */
  weights?: 'float32' | 'float16'
}

export const TO_FUNCTION = {
  name: { is: text, default: 'predict' },
  form: { is: ['function', 'module'], default: 'function' },
  weights: { is: ['float32', 'float16'], default: 'float32' },
} satisfies Schema<FunctionOptions>

/** Activations as JavaScript expressions of a number `x`. */
const ACTIVATIONS: Readonly<Record<string, string>> = {
  relu: 'Math.max(x, 0)',
  leakyRelu: 'x > 0 ? x : 0.01 * x',
  sigmoid: '1 / (1 + Math.exp(-x))',
  tanh: 'Math.tanh(x)',
  gelu: 'x * normal(x)',
  silu: 'x / (1 + Math.exp(-x))',
  softplus: 'Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))',
  elu: 'x > 0 ? x : Math.expm1(x)',
  mish: 'x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))))',
  selu: 'x > 0 ? 1.0507009873554805 * x : 1.7580993408473766 * Math.expm1(x)',
}

/** Functions that read the weights. */
const READERS = {
  bytes: `  // numbers from base64, of any runtime
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))`,
  float32: `  const numbers = (text) => new Float32Array(bytes(text).buffer)`,
  float16: `  const halves = (text, factor) => Float32Array.from(new Uint16Array(bytes(text).buffer), (bits) => {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
    return factor * sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
  })`,
}

/**
 * A model, or an ensemble of models, as the source text of a JavaScript function without imports: it predicts in double precision, within 1e-6 of
 * `predict`. The function takes a list of rows and returns a list of rows, or takes one flat row and returns one. Rows with several axes are given
 * nested, sequences of any length; results are always flat. It throws a RangeError for rows or steps of another number of numbers. Nothing here
 * evaluates the text: write it into a file, or a page.
 *
 * @example
 * const model = new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 3)])
 * const source = toFunction(model, { form: 'module' }) // fs.writeFileSync('predict.mjs', source)
 * source.includes('export function predict(rows)') // true
 * @throws TypeError naming the layer that it has no source for, such as a Lambda or a class of your own
 */
export function toFunction(model: Module, options: FunctionOptions = {}): string {
  if (!(model instanceof Module)) throw noModel('toFunction', model)
  const { name, form, weights } = readOptions('toFunction', options, TO_FUNCTION)
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) throw rangeError(`toFunction: name wants that of a function, got ${show(name)}`)
  const writer = new SourceWriter(weights)
  const body = writer.net(model)
  const constants = Array.from(writer.constants, ([value, constant]) => `  const ${constant} = ${value}`)
  const parts = [...(constants.length > 0 ? [READERS.bytes] : []), ...writer.helpers, ...constants, indented(`return ${body}`)]
  return `${form === 'module' ? '/** Written by gradus. */\n' : ''}const ${name}Row = (() => {
${parts.join('\n')}
})()

/** Predicts rows, or one row of numbers. */
${form === 'module' ? 'export ' : ''}function ${name}(rows) {
  if (typeof rows[0] === 'number') return Array.from(${name}Row(Float64Array.from(rows)))
  const flat = (row) => {
    let width = ${writer.width}
    const numbersOf = (part, isInner) => {
      const values = Array.from(part)
      if (values.some((value) => Object(value) === value))
        return values.flatMap((value) => numbersOf(Object(value) === value ? value : [value], true))
      width = width || values.length
      if (!isInner || values.length === width) return values
      throw new RangeError('wants steps or rows of ' + width + ' numbers, got ' + values.length)
    }
    return numbersOf(row, false)
  }
  return Array.from(rows, (row) => Array.from(${name}Row(Float64Array.from(flat(row)))))
}
`
}

class SourceWriter implements FunctionSource {
  readonly helpers = new Set<string>()
  /** Declarations of arrays of weights by their values: layers that share weights share an array. */
  readonly constants = new Map<string, string>()
  members = 1
  /** Numbers of a row, or of each of its steps; 0 if any number will do. */
  width = 0

  constructor(private readonly format: 'float32' | 'float16') {}

  /** The function of a net or of an ensemble, which checks its rows. */
  net(model: Module): string {
    if (!(model instanceof Ensemble)) return this.inTurn([model], true)
    const { members, average, weights } = model
    const counts = [...weights.data()]
    const sum = counts.reduce((total, count) => total + count, 0)
    const shares = counts.map((count) => count / sum)
    this.helper(HELPERS[average])
    const nets = members.map((member) => indented(`${this.net(member)},`)).join('\n')
    return `${average}([\n${nets}\n], [${shares.join(', ')}], ${outputsOf(model)})`
  }

  layers(layers: readonly Module[]): string {
    return this.inTurn(layers, false)
  }

  /** Layers one after the other. @param isOpen true until a layer says how many numbers it wants, and behind a Flatten, which joins any number of them */
  private inTurn(layers: readonly Module[], isOpen: boolean): string {
    const steps: string[] = []
    let isFlat = false
    for (const layer of layers.flatMap(leavesOf)) {
      const known = this.known(layer)
      const width = known.width?.(layer)
      if (isOpen && width !== undefined) {
        this.helper(HELPERS.rows)
        steps.push(`rows(x, ${width}, ${isFlat})`)
        if (!isFlat) this.width = width
      }
      const joins = layer.constructor === Flatten
      isOpen = joins || (isOpen && known.width === undefined && known.outputs === undefined)
      isFlat = joins || (isFlat && isOpen)
      const step = known.source(layer, this, layer.path === '' ? 'model' : layer.path)
      if (step !== 'x') steps.push(step)
    }
    return ['(x) => {', ...steps.map((step) => indented(`x = ${step}`)), '  return x', '}'].join('\n')
  }

  private known(layer: Module): LayerFunction {
    const known = Object.hasOwn(layer, 'forward') ? undefined : functionOf(layer)
    if (known === undefined) throw withoutExport('toFunction', layer)
    return known
  }

  dense({ weight, bias, inputs, outputs, activation }: Product, x: string): string {
    this.helper(HELPERS.dense)
    const b = bias === null ? 'null' : this.wholes(bias.data())
    return this.activation(activation, `dense(${x}, ${this.constant(weight.data())}, ${b}, ${inputs}, ${outputs})`)
  }

  activation(name: ActivationName, x: string): string {
    if (name === 'gelu') this.helper(HELPERS.normal)
    return name === 'linear' ? x : `${x}.map((x) => ${ACTIVATIONS[name]})`
  }

  helper(lines: string): void {
    this.helpers.add(lines)
  }

  /** The name of an array, of halves if `weights: 'float16'` asks for them. */
  constant(values: ArrayLike<number>): string {
    if (this.format === 'float32') return this.wholes(values)
    const { factor, halves } = halvesOf(values)
    return this.stored('float16', `halves('${base64(halves)}', ${factor})`)
  }

  /** The name of an array with all bits, such as a bias, which x·W may nearly cancel. */
  wholes(values: ArrayLike<number>): string {
    return this.stored('float32', `numbers('${base64(Float32Array.from(values))}')`)
  }

  private stored(format: 'float32' | 'float16', value: string): string {
    this.helper(READERS[format])
    const name = this.constants.get(value) ?? `w${this.constants.size}`
    this.constants.set(value, name)
    return name
  }
}

/** Numbers along the last axis of a model's result, if they are known; else 0, for all numbers of a row. */
function outputsOf(model: Module): number {
  if (model instanceof Ensemble) return outputsOf(model.members[0])
  for (const layer of leavesOf(model).reverse()) {
    const outputs = layer.constructor === Flatten ? 0 : functionOf(layer)?.outputs?.(layer)
    if (outputs !== undefined) return outputs
  }
  return 0
}

/** Two spaces in front of each line. */
const indented = (lines: string) => lines.replace(/^/gm, '  ')

function base64({ buffer }: Float32Array | Uint16Array): string {
  const bytes = new Uint8Array(buffer)
  let text = ''
  // each byte is an argument of the call, and the number of arguments is limited
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}
