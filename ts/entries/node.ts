/**
 * The entry for Node and Bun: all of `gradus`, with three additions. WebAssembly modules are read from files in the same folder, which saves the
 * milliseconds of unpacking. `console.log` of tensors, models, optimizers and histories shows their values and not the engine, as does `String(history)`. `fit`
 * shows a line of progress at a terminal. It imports no other module: `import 'node:fs'` alone takes Node two milliseconds. A bundler leaves this file out, as it has no exports of its
 * own (`sideEffects: false`), or does not copy the files that it reads; then the text is unpacked, as in a browser.
 */
import { wasmCode } from '../backend/wasm/bytes.js'
import { relaxedOf } from '../backend/wasm/variants.js'
import { StaleTensorError } from '../common/errors.js'
import { formatShape } from '../common/shape.js'
import { Module } from '../nn/module.js'
import { Optimizer } from '../optim/base/optimizer.js'
import { type NestedNumbers, Tensor } from '../tensor.js'
import { useAllMetrics } from '../train/all-metrics.js'
import { type History, NewHistory } from '../train/history.js'
import { historyText } from '../train/history-text.js'
import { progressLine } from '../train/progress-line.js'
import { trainingLine } from './terminal-line.js'

interface Host {
  /** Since Node 20.16. */
  getBuiltinModule?(name: 'fs'): typeof import('node:fs')
}

wasmCode.read = (variant) => {
  try {
    const fs = (process as Host).getBuiltinModule?.('fs')
    const simd = fs?.readFileSync(`${import.meta.dirname}/wasm/simd.wasm`) as Uint8Array<ArrayBuffer> | undefined
    return simd && variant === 'relaxed' ? relaxedOf(simd) : simd
  } catch {
    return undefined
  }
}

progressLine.make = trainingLine
useAllMetrics()

/** Number of entries of an axis that are printed. */
const PRINTED = 8

/** Numbers to six digits, of long axes the first. */
function textOf(values: NestedNumbers): string {
  if (typeof values === 'number') return String(+values.toPrecision(6))
  return `[${values.slice(0, PRINTED).map(textOf).join(', ')}${values.length > PRINTED ? ', …' : ''}]`
}

function printed(this: Tensor): string {
  let values = 'of a step that is over'
  try {
    values = textOf(this.toArray())
  } catch (error) {
    if (!(error instanceof StaleTensorError)) throw error
  }
  return `Tensor(${this.dtype} ${formatShape(this.shape)} ${values})`
}

type Inspect = (value: object, style: object) => string

/** Fields of a module that lead to its backend, or repeat other fields. */
const HIDDEN = ['notCloneable', 'training']

function printedModule(this: Module, _depth: number, style: object, inspect: Inspect): string {
  const shown = Object.entries(this).filter(([name, value]) => value !== null && !HIDDEN.includes(name))
  return `${this.constructor.name} ${inspect(Object.fromEntries(shown), style)}`
}

function printedOptimizer(this: Optimizer, _depth: number, style: object, inspect: Inspect): string {
  const groups = this.groups.map(({ options, parameters }) => ({ ...options, parameters: parameters.map(({ name }) => name) }))
  return `${this.name} ${inspect({ stepCount: this.stepCount, groups }, style)}`
}

function printedHistory(this: History): string {
  return `History: ${historyText(this)}`
}

const CUSTOM = Symbol.for('nodejs.util.inspect.custom')
Object.defineProperty(Tensor.prototype, CUSTOM, { value: printed })
Object.defineProperty(Module.prototype, CUSTOM, { value: printedModule })
Object.defineProperty(Optimizer.prototype, CUSTOM, { value: printedOptimizer })
for (const name of [CUSTOM, 'toString']) Object.defineProperty(NewHistory.prototype, name, { value: printedHistory })

export * from '../index.js'
