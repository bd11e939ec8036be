/** Entries about trials in the journal of a study. */
import { lastStep } from './pruners/pruner.js'
import type { Axis, Choice } from './space.js'
import { ALIVE, internal, type NewEntry, OPERATION, rangeToJson, STATES, type StoredTrial } from './storage/journal.js'
import { CONSTRAINT, ERROR } from './trial-record.js'

/** The process that runs a trial now, if it took the trial over from a process that ended. */
const OWNER = 'gradus:owner'
/** Attribute that asks the process that runs a trial to end it as pruned. The process that prunes sets it. */
const PRUNE = 'gradus:prune'
/** Attribute of a trial that failed by an error of its objective, and not because of its time, its worker or a value that is not finite. */
const FAULT = 'gradus:fault'
/** Attribute with the parameters that a caller gave for a trial. */
const FIXED = 'fixed_params'

/** Outcome of a trial. */
export interface Ended {
  state: 'complete' | 'pruned' | 'failed'
  values: number[] | null
  error?: string
}

type Attributes = Readonly<Record<string, unknown>>

/** Makes a trial that runs, with these parameters. */
export function creation(
  studyId: number | undefined,
  axes: readonly Axis[],
  values: Readonly<Record<string, Choice>>,
  attributes: Attributes = {},
) {
  const there = axes.filter(({ name }) => name in values)
  return {
    op_code: OPERATION.createTrial,
    study_id: studyId,
    datetime_start: now() as string | null,
    state: 0,
    value: null as number | null,
    values: null as number[] | null,
    distributions: Object.fromEntries(there.map(({ name, range }) => [name, rangeToJson(range)])),
    params: Object.fromEntries(there.map(({ name, range }) => [name, internal(range, values[name])])),
    user_attrs: {},
    system_attrs: attributes,
    intermediate_values: {},
  }
}

type Creation = ReturnType<typeof creation>

/** Makes a trial that runs, with parameters that a caller gave. */
export function withFixed(created: Creation, params: object): NewEntry {
  return { ...created, system_attrs: { ...created.system_attrs, [FIXED]: params } }
}

/** Makes a trial that waits to be run, with parameters that a caller gave. */
export function waitingWith(created: Creation, params: object): NewEntry {
  return { ...created, state: STATES.indexOf('waiting'), datetime_start: null, system_attrs: { [FIXED]: params } }
}

/** Makes a trial that is over, since it was run elsewhere. */
export function createdWith(created: Creation, { state, values }: Ended): NewEntry {
  const isOne = values?.length === 1
  const outcome = { value: isOne ? values[0] : null, values: isOne ? null : values }
  return { ...created, state: STATES.indexOf(state), datetime_complete: now(), ...outcome }
}

/** The parameters that a caller gave for a trial. */
export function fixedOf(trial: StoredTrial | undefined): Readonly<Record<string, unknown>> {
  return (trial?.systemAttributes[FIXED] ?? {}) as Record<string, unknown>
}

/** Begins a trial that waits, with the parameters of a creation. */
export function beginning({ id }: StoredTrial, { params, distributions, system_attrs }: Creation): NewEntry[] {
  return [
    systemAttribute(id, system_attrs),
    { op_code: OPERATION.setTrialState, trial_id: id, state: 0, values: null, datetime_start: now() },
    ...Object.keys(params).map((name) => ({
      op_code: OPERATION.setTrialParameter,
      trial_id: id,
      param_name: name,
      param_value_internal: params[name],
      distribution: distributions[name],
    })),
  ]
}

/** Ends a trial that runs. A pruned one gets its last report as its value, as Optuna and its dashboard have it. */
export function ending({ id, reports }: StoredTrial, { state, values: given, error }: Ended, objectives: number): NewEntry[] {
  const last = reports.get(lastStep(reports))
  const values = state === 'pruned' && objectives === 1 && last !== undefined && !Number.isNaN(last) ? [last] : given
  const end = { op_code: OPERATION.setTrialState, trial_id: id, state: STATES.indexOf(state), values, datetime_complete: now() }
  return error === undefined ? [end] : [userAttribute(id, { [ERROR]: error }), end]
}

/** Notes who runs a trial. */
export function ownedBy({ id }: StoredTrial, owner: string): NewEntry {
  return systemAttribute(id, { [OWNER]: owner })
}

/** Who runs a trial. */
export function ownerOf({ systemAttributes, owner }: StoredTrial): string {
  return (systemAttributes[OWNER] as string | undefined) ?? owner
}

/** Asks the process that runs a trial to end it as pruned. */
export function pruneRequest({ id }: StoredTrial): NewEntry {
  return systemAttribute(id, { [PRUNE]: true })
}

/** True if that was requested. */
export function isPruneAsked({ systemAttributes }: StoredTrial): boolean {
  return systemAttributes[PRUNE] === true
}

/** Deletes a study. */
export function deletion(studyId: number | undefined): NewEntry {
  return { op_code: OPERATION.deleteStudy, study_id: studyId }
}

/** Announces that this process lives, and the seconds for which it may be silent before others take its trials. */
export function alive(studyId: number | undefined, seconds: number): NewEntry {
  return { op_code: OPERATION.setStudySystemAttribute, study_id: studyId, system_attr: { [ALIVE]: seconds } }
}

/** Notes that a trial failed by an error of its objective. */
export function faulty({ id }: StoredTrial): NewEntry {
  return systemAttribute(id, { [FAULT]: true })
}

/** True if the objective failed. */
export function isFaulty({ systemAttributes }: StoredTrial): boolean {
  return systemAttributes[FAULT] === true
}

/** Notes how good a trial is at a step. */
export function reported({ id }: StoredTrial, step: number, value: number): NewEntry {
  return { op_code: OPERATION.setIntermediateValue, trial_id: id, step, intermediate_value: value }
}

/** Notes the amount by which a trial violates a constraint. */
export function constrained({ id }: StoredTrial, name: string, value: number): NewEntry {
  return systemAttribute(id, { [CONSTRAINT + name]: value })
}

/** Notes anything on a trial. */
export function noted({ id }: StoredTrial, name: string, value: unknown): NewEntry {
  return userAttribute(id, { [name]: value })
}

function systemAttribute(id: number, attributes: Attributes): NewEntry {
  return { op_code: OPERATION.setTrialSystemAttribute, trial_id: id, system_attr: attributes }
}

function userAttribute(id: number, attributes: Attributes): NewEntry {
  return { op_code: OPERATION.setTrialUserAttribute, trial_id: id, user_attr: attributes }
}

/** The present time in Python's format. */
function now(): string {
  return new Date().toISOString().replace('Z', '000+00:00')
}
