/** A model in words. */

import { typeError } from '../common/errors.js'
import { show } from '../common/show.js'
import { Module } from './module.js'

/**
 * A table of a model's parts as text: path, description and number of parameters. Frozen parameters, and numbers in buffers, which are saved but not
 * trained, are counted separately.
 *
 * @example
 * const model = new Sequential([new Dense(4, 16, { activation: 'relu' }), new Dense(16, 3)])
 * console.log(summary(model))
 * // 0      Dense(4, 16, relu)   80
 * // 1      Dense(16, 3)         51
 * // total                      131
 * @throws TypeError for anything but a model
 */
export function summary(model: Module): string {
  if (!(model instanceof Module)) throw typeError(`summary: wants a model, got ${show(model)}`)
  const named = [...model.namedParameters()]
  const rows = model.modules().flatMap((module) => {
    const own = named.filter(([name]) => ownerOf(name, model) === module)
    if (own.length === 0 && module.modules().length > 1) return []
    return [[module.path, module.describe(), count(own.map(([, p]) => p.size))]]
  })
  rows.push(['total', '', count(named.map(([, p]) => p.size))])
  const frozen = named.filter(([, p]) => !p.requiresGrad)
  if (frozen.length > 0) rows.push(['frozen', '', count(frozen.map(([, p]) => p.size))])
  const buffers = model.buffers()
  if (buffers.length > 0) rows.push(['buffers', '', count(buffers.map(({ size }) => size))])
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map(([path, what, n]) => `${path.padEnd(widths[0])}  ${what.padEnd(widths[1])}  ${n.padStart(widths[2])}`).join('\n')
}

/** The innermost module that a parameter's name leads to. */
function ownerOf(name: string, model: Module): Module | undefined {
  const holds = ({ path }: Module) => path === '' || name.startsWith(`${path}.`)
  return model
    .modules()
    .reduce<Module | undefined>((best, m) => (holds(m) && m.path.length >= (best?.path.length ?? 0) ? m : best), undefined)
}

function count(sizes: number[]): string {
  return sizes.reduce((sum, n) => sum + n, 0).toLocaleString('en-US')
}
