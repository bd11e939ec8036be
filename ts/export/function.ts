/** A model as the source of a JavaScript function that needs nothing else: for pages, microcontrollers and places without npm. */
import { rangeError, typeError } from '../common/errors.js'
import { readOptions, type Schema, text } from '../common/options.js'
import { show } from '../common/show.js'
import { halvesOf } from '../io/dtypes.js'
import { Activation } from '../nn/activation.js'
import { BatchNorm } from '../nn/batch-norm.js'
import { Dense } from '../nn/dense.js'
import { Dropout } from '../nn/dropout.js'
import { EmbedColumns } from '../nn/embed-columns.js'
import { Embedding } from '../nn/embedding.js'
import { EnsembleDense } from '../nn/ensemble-dense.js'
import { EnsembleMean } from '../nn/ensemble-mean.js'
import { Flatten } from '../nn/flatten.js'
import { LayerNorm } from '../nn/layer-norm.js'
import { Module } from '../nn/module.js'
import { PeriodicEmbedding } from '../nn/periodic-embedding.js'
import { PiecewiseLinearEmbedding } from '../nn/piecewise-linear-embedding.js'
import { Scale } from '../nn/scale.js'
import { Ensemble } from '../select/ensemble.js'
import type { FunctionSource } from './layer-exports.js'
import { exportsOf, leavesOf, withoutExport } from './leaves.js'

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
}

