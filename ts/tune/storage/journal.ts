/**
 * The journal: every storage keeps a study as a list of events, in the format of Optuna's journal storage (Optuna 5, optuna/storages/journal), so
 * that both write and read the same files. The state of a study follows from reading the list from its beginning.
 */
import { clock } from '../../common/clock.js'
import { plainError, rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { visible } from '../../common/visible.js'
import { type Choice, float, int, type ParameterRange, rangeOf, type Space } from '../space.js'

/** Kinds of entries, by Optuna's numbers. */
export const OPERATION = {
  createStudy: 0,
  deleteStudy: 1,
  setStudyUserAttribute: 2,
  setStudySystemAttribute: 3,
  createTrial: 4,
  setTrialParameter: 5,
  setTrialState: 6,
  setIntermediateValue: 7,
  setTrialUserAttribute: 8,
  setTrialSystemAttribute: 9,
  discardTrials: 10,
} as const

/** States of trials, by Optuna's numbers. */
export const STATES = ['running', 'complete', 'pruned', 'failed', 'waiting'] as const

/** State of a trial: `waiting` to be run, `running`, `complete` with a value, `pruned` before its end, or `failed`. */
export type TrialState = (typeof STATES)[number]

/**
 * Attribute of a study by which a process announces that it lives: the number of seconds for which it may be silent. Any entry is a sign of life;
 * this one is written if there is no other.
 */
export const ALIVE = 'gradus:alive'

/** One event in the journal. */
export interface Entry {
  op_code: number
  worker_id: string
  [field: string]: unknown
}

/** @internal an entry before it is written */
export interface NewEntry {
  op_code: number
  [field: string]: unknown
}

/** Result of a transaction: 'read' if its entries have already been handed to `read`. */
export type Transacted = 'read' | undefined

/** Storage of the entries of a journal: a file, a database, or memory alone. */
export interface JournalStore {
  /** Place for errors, such as the name of a file. */
  readonly place: string
  /**
   * Hands the entries after the first `from` to `read`, then appends the entries that `write` returns; no other process appends in between. Once this
   * has resolved, the appended entries survive the end of the process. If another process appends first, both functions may be called again.
   */
  transact(from: number, read: (entries: readonly Entry[]) => void, write: () => readonly Entry[]): Transacted | Promise<Transacted>
  /** Called with a message for people, every few seconds while a server does not answer. Default: `console.warn`. */
  onSilence?: ((text: string) => void) | undefined
  /** Ends the use of the file or connection. */
  close?(): void | Promise<void>
}

/** A trial as the journal has it. */
export interface StoredTrial {
  /** Number of the trial among all trials of the journal. */
  readonly id: number
  /** Number of the trial in its study. */
  readonly number: number
  state: TrialState
  values: (number | null)[] | null
  readonly parameters: Record<string, Choice>
  readonly ranges: Record<string, ParameterRange>
  /** Reported values by step. */
  readonly reports: Map<number, number>
  readonly userAttributes: Record<string, unknown>
  readonly systemAttributes: Record<string, unknown>
  started: string | null
  ended: string | null
  /** The process that asked for the trial. */
  owner: string
}

/** A study as the journal has it. */
export interface StoredStudy {
  readonly id: number
  readonly name: string
  readonly directions: ('minimize' | 'maximize')[]
  readonly userAttributes: Record<string, unknown>
  readonly systemAttributes: Record<string, unknown>
  readonly trials: StoredTrial[]
}

/** Everything that follows from the entries of a journal. */
export class Journal {
  readonly studies = new Map<number, StoredStudy>()
  private readonly trials: { study: StoredStudy; trial: StoredTrial }[] = []
  private read = 0
  private created = 0
  /** For each process: the time of its last entry, in milliseconds of this process, and the seconds for which it may be silent, if announced. */
  private readonly heard = new Map<string, { at: number; may?: number }>()
  private openedAt = Number.POSITIVE_INFINITY
  /** The writes of this process, one after the other. */
  private queue: Promise<void> = Promise.resolve()
  /** Functions that are called when a trial is made or changes. */
  private readonly listeners = new Set<(study: StoredStudy, trial: StoredTrial, change: 'created' | 'ended' | 'reported') => void>()

  constructor(
    readonly store: JournalStore,
    /** Distinguishes the entries of this process from others'. */
    readonly worker: string,
  ) {}

  onChange(listener: (study: StoredStudy, trial: StoredTrial, change: 'created' | 'ended' | 'reported') => void): void {
    this.listeners.add(listener)
  }

  /** Reads the entries of other processes. */
  sync(): Promise<void> {
    return this.write(() => [])
  }

  /**
   * Appends the entries that `make` returns; `make` sees all earlier entries, and no other entry comes in between. `make` must not change anything
   * itself: if another process was faster, it is called again.
   */
  write(make: () => readonly NewEntry[]): Promise<void> {
    const next = this.queue.then(async () => {
      let own: Entry[] = []
      const isRead = await this.store.transact(this.read, this.see, () => {
        own = make().map((entry) => ({ ...entry, worker_id: this.worker }) as Entry)
        return own
      })
      if (isRead !== 'read') this.see(own)
    })
    this.queue = next.catch(() => {})
    return next
  }

  /** True if other processes may have the same journal. */
  get isShared(): boolean {
    return this.store.place !== 'memory'
  }

  /** Called when all entries from before this process have been read: processes that write from now on are alive. */
  opened(): void {
    this.openedAt = clock.now()
  }

  /** Seconds for which a process may be silent, as announced; undefined without an announcement. */
  maySilent(worker: string): number | undefined {
    return this.heard.get(worker)?.may
  }

  /** Seconds since a process was last heard, or since this one opened the journal. */
  silence(worker: string): number {
    return (clock.now() - (this.heard.get(worker)?.at ?? 0)) / 1000
  }

  /** True if a process has written since this one opened the journal. */
  isHeard(worker: string): boolean {
    return (this.heard.get(worker)?.at ?? 0) > this.openedAt
  }

  studyNamed(name: string): StoredStudy | undefined {
    for (const study of this.studies.values()) if (study.name === name) return study
    return undefined
  }

  /** @internal the entries of others */
  readonly see = (entries: readonly Entry[]): void => {
    for (const entry of entries) {
      try {
        this.apply(entry)
      } catch (error) {
        throw plainError(`${this.store.place}: entry ${this.read + 1} is none of a journal of Optuna 4 or 5: ${(error as Error).message}`, {
          cause: error,
        })
      }
      this.read++
    }
  }

  private apply(entry: Entry): void {
    if (typeof entry !== 'object' || entry === null) throw rangeError(`an entry wants to be an object, got ${show(entry)}`)
    const study = this.studies.get(entry.study_id as number)
    this.hear(entry)
    switch (entry.op_code) {
      case OPERATION.createStudy: {
        const name = String(entry.study_name)
        if (this.studyNamed(name)) return
        if (!Array.isArray(entry.directions)) throw rangeError(`directions want to be an array, got ${show(entry.directions)}`)
        const directions = entry.directions.map((d) => (d === 2 ? ('maximize' as const) : ('minimize' as const)))
        const id = this.created++
        this.studies.set(id, { id, name, directions, userAttributes: {}, systemAttributes: {}, trials: [] })
        return
      }
      case OPERATION.deleteStudy:
        this.studies.delete(entry.study_id as number)
        return
      case OPERATION.setStudyUserAttribute:
        if (study) setAll(study.userAttributes, entry.user_attr)
        return
      case OPERATION.setStudySystemAttribute:
        if (study) setAll(study.systemAttributes, entry.system_attr)
        return
      case OPERATION.createTrial:
        if (study) this.createTrial(study, entry)
        return
      case OPERATION.discardTrials:
        return
    }
    if (!(entry.op_code >= OPERATION.setTrialParameter && entry.op_code <= OPERATION.setTrialSystemAttribute))
      throw rangeError(`there is no operation ${show(entry.op_code)}`)
    const found = this.trials[entry.trial_id as number]
    // a trial that is over stays unchanged: a second result is ignored
    if (found && !isOver(found.trial.state)) this.changeTrial(found.study, found.trial, entry)
  }

  private hear({ worker_id: worker, op_code, system_attr: attributes }: Entry): void {
    if (typeof worker !== 'string') return
    const said = op_code === OPERATION.setStudySystemAttribute ? Object(attributes)[ALIVE] : undefined
    const may = Number.isFinite(said) ? (said as number) : this.heard.get(worker)?.may
    this.heard.set(worker, { at: clock.now(), ...(may !== undefined && { may }) })
  }

  private createTrial(study: StoredStudy, entry: Entry): void {
    const ranges = Object.fromEntries(
      Object.entries((entry.distributions as Record<string, string> | undefined) ?? {}).map(([name, json]) => [name, rangeFromJson(json)]),
    )
    const stored = (entry.params as Record<string, unknown> | undefined) ?? {}
    const value = entry.value as number | null | undefined
    const trial: StoredTrial = {
      id: this.trials.length,
      number: study.trials.length,
      state: stateOf(entry.state ?? 0),
      values: valuesOf(entry.values ?? (value === null || value === undefined ? null : [value])),
      parameters: Object.fromEntries(Object.entries(stored).map(([name, internal]) => [name, external(ranges[name], internal)])),
      ranges,
      reports: new Map(
        Object.entries(Object(entry.intermediate_values)).map(([step, x]) => [numberOf(Number(step), 'step'), numberOf(x, 'value')]),
      ),
      userAttributes: { ...((entry.user_attrs as Record<string, unknown> | undefined) ?? {}) },
      systemAttributes: { ...((entry.system_attrs as Record<string, unknown> | undefined) ?? {}) },
      started: (entry.datetime_start as string | null | undefined) ?? null,
      ended: (entry.datetime_complete as string | null | undefined) ?? null,
      owner: entry.worker_id,
    }
    study.trials.push(trial)
    this.trials.push({ study, trial })
    this.tell(study, trial, isOver(trial.state) ? 'ended' : 'created')
  }

  private changeTrial(study: StoredStudy, trial: StoredTrial, entry: Entry): void {
    switch (entry.op_code) {
      case OPERATION.setTrialParameter: {
        const range = rangeFromJson(entry.distribution as string)
        const name = String(entry.param_name)
        setAll(trial.ranges, { [name]: range })
        setAll(trial.parameters, { [name]: external(range, entry.param_value_internal) })
        this.tell(study, trial, 'created')
        return
      }
      case OPERATION.setTrialState: {
        const state = stateOf(entry.state)
        if (state === 'running' && trial.state === 'running') return
        trial.state = state
        if (state === 'running') {
          trial.started = entry.datetime_start as string
          trial.owner = entry.worker_id
          this.tell(study, trial, 'created')
          return
        }
        if (entry.values !== null && entry.values !== undefined) trial.values = valuesOf(entry.values)
        if (!isOver(state)) return
        trial.ended = entry.datetime_complete as string
        this.tell(study, trial, 'ended')
        return
      }
      case OPERATION.setIntermediateValue:
        trial.reports.set(numberOf(entry.step, 'step'), numberOf(entry.intermediate_value, 'value'))
        this.tell(study, trial, 'reported')
        return
      case OPERATION.setTrialUserAttribute:
        setAll(trial.userAttributes, entry.user_attr)
        return
      case OPERATION.setTrialSystemAttribute:
        setAll(trial.systemAttributes, entry.system_attr)
    }
  }

  private tell(study: StoredStudy, trial: StoredTrial, change: 'created' | 'ended' | 'reported'): void {
    for (const listener of this.listeners) listener(study, trial, change)
  }
}

/** @throws RangeError for the number of no state */
function stateOf(number: unknown): TrialState {
  const state = typeof number === 'number' ? STATES[number] : undefined
  if (state === undefined) throw rangeError(`there is no state ${show(number)} of a trial`)
  return state
}

/** Values of a trial, including infinite ones. @throws RangeError */
function valuesOf(values: unknown): (number | null)[] | null {
  if (values === null) return null
  if (!Array.isArray(values)) throw rangeError(`values want to be numbers in an array, got ${show(values)}`)
  return values.map((value) => (value === null ? null : numberOf(value, 'value')))
}

function numberOf(value: unknown, what: string): number {
  if (typeof value !== 'number') throw rangeError(`a ${what} wants to be a number, got ${show(value)}`)
  return value
}

/** Sets values under names from a file: assigning to `__proto__` would change the prototype of an object. */
function setAll<T>(object: Record<string, T>, values: unknown): void {
  for (const [name, value] of Object.entries(Object(values)))
    Object.defineProperty(object, name, { value, enumerable: true, configurable: true, writable: true })
}

/** True if nothing more can happen to a trial. */
export function isOver(state: TrialState): boolean {
  return state === 'complete' || state === 'pruned' || state === 'failed'
}

/** A value as the journal has it: the index of a category. */
export function internal(range: ParameterRange, value: Choice): number {
  return range.kind === 'categorical' ? range.choices.indexOf(value) : Number(value)
}

function external(range: ParameterRange | undefined, value: unknown): Choice {
  if (range === undefined) throw rangeError('a parameter has no distribution')
  if (range.kind !== 'categorical') {
    if (Number.isFinite(value)) return value as number
    throw rangeError(`a parameter wants a finite number, got ${show(value)}`)
  }
  const choice = typeof value === 'number' ? range.choices[value] : undefined
  if (choice === undefined) throw rangeError(`a parameter wants the number of one of ${range.choices.length} choices, got ${show(value)}`)
  return choice
}

/** Texts of ranges: every trial contains all ranges of its study, so each is converted to text only once. */
const texts = new WeakMap<ParameterRange, string>()
const ranges = new Map<string, ParameterRange>()
/** Largest number of ranges that are kept: a foreign journal may have a different one in each entry. */
const RANGES = 10_000

/** A range as Optuna writes it, in JSON. */
export function rangeToJson(range: ParameterRange): string {
  const text = texts.get(range) ?? writtenRange(range)
  texts.set(range, text)
  return text
}

function writtenRange(range: ParameterRange): string {
  if (range.kind === 'categorical') return JSON.stringify({ name: 'CategoricalDistribution', attributes: { choices: range.choices } })
  const { low, high, log, step } = range
  return JSON.stringify({ name: range.kind === 'int' ? 'IntDistribution' : 'FloatDistribution', attributes: { log, step, low, high } })
}

/** The range in a text of {@link rangeToJson}. */
export function rangeFromJson(json: string): ParameterRange {
  const range = ranges.get(json) ?? readRange(json)
  if (ranges.size >= RANGES) ranges.clear()
  ranges.set(json, range)
  return range
}

function readRange(json: string): ParameterRange {
  const { name, attributes } = parseJson(json) as { name: string; attributes: Record<string, unknown> }
  const { low, high, log, step, q, choices } = attributes as {
    low: number
    high: number
    log?: boolean
    step?: number | null
    q?: number
    choices: Choice[]
  }
  if (name === 'CategoricalDistribution') {
    if (!Array.isArray(choices)) throw rangeError(`choices want to be an array, got ${show(choices)}`)
    return { kind: 'categorical', choices }
  }
  if (/^Int/.test(name)) return int(low, high, { log: log ?? name.includes('Log'), ...(log ? {} : { step: step ?? 1 }) })
  if (!/Float|Uniform/.test(name)) throw rangeError(`there is no distribution ${show(name)}`)
  const distance = step ?? q
  return float(low, high, { log: log ?? name.includes('Log'), ...(distance ? { step: distance } : {}) })
}

/** The ranges of a space, as a text that is equal for equal spaces. */
export function spaceToJson(space: Space): string {
  return JSON.stringify(
    Object.entries(space).map(([name, parameter]) => [
      name,
      rangeToJson(rangeOf(parameter)),
      ...(parameter.kind === 'when' ? [parameter.name, parameter.values] : []),
    ]),
  )
}

const NOT_FINITE: Readonly<Record<string, number>> = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
}

