/** A stored trial as users see it. */

import type { Params, Space } from './space.js'
import type { StoredTrial } from './storage/journal.js'
import type { TrialRecord } from './trial.js'

/** The attribute that says why a trial failed. */
export const ERROR = 'gradus:error'
/** Attributes of constraints have this before the name of the constraint. */
export const CONSTRAINT = 'constraints:'

export function recordOf<S extends Space>(trial: StoredTrial): TrialRecord<S> {
  const isComplete = trial.state === 'complete'
  const values = isComplete ? (trial.values ?? []).map(Number) : []
  const { [ERROR]: error, ...attributes } = trial.userAttributes
  const seconds = trial.started && trial.ended ? (Date.parse(trial.ended) - Date.parse(trial.started)) / 1000 : undefined
  return {
    number: trial.number,
    state: trial.state,
    params: trial.parameters as Params<S>,
    value: values[0],
    values,
    reports: trial.reports,
    constraints: constraintsOf(trial),
    attributes,
    seconds,
    error: error as string | undefined,
  }
}

/** A value of an objective as a loss, for which less is better. */
export function lossOf(value: number, direction: 'minimize' | 'maximize'): number {
  return direction === 'minimize' ? value : -value
}

/** True if trials can be compared by a loss: it is neither NaN nor unbeatable. */
export function isLoss(loss: number): boolean {
  return loss > Number.NEGATIVE_INFINITY
}

/** Total violation of constraints by a trial; 0 if it satisfies them. */
export function violationOf(trial: StoredTrial): number {
  return Object.values(constraintsOf(trial)).reduce((sum, value) => sum + Math.max(0, value), 0)
}

function constraintsOf(trial: StoredTrial): Record<string, number> {
  const { constraints, ...others } = trial.systemAttributes
  const old = Array.isArray(constraints) ? constraints.map((value, i) => [String(i), value as number]) : []
  const named = Object.entries(others)
    .filter(([name]) => name.startsWith(CONSTRAINT))
    .map(([name, value]) => [name.slice(CONSTRAINT.length), value as number])
  return Object.fromEntries([...old, ...named])
}