/** Helper functions; the source contains those that its layers need. */
const HELPERS = {
  weights: `  // numbers from base64, of any runtime
  const bytes = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0))`,
  float32: `  const numbers = (text) => new Float32Array(bytes(text).buffer)`,
  float16: `  const halves = (text, factor) => Float32Array.from(new Uint16Array(bytes(text).buffer), (bits) => {
    const [sign, exponent, fraction] = [bits & 0x8000 ? -1 : 1, (bits >> 10) & 31, bits & 1023]
    return factor * sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25))
  })`,
  dense: `  // x·W + b along the last axis
  const dense = (x, weight, bias, inputs, outputs, f) => {
    if (x.length % inputs > 0) throw new RangeError('wants rows of ' + inputs + ' numbers, got ' + x.length)
    const y = new Float64Array((x.length / inputs) * outputs)
    for (let row = 0, from = 0; from < x.length; row += outputs, from += inputs) {
      for (let j = 0; j < outputs; j++) y[row + j] = bias === null ? 0 : bias[j]
      for (let i = 0; i < inputs; i++) {
        const value = x[from + i]
        for (let j = 0; j < outputs; j++) y[row + j] += value * weight[i * outputs + j]
      }
    }
    return f === null ? y : y.map(f)
  }`,
  affine: `  // x·scale + shift, column by column
  const affine = (x, scale, shift) => x.map((value, i) => value * scale[i % scale.length] + shift[i % scale.length])`,
  layerNorm: `  const layerNorm = (x, weight, bias, epsilon) => {
    const width = weight.length
    const y = new Float64Array(x.length)
    for (let from = 0; from < x.length; from += width) {
      const row = x.subarray(from, from + width)
      const mean = row.reduce((sum, value) => sum + value, 0) / width
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width
      for (let i = 0; i < width; i++) y[from + i] = ((row[i] - mean) / Math.sqrt(variance + epsilon)) * weight[i] + bias[i]
    }
    return y
  }`,
  embedding: `  const embedding = (x, table, count, width) => {
    const y = new Float64Array(x.length * width)
    x.forEach((index, i) => {
      if (!Number.isInteger(index) || index < 0 || index >= count) throw new RangeError('wants whole numbers from 0 to ' + (count - 1) + ', got ' + index)
      y.set(table.subarray(index * width, (index + 1) * width), i * width)
    })
    return y
  }`,
  embedColumns: `  // columns of numbers of categories as rows of their tables, behind the other columns
  const embedColumns = (x, features, others, embedded) => {
    const y = []
    for (let from = 0; from < x.length; from += features) {
      for (const column of others) y.push(x[from + column])
      for (const [column, table, count, width] of embedded) y.push(...embedding([x[from + column]], table, count, width))
    }
    return Float64Array.from(y)
  }`,
  factors: `  // each column by its factor, for each member by its own: one row for all members, or a row for each
  const factors = (x, scale) => Float64Array.from(scale, (factor, i) => x[x.length < scale.length ? i % x.length : i] * factor)`,
  ownDense: `  // a row for each of so many members, or one for all, by the member's own weights
  const ownDense = (x, weight, members, inputs, outputs) => {
    const y = new Float64Array(members * outputs)
    for (let m = 0; m < members; m++) {
      const row = x.length === inputs ? x : x.subarray(m * inputs, (m + 1) * inputs)
      y.set(dense(row, weight.subarray(m * inputs * outputs, (m + 1) * inputs * outputs), null, inputs, outputs, null), m * outputs)
    }
    return y
  }`,
  members: `  // the outputs of each of so many members
  const members = (count) => Array.from({ length: count }, (_, m) => (x) => x.slice((m * x.length) / count, ((m + 1) * x.length) / count))`,
  embedNumbers: `  // columns of numbers as vectors behind the other columns: products of weights with terms of the number
  const embedNumbers = (x, features, others, embedded, bias, size, f) => {
    const y = []
    for (let from = 0; from < x.length; from += features) {
      for (const column of others) y.push(x[from + column])
      embedded.forEach(([column, weight, terms], place) => {
        const vector = Float64Array.from(bias.subarray(place * size, (place + 1) * size))
        terms(x[from + column]).forEach((term, t) => vector.forEach((_, i) => (vector[i] += term * weight[t * size + i])))
        y.push(...vector.map(f))
      })
    }
    return Float64Array.from(y)
  }`,
  pieces: `  // a number and its share of each piece between two edges; the outer pieces go on
  const pieces = (edges) => (x) => [x, ...edges.slice(1).map((edge, i) => {
    const share = (x - edges[i]) / (edge - edges[i])
    return Math.min(Math.max(share, i === 0 ? -Infinity : 0), i === edges.length - 2 ? Infinity : 1)
  })]`,
  waves: `  // waves of a number: cosines with phases, or cosines and then sines
  const waves = (rates, phases) => (x) => phases === null
    ? [...Array.from(rates, (rate) => Math.cos(rate * x)), ...Array.from(rates, (rate) => Math.sin(rate * x))]
    : Array.from(rates, (rate, i) => Math.cos(rate * x + phases[i]))`,
  outputs: `  // several nets that answer together: the mean of their outputs
  const outputs = (nets, shares) => (x) => {
    const each = nets.map((net) => net(x))
    return each[0].map((_, i) => each.reduce((sum, y, net) => sum + shares[net] * y[i], 0))
  }`,
  softmax: `  // several nets that answer together: logarithms of the mean of their probabilities, of so many classes
  const softmax = (nets, shares, classes) => (x) => {
    const each = nets.map((net) => net(x)).map((y) => {
      for (let from = 0; from < y.length; from += classes || y.length) {
        const row = y.subarray(from, from + (classes || y.length))
        const most = Math.max(...row)
        const sum = row.reduce((total, z) => total + Math.exp(z - most), 0)
        row.forEach((z, i) => (row[i] = z - most - Math.log(sum)))
      }
      return y
    })
    return each[0].map((_, i) => {
      const most = Math.max(...each.map((y) => y[i]))
      return most + Math.log(each.reduce((sum, y, net) => sum + shares[net] * Math.exp(y[i] - most), 0))
    })
  }`,
  sigmoid: `  // several nets that answer together: the logit of the mean of their probabilities
  const sigmoid = (nets, shares) => (x) => {
    const each = nets.map((net) => net(x))
    const mean = (i, sign) => each.reduce((sum, y, net) => sum + shares[net] / (1 + Math.exp(-sign * y[i])), 0)
    return each[0].map((_, i) => Math.log(mean(i, 1)) - Math.log(mean(i, -1)))
  }`,
  normal: `  // the distribution function of the normal distribution: a series in the middle, a continued fraction in the tails
  const normal = (x) => {
    const z = Math.abs(x)
    const density = Math.exp(-z * z / 2) / Math.sqrt(2 * Math.PI)
    let tail
    if (z < 3) {
      let [term, sum] = [z, z]
      for (let k = 3; term > sum * 1e-17; k += 2) sum += (term *= (z * z) / k)
      tail = 0.5 - density * sum
    } else {
      let fraction = 0
      for (let k = 40; k > 0; k--) fraction = k / (z + fraction)
      tail = density / (z + fraction)
    }
    return x < 0 ? tail : 1 - tail
  }`,
}

/**
 * A model, or an ensemble of models, as the source text of a JavaScript function without imports: it predicts in double precision, within 1e-6 of
 * `predict`. The function takes a list of rows and returns a list of rows, or takes one flat row and returns one. Rows with several axes are given
 * nested, sequences of any length; results are always flat. Nothing here evaluates the text: write it into a file, or a page.
 *
 * @example
 * const model = new Sequential([new Dense(4, 8, { activation: 'tanh' }), new Dense(8, 3)])
 * const source = toFunction(model, { form: 'module' }) // fs.writeFileSync('predict.mjs', source)
 * source.includes('export function predict(rows)') // true
 * @throws TypeError naming the layer that it has no source for, such as a Lambda or a class of your own
 */