/** JSON as Python writes it, which has NaN and Infinity besides. @throws SyntaxError */
export function parseJson(text: string): unknown {
  if (!/NaN|Infinity/.test(text)) return JSON.parse(text)
  // a text without its closing quote extends to the end: to search again after each quote would take quadratic time
  const quoted = text.replace(/"(?:[^"\\]|\\[\s\S]?)*(?:"|$)|-?\bInfinity\b|\bNaN\b/g, (part) =>
    part[0] === '"' ? part : `"\\u0000${part}"`,
  )
  return JSON.parse(quoted, (_, value) => (typeof value === 'string' && value[0] === '\u0000' ? NOT_FINITE[value.slice(1)] : value))
}

/** The entries of texts after the first `from` of a journal. @throws Error naming the text that is not an entry */
export function entriesIn(texts: readonly string[], place: string, from: number, unit = 'entry'): Entry[] {
  return texts.map((text, i) => {
    try {
      return parseJson(text) as Entry
    } catch (error) {
      throw plainError(
        `${place}, ${unit} ${from + i + 1}: this is no JSON, so it is no journal of a study: ${visible(text.slice(0, 60))}`,
        {
          cause: error,
        },
      )
    }
  })
}

/** JSON as Python reads it, on one line. */
export function toJson(value: unknown): string {
  const text = JSON.stringify(value, (_, v) => (typeof v === 'number' && !Number.isFinite(v) ? `\u0000${v}` : v))
  return text.replace(/"\\u0000(NaN|-?Infinity)"/g, '$1')
}
