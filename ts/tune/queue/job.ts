/**
 * The contents of a queue: jobs, and signs of life of workers and of programs that run studies. Anyone who can reach the server may have written
 * them, so everything is checked before use.
 */
import { rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { visible } from '../../common/visible.js'
import { versionName } from '../parallel/module-version.js'

/** @internal a trial to be run */
export interface TrialJob {
  study: string
  /** Prefix of the study's keys in the storage, which is the queue's. */
  prefix: string
  number: number
  objective: JobObjective
  /** Seconds after which the trial has failed. */
  trialTime?: number
}

/** @internal the objective of a job: a name that a worker looks up among the modules that it was started with */
export interface JobObjective {
  name: string
  /** Hash of the module as the study has it; a worker with another version does not run it. Undefined if only workers have the module. */
  hash?: string
  factory?: string
  options?: unknown
}

/** @internal the sign of life of a process on the server */
export interface Sign {
  kind: 'worker' | 'study'
  host: string
  pid: number
  /** Trials at once, of a worker. */
  concurrency: number
  /** Trials that a worker runs. */
  running: { study: string; number: number; seconds: number }[]
  /** Objectives that a worker cannot run, with the reason. */
  refused: { objective: string; reason: string }[]
  /** Name of the running study, and the total number of its trials. */
  study: string
  trials: number
}

/** Largest number of characters of a name. */
const LONGEST_NAME = 1000
/** Largest number of characters of a text that is shown. */
const LONGEST_TEXT = 500
/** Largest number of entries of a list in a sign of life. */
const LONGEST_LIST = 1024
/** Largest time limit in seconds, as timers have 32 bits of milliseconds. */
const LONGEST_TIME = Math.floor((2 ** 31 - 1) / 1000)

/** @internal checks a job. @throws RangeError naming the mistake */
export function checkedJob(data: unknown): TrialJob {
  const { study, prefix, number, objective, trialTime } = objectOf(data, 'a job')
  const { name, hash, factory, options } = objectOf(objective, 'objective')
  if (hash !== undefined && !(typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash)))
    throw rangeError(`job: hash wants 64 hexadecimal digits, got ${show(hash)}`)
  if (!(Number.isSafeInteger(number) && (number as number) >= 0))
    throw rangeError(`job: number wants a whole number from 0, got ${show(number)}`)
  if (trialTime !== undefined && !(typeof trialTime === 'number' && trialTime > 0 && trialTime <= LONGEST_TIME))
    throw rangeError(`job: trialTime wants seconds from 0 to ${LONGEST_TIME}, got ${show(trialTime)}`)
  return {
    study: nameOf(study, 'study'),
    prefix: nameOf(prefix, 'prefix'),
    number: number as number,
    objective: {
      name: nameOf(name, 'name'),
      ...(hash !== undefined && { hash: hash as string }),
      ...(factory !== undefined && { factory: nameOf(factory, 'factory') }),
      ...(options !== undefined && { options }),
    },
    ...(trialTime !== undefined && { trialTime: trialTime as number }),
  }
}

/** @internal the sign of life in a text from the server; undefined for any other text */
export function signOf(text: string): Sign | undefined {
  try {
    const { kind, host, pid, concurrency, running, refused, study, trials } = objectOf(JSON.parse(text), 'a sign')
    if (kind !== 'worker' && kind !== 'study') return undefined
    return {
      kind,
      host: plainText(host, 100),
      pid: countOf(pid),
      concurrency: countOf(concurrency),
      running: listOf(running).map((one) => {
        const { study, number, seconds } = objectOf(one, 'a trial')
        return { study: plainText(study), number: countOf(number), seconds: countOf(seconds) }
      }),
      refused: listOf(refused).map((one) => {
        const { objective, reason } = objectOf(one, 'a refusal')
        return { objective: plainText(objective), reason: plainText(reason) }
      }),
      study: plainText(study),
      trials: countOf(trials),
    }
  } catch {
    return undefined
  }
}

/** @internal a foreign text for a terminal: without control characters, and shortened if it is long */
export function plainText(value: unknown, longest = LONGEST_TEXT): string {
  const text = typeof value === 'string' ? value : ''
  return visible(text.length > longest ? `${text.slice(0, longest)}…` : text)
}

function objectOf(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw rangeError(`job: ${what} wants to be an object, got ${show(value)}`)
  return value as Record<string, unknown>
}

function nameOf(value: unknown, what: string): string {
  if (typeof value === 'string' && value.length > 0 && value.length <= LONGEST_NAME) return value
  throw rangeError(`job: ${what} wants a text of 1 to ${LONGEST_NAME} characters, got ${show(value)}`)
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : 0
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value.slice(0, LONGEST_LIST) : []
}

/** @internal the name under which workers say that they cannot run an objective, and studies look for it */
export function refusalName({ name, hash }: JobObjective): string {
  return hash === undefined ? name : versionName(name, hash)
}

/** The objective of `gradus tune`, which every worker has for the tables that it was started with. */
const TABLE_MODULE = 'gradus:tune'

/** @internal the command of a worker that can run an objective */
export function workerCommand(place: string, objective: JobObjective): string {
  return `npx gradus tune worker ${place} ${optionFor(objective)}`
}

/** @internal the option of a worker that lets it run an objective */
export function optionFor({ name, options }: JobObjective): string {
  const isFile = (text: unknown) => typeof text === 'string' && /^[\w.-]+$/.test(text)
  const { file } = Object(options) as { file?: unknown }
  if (name === TABLE_MODULE) return `--table ./${isFile(file) ? file : 'table.csv'}`
  return isFile(name) ? `--module ./${name}` : '--module ./objective.js'
}