export function toFunction(model: Module, options: FunctionOptions = {}): string {
  if (!(model instanceof Module)) throw typeError(`toFunction: wants a model, got ${show(model)}`)
  const { name, form, weights } = readOptions('toFunction', options, TO_FUNCTION)
  if (!/^[A-Za-z_$][\w$]*$/.test(name)) throw rangeError(`toFunction: name wants that of a function, got ${show(name)}`)
  const writer = new SourceWriter(weights)
  const body = writer.net(model)
  const usual = writer.constants.length > 0 ? [HELPERS.weights] : []
  const parts = [...usual, ...writer.helpers, ...writer.constants, `  return ${body}`]
  return `${form === 'module' ? '/** Written by gradus. */\n' : ''}const ${name}Row = (() => {
${parts.join('\n')}
})()

/** Predicts rows, or one row of numbers. */
${form === 'module' ? 'export ' : ''}function ${name}(rows) {
  if (typeof rows[0] === 'number') return Array.from(${name}Row(Float64Array.from(rows)))
  const flat = (row) => Array.from(row, (value) => (Object(value) === value ? flat(value) : value)).flat()
  return Array.from(rows, (row) => Array.from(${name}Row(Float64Array.from(flat(row)))))
}
`
}

class SourceWriter implements FunctionSource {
  readonly helpers = new Set<string>()
  readonly constants: string[] = []
  /** Number of members of the ensemble whose layers are being written. */
  private members = 1

  constructor(private readonly format: 'float32' | 'float16') {}

  /** The function of a net or of an ensemble. */
  net(model: Module): string {
    if (model instanceof Ensemble) {
      const { members, average, weights } = model
      const counts = [...weights.data()]
      const sum = counts.reduce((total, count) => total + count, 0)
      const shares = counts.map((count) => count / sum)
      this.use(average)
      return `${average}([\n${members.map((member) => `    ${this.net(member)},\n`).join('')}  ], [${shares.join(', ')}], ${widthOf(model)})`
    }
    const steps = leavesOf(model).flatMap((layer) => this.step(layer) ?? [])
    return ['(x) => {', ...steps.map((step) => `    x = ${step}`), '    return x', '  }'].join('\n')
  }

