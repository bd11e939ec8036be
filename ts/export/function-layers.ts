/** Layers of the core as JavaScript: one entry for each; rooms have those of their layers. */
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
import type { Module } from '../nn/module.js'
import { PeriodicEmbedding } from '../nn/periodic-embedding.js'
import { PiecewiseLinearEmbedding } from '../nn/piecewise-linear-embedding.js'
import { Scale } from '../nn/scale.js'
import { type LayerFunction, ofWidth } from './layer-exports.js'
import { exportsOf } from './leaves.js'

/** Helper functions; the source contains those that its layers need. */
export const HELPERS = {
  rows: `  // x, if it has steps or rows of so many numbers; if it is flat, one of them
  const rows = (x, width, isFlat) => {
    if (x.length > 0 && (isFlat ? x.length === width : x.length % width === 0)) return x
    throw new RangeError('wants steps or rows of ' + width + ' numbers, got ' + x.length)
  }`,
  dense: `  // x·W + b along the last axis
  const dense = (x, weight, bias, inputs, outputs) => {
    const y = new Float64Array((x.length / inputs) * outputs)
    for (let row = 0, from = 0; from < x.length; row += outputs, from += inputs) {
      for (let j = 0; j < outputs; j++) y[row + j] = bias === null ? 0 : bias[j]
      for (let i = 0; i < inputs; i++) {
        const value = x[from + i]
        for (let j = 0; j < outputs; j++) y[row + j] += value * weight[i * outputs + j]
      }
    }
    return y
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
      y.set(dense(row, weight.subarray(m * inputs * outputs, (m + 1) * inputs * outputs), null, inputs, outputs), m * outputs)
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

const dense: LayerFunction<Dense> = {
  width: ({ inputs }) => inputs,
  outputs: ({ outputs }) => outputs,
  source: (layer, to) => to.dense(layer, 'x'),
}

const activation: LayerFunction<Activation> = { source: ({ activation }, to) => to.activation(activation, 'x') }

const same: LayerFunction = { source: () => 'x' }

const embedding: LayerFunction<Embedding> = {
  outputs: ({ width }) => width,
  source({ weight, count, width }, to) {
    to.helper(HELPERS.embedding)
    return `embedding(x, ${to.constant(weight.data())}, ${count}, ${width})`
  },
}

const embedColumns: LayerFunction<EmbedColumns> = {
  width: ({ features }) => features,
  source({ features, columns, others, tables }, to) {
    to.helper(HELPERS.embedding)
    to.helper(HELPERS.embedColumns)
    const embedded = columns.map(
      ({ feature, count, size }, i) => `[${feature}, ${to.constant(tables[i].weight.data())}, ${count}, ${size}]`,
    )
    return `embedColumns(x, ${features}, [${others.join(', ')}], [${embedded.join(', ')}])`
  },
}

const layerNorm: LayerFunction<LayerNorm> = {
  ...ofWidth,
  source({ weight, bias, epsilon }, to) {
    to.helper(HELPERS.layerNorm)
    return `layerNorm(x, ${to.constant(weight.data())}, ${to.constant(bias.data())}, ${epsilon})`
  },
}

const batchNorm: LayerFunction<BatchNorm> = {
  ...ofWidth,
  source({ weight, bias, runningMean, runningVariance, epsilon, width, activation }, to) {
    const [w, b, mean, variance] = [weight, bias, runningMean, runningVariance].map((t) => t.data())
    const scale = Array.from({ length: width }, (_, i) => w[i] / Math.sqrt(variance[i] + epsilon))
    const shift = Array.from({ length: width }, (_, i) => b[i] - mean[i] * scale[i])
    to.helper(HELPERS.affine)
    // in full precision: x·scale and shift may nearly cancel
    return to.activation(activation, `affine(x, [${scale.join(', ')}], [${shift.join(', ')}])`)
  },
}

const scale: LayerFunction<Scale> = {
  ...ofWidth,
  source({ weight, width, members }, to) {
    to.members = members ?? to.members
    const factors = to.constant(weight.data())
    if (members === undefined) return `x.map((value, i) => value * ${factors}[i % ${width}])`
    to.helper(HELPERS.factors)
    return `factors(x, ${factors})`
  },
}

const ensembleDense: LayerFunction<EnsembleDense> = {
  width: ({ inputs }) => inputs,
  outputs: ({ outputs }) => outputs,
  source({ weight, bias, inputScale, outputScale, members, inputs, outputs, activation }, to) {
    to.members = members
    to.helper(HELPERS.dense)
    to.helper(inputScale ? HELPERS.factors : HELPERS.ownDense)
    const w = to.constant(weight.data())
    let y = `ownDense(x, ${w}, ${members}, ${inputs}, ${outputs})`
    if (inputScale && outputScale) {
      const product = `dense(factors(x, ${to.constant(inputScale.data())}), ${w}, null, ${inputs}, ${outputs})`
      y = `factors(${product}, ${to.constant(outputScale.data())})`
    }
    if (bias !== null) y += `.map((x, i) => x + ${to.wholes(bias.data())}[i])`
    return to.activation(activation, y)
  },
}

const ensembleMean: LayerFunction<EnsembleMean> = {
  source({ average }, to) {
    const { members } = to
    to.helper(HELPERS.members)
    to.helper(HELPERS[average])
    return `${average}(members(${members}), Array(${members}).fill(1 / ${members}), 0)(x)`
  },
}

const piecewise: LayerFunction<PiecewiseLinearEmbedding> = {
  width: ({ features }) => features,
  source({ features, others, columns, weights, bias, size }, to) {
    to.helper(HELPERS.embedNumbers)
    to.helper(HELPERS.pieces)
    const embedded = columns.map(
      ({ feature, edges }, i) => `[${feature}, ${to.constant(weights[i].data())}, pieces([${edges.join(', ')}])]`,
    )
    return `embedNumbers(x, ${features}, [${others.join(', ')}], [${embedded.join(', ')}], ${to.constant(bias.data())}, ${size}, (x) => x)`
  },
}

const periodic: LayerFunction<PeriodicEmbedding> = {
  width: ({ features }) => features,
  source({ features, others, columns, form, rates, phases, weights, bias, size }, to) {
    to.helper(HELPERS.embedNumbers)
    to.helper(HELPERS.waves)
    const embedded = columns.map((feature, i) => {
      const phase = form === 'plr' ? 'null' : to.constant(phases[i].data())
      return `[${feature}, ${to.constant(weights[i].data())}, waves(${to.constant(rates[i].data())}, ${phase})]`
    })
    const f = form === 'plr' ? '(x) => Math.max(x, 0)' : '(x) => x'
    return `embedNumbers(x, ${features}, [${others.join(', ')}], [${embedded.join(', ')}], ${to.constant(bias.data())}, ${size}, ${f})`
  },
}

const LAYERS: ReadonlyMap<unknown, LayerFunction> = new Map<unknown, LayerFunction>([
  [Dense, dense],
  [Activation, activation],
  [Dropout, same],
  [Flatten, same],
  [Embedding, embedding],
  [EmbedColumns, embedColumns],
  [LayerNorm, layerNorm],
  [BatchNorm, batchNorm],
  [Scale, scale],
  [EnsembleDense, ensembleDense],
  [EnsembleMean, ensembleMean],
  [PiecewiseLinearEmbedding, piecewise],
  [PeriodicEmbedding, periodic],
])

/** @internal how a layer is written as JavaScript, by its exact class; undefined if it has no source */
export function functionOf(layer: Module): LayerFunction | undefined {
  const known = LAYERS.get(layer.constructor) ?? exportsOf(layer)
  return known?.source === undefined ? undefined : (known as LayerFunction)
}
