/** Saving and restoring the state of optimizers as plain objects of numbers, strings and typed arrays. */

import type { FloatArray } from '../../backend/heap.js'
import { plainError, rangeError } from '../../common/errors.js'
import { savedCount, savedNumbers, savedScalars } from '../../common/saved.js'
import type { ParameterGroup } from './group.js'
import type { Scalars } from './span.js'

/** State of one parameter. */
export interface ParameterState {
  name: string
  /** Number of elements of the parameter. */
  size: number
  /** Steps that the parameter has taken. */
  stepCount: number
  /** State by name: slots as long as the parameter, and further state of methods that factorize. */
  slots: Record<string, FloatArray>
  /** Numbers kept for the parameter, by name. */
  scalars: Scalars
}

/** The whole state of an optimizer, see {@link Optimizer.state}. Typed arrays, numbers, booleans and strings only. */
export interface OptimizerState {
  format: 'gradus-optimizer/1'
  optimizer: string
  stepCount: number
  groups: { name: string; options: Record<string, unknown>; parameters: ParameterState[] }[]
  /** Numbers of the optimizer as a whole. */
  globals: Scalars
  /** State of gradient transforms. */
  transforms: Record<string, number>
  /** State of the wrapper around the optimizer, if there is one. */
  extra?: WrapperState
}

/** The state of a wrapper (Lookahead, SAM …), and of the wrapped optimizer if that is a wrapper, too. */
export interface WrapperState {
  wrapper: string
  own: Record<string, unknown>
  inner?: WrapperState
}

/** Name of the optimizer with its wrappers: Lookahead(Adam). */
function nameOf(optimizer: string, extra: WrapperState | undefined): string {
  return extra ? `${extra.wrapper}(${nameOf(optimizer, extra.inner)})` : optimizer
}

/** The error for a state that belongs to another optimizer or wrapper. */
export function wrongState(owner: string, state: OptimizerState): Error {
  const { format, optimizer, extra } = state ?? {}
  return plainError(
    `${owner}.loadState(): this is ${format === 'gradus-optimizer/1' ? `the state of ${nameOf(optimizer, extra)}` : 'no state of an optimizer'}`,
  )
}

export function captureState(
  optimizer: string,
  stepCount: number,
  groups: readonly ParameterGroup[],
  globals: Scalars,
  transforms: Record<string, number>,
): OptimizerState {
  return {
    format: 'gradus-optimizer/1',
    optimizer,
    stepCount,
    groups: groups.map((group) => ({
      name: group.name,
      options: { ...group.values } as Record<string, unknown>,
      parameters: group.parameters.map((p, i) => ({
        name: p.name,
        size: p.size,
        stepCount: group.stepCountOf(i),
        slots: Object.fromEntries(viewsOf(group, i).map(([slot, view]) => [slot, view.slice() as FloatArray])),
        scalars: group.scalarsOf(i),
      })),
    })),
    globals: { ...globals },
    transforms,
  }
}

/** @throws Error for the state of another optimizer, or of other parameters */
export function checkState(optimizer: string, groups: readonly ParameterGroup[], state: OptimizerState): void {
  if (state?.format !== 'gradus-optimizer/1' || state.optimizer !== optimizer || state.extra) throw wrongState(optimizer, state)
  if (state.groups.length !== groups.length)
    throw plainError(`${optimizer}.loadState(): the state has ${state.groups.length} groups, the optimizer ${groups.length}`)
  savedCount(state.stepCount, `${optimizer}.loadState(): stepCount`)
  savedScalars(state.globals, `${optimizer}.loadState(): globals`)
  savedScalars(state.transforms, `${optimizer}.loadState(): transforms`)
  groups.forEach((group, k) => checkGroup(optimizer, group, state.groups[k].parameters))
}

/** Puts a state that was checked into the parameters of a group. */
export function restoreGroup(group: ParameterGroup, parameters: readonly ParameterState[]): void {
  for (const [i, saved] of parameters.entries()) {
    for (const [slot, view] of viewsOf(group, i)) view.set(savedNumbers(saved.slots[slot], slot))
    group.restore(i, saved.stepCount, saved.scalars)
  }
}

/** All state of parameter i by name. */
function viewsOf(group: ParameterGroup, i: number): [string, FloatArray][] {
  const slots = group.slotNames.map((name, j): [string, FloatArray] => [name, group.slotView(i, j)])
  return [...slots, ...group.extraNames(i).map((name): [string, FloatArray] => [name, group.extraView(i, name)])]
}

function checkGroup(optimizer: string, group: ParameterGroup, saved: readonly ParameterState[]): void {
  const sizes = saved.map(({ size }) => size)
  checkSizes(optimizer, sizes, group.parameters)
  for (const [i, p] of group.parameters.entries()) {
    const what = `${optimizer}.loadState(): '${p.name}'`
    savedCount(saved[i].stepCount, `${what}: stepCount`)
    savedScalars(saved[i].scalars, `${what}: scalars`)
    for (const [slot, view] of viewsOf(group, i)) {
      const found = savedNumbers(saved[i].slots[slot] ?? [], `${what}: slot '${slot}'`).length
      if (found === view.length) continue
      throw plainError(
        `${optimizer}.loadState(): '${p.name}' wants ${view.length} values of slot '${slot}', the state has ${found || 'none'}`,
      )
    }
  }
}

/** @throws RangeError unless a state is of parameters that are as large as these */
export function checkSizes(owner: string, saved: readonly number[], parameters: readonly { size: number }[]): void {
  const [found, own] = [saved, parameters.map(({ size }) => size)].map((sizes) => sizes.join(', '))
  if (found !== own) throw rangeError(`${owner}.loadState(): the state is of parameters with ${found} values, these have ${own}`)
}