  /** The expression for the output of a layer with input `x`; undefined if the output equals the input. */
  step(layer: Module): string | undefined {
    if (Object.hasOwn(layer, 'forward')) throw withoutExport('toFunction', layer)
    switch (layer.constructor) {
      case Dense: {
        const { weight, bias, inputs, outputs, activation } = layer as Dense
        this.use('dense')
        const f = activation === 'linear' ? 'null' : `(x) => ${this.activation(activation)}`
        return `dense(x, ${this.constant(weight.data())}, ${bias === null ? 'null' : this.wholes(bias.data())}, ${inputs}, ${outputs}, ${f})`
      }
      case Activation: {
        const { activation } = layer as Activation
        return activation === 'linear' ? undefined : `x.map((x) => ${this.activation(activation)})`
      }
      case Embedding: {
        const { weight, count, width } = layer as Embedding
        this.use('embedding')
        return `embedding(x, ${this.constant(weight.data())}, ${count}, ${width})`
      }
      case EmbedColumns: {
        const { features, columns, others, tables } = layer as EmbedColumns
        this.use('embedding')
        this.use('embedColumns')
        const embedded = columns.map(
          ({ feature, count, size }, i) => `[${feature}, ${this.constant(tables[i].weight.data())}, ${count}, ${size}]`,
        )
        return `embedColumns(x, ${features}, [${others.join(', ')}], [${embedded.join(', ')}])`
      }
      case LayerNorm: {
        const { weight, bias, epsilon } = layer as LayerNorm
        this.use('layerNorm')
        return `layerNorm(x, ${this.constant(weight.data())}, ${this.constant(bias.data())}, ${epsilon})`
      }
      case BatchNorm: {
        const { weight, bias, runningMean, runningVariance, epsilon, width, activation } = layer as BatchNorm
        const [w, b, mean, variance] = [weight, bias, runningMean, runningVariance].map((t) => t.data())
        const scale = Array.from({ length: width }, (_, i) => w[i] / Math.sqrt(variance[i] + epsilon))
        const shift = Array.from({ length: width }, (_, i) => b[i] - mean[i] * scale[i])
        this.use('affine')
        // in full precision: x·scale and shift may nearly cancel
        const f = activation === 'linear' ? '' : `.map((x) => ${this.activation(activation)})`
        return `affine(x, [${scale.join(', ')}], [${shift.join(', ')}])${f}`
      }
      case Scale: {
        const { weight, width, members } = layer as Scale
        this.members = members ?? this.members
        const scale = this.constant(weight.data())
        if (members === undefined) return `x.map((value, i) => value * ${scale}[i % ${width}])`
        this.use('factors')
        return `factors(x, ${scale})`
      }
      case EnsembleDense:
        return this.ensembleDense(layer as EnsembleDense)
      case EnsembleMean: {
        const { average } = layer as EnsembleMean
        const { members } = this
        this.use('members')
        this.use(average)
        return `${average}(members(${members}), Array(${members}).fill(1 / ${members}), 0)(x)`
      }
      case PiecewiseLinearEmbedding: {
        const { features, others, columns, weights, bias, size } = layer as PiecewiseLinearEmbedding
        this.use('embedNumbers')
        this.use('pieces')
        const embedded = columns.map(
          ({ feature, edges }, i) => `[${feature}, ${this.constant(weights[i].data())}, pieces([${edges.join(', ')}])]`,
        )
        return `embedNumbers(x, ${features}, [${others.join(', ')}], [${embedded.join(', ')}], ${this.constant(bias.data())}, ${size}, (x) => x)`
      }
      case PeriodicEmbedding: {
        const { features, others, columns, form, rates, phases, weights, bias, size } = layer as PeriodicEmbedding
        this.use('embedNumbers')
        this.use('waves')
        const embedded = columns.map((feature, i) => {
          const phase = form === 'plr' ? 'null' : this.constant(phases[i].data())
          return `[${feature}, ${this.constant(weights[i].data())}, waves(${this.constant(rates[i].data())}, ${phase})]`
        })
        const f = form === 'plr' ? '(x) => Math.max(x, 0)' : '(x) => x'
        return `embedNumbers(x, ${features}, [${others.join(', ')}], [${embedded.join(', ')}], ${this.constant(bias.data())}, ${size}, ${f})`
      }
      case Dropout:
      case Flatten:
        return undefined
      default: {
        const source = exportsOf(layer)?.source
        if (source === undefined) throw withoutExport('toFunction', layer)
        return source(layer, this, layer.path === '' ? 'model' : layer.path)
      }
    }
  }

  private ensembleDense({ weight, bias, inputScale, outputScale, members, inputs, outputs, activation }: EnsembleDense): string {
    this.members = members
    this.use('dense')
    this.use(inputScale ? 'factors' : 'ownDense')
    const w = this.constant(weight.data())
    let y = `ownDense(x, ${w}, ${members}, ${inputs}, ${outputs})`
    if (inputScale && outputScale) {
      const product = `dense(factors(x, ${this.constant(inputScale.data())}), ${w}, null, ${inputs}, ${outputs}, null)`
      y = `factors(${product}, ${this.constant(outputScale.data())})`
    }
    if (bias !== null) {
      const b = this.wholes(bias.data())
      y += `.map((x, i) => x + ${b}[i])`
    }
    return activation === 'linear' ? y : `${y}.map((x) => ${this.activation(activation)})`
  }

  private activation(name: string): string {
    if (name === 'gelu') this.use('normal')
    return ACTIVATIONS[name]
  }

  private use(helper: keyof typeof HELPERS): void {
    this.helper(HELPERS[helper])
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
    this.use(format)
    const name = `w${this.constants.length}`
    this.constants.push(`  const ${name} = ${value}`)
    return name
  }
}

/** The number of outputs of a model, if known; else 0, for all of them. */
function widthOf(model: Module): number {
  if (model instanceof Ensemble) return widthOf(model.members[0])
  for (const layer of leavesOf(model).reverse()) {
    if (layer instanceof Dense || layer instanceof EnsembleDense) return layer.outputs
    if (layer instanceof Embedding || layer instanceof EmbedColumns || layer instanceof BatchNorm || layer instanceof LayerNorm)
      return layer.width
  }
  return 0
}

function base64({ buffer }: Float32Array | Uint16Array): string {
  const bytes = new Uint8Array(buffer)
  let text = ''
  // each byte is an argument of the call, and the number of arguments is limited
  for (let at = 0; at < bytes.length; at += 8192) text += String.fromCharCode(...bytes.subarray(at, at + 8192))
  return btoa(text)
}
