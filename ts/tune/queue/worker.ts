/** A worker of a queue of trials. */

import { clock } from '../../common/clock.js'
import { plainError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import { anything, count, handler, nonNegative, object, positive, readOptions, type Schema } from '../../common/options.js'
import { openStudy } from '../create-study.js'
import type { Os } from '../node.js'
import { workerPool } from '../parallel/pool.js'
import { LoadError, limitTime, type Runner, TrialTimeout, WorkerDied } from '../parallel/runner.js'
import type { Space } from '../space.js'
import type { StoredTrial } from '../storage/journal.js'
import { JournalLost, within } from '../storage/server.js'
import type { Study } from '../study.js'
import { isPruning } from '../trial.js'
import { type Connection, connect, handBack, type Job, type QueueWorker } from './bullmq.js'
import { checkedJob, type JobObjective, plainText, refusalName, type TrialJob } from './job.js'
import { type Allowed, allowedModule, pathOf, type WorkerModule } from './modules.js'
import { LivingSign } from './signs.js'

/** Options of {@link runWorker}. */
export interface WorkerOptions {
  /** Trials at once, each in a thread of its own. Default 1. */
  concurrency?: number
  /**
   * Modules that it may run, under the names that studies use: `{ 'objective.js': new URL('./objective.js', import.meta.url) }`. A job can name
   * nothing else. Default: none.
   */
  modules?: Readonly<Record<string, URL | string | WorkerModule>>
  /** Folder of further modules that it may run: a study names them by their path in the folder. Default: none. */
  folder?: URL | string
  /** Seconds without a sign of life after which others take over a trial of this worker, at the latest after a fifth more. Default 10. */
  lockSeconds?: number
  /** Seconds that a trial may take; the study may set less. Longer trials are ended, and fail. Default: no limit. */
  trialTime?: number
  /** Seconds to wait for the server if it is not there at the start. Default 0. */
  wait?: number
  /** Called when a trial begins and when it is over. */
  onTrial?: (trial: WorkerTrial) => void
  /** Called with messages for people, such as about an objective that cannot be loaded. Default: `console.warn`. */
  onMessage?: (text: string) => void
}

/** A trial that a worker has begun, or that is over. */
export interface WorkerTrial {
  study: string
  number: number
  /** 'left' is a trial that is handed back or stopped without a result. */
  state: 'begun' | 'complete' | 'pruned' | 'failed' | 'left'
  /** Why it failed or was left. */
  reason?: string
}

/** A worker that runs. */
export interface QueueWorkerHandle {
  /** Ends the worker: other workers take over its unfinished trials. */
  close(): Promise<void>
}

export const RUN_WORKER = {
  concurrency: { is: count, default: 1 },
  modules: { is: object, default: {} },
  folder: { is: anything },
  lockSeconds: { is: positive, default: 10 },
  trialTime: { is: positive },
  wait: { is: nonNegative, default: 0 },
  onTrial: { is: handler },
  onMessage: { is: handler },
} satisfies Schema<WorkerOptions>

/** Milliseconds after which a job that this worker cannot run is there for others again, and for itself. */
const HANDED_BACK = 300
/** Milliseconds between checks that running trials should continue. */
const LOOK = 1000
/** Seconds without a trial after which the threads of an objective end. */
const IDLE = 300
/** Largest number of objectives whose idle threads are kept: jobs may name the same objective with ever new options. */
const MAX_IDLE = 4
/** Seconds that a module may take to be loaded: it may read its data then. */
const LOADING = 600
/** The longest timer in seconds: used if there is no limit. */
const LONGEST = Math.floor((2 ** 31 - 1) / 1000)
/** Number of signs of life per `lockSeconds`, and of checks for silent workers. */
const SIGNS = 5
/** Milliseconds between attempts to reach a server that refuses connections. BullMQ's own are 15 s. */
const RETRY = 500
/** Number of times that a trial's worker may die before the trial fails: most workers die for other reasons. */
const STALLS = 20
/** Largest number of seconds that an end waits for trials to be handed back. */
const HAND_BACK = 5

/**
 * Takes trials from a queue on a server of Redis or PostgreSQL and runs them, until it is closed: `gradus tune worker redis://…` as a function. Any
 * number may run on any number of machines, with gradus, bullmq and ioredis or pg installed.
 *
 * It runs only the modules of `modules` and `folder`, whatever a job names, and only if they equal the study's to the byte. A job that it cannot run
 * goes back to the queue. The training runs in a thread, so that this one can send signs of life to the queue. If a worker dies, another runs its
 * trial again; its reports are kept, and a result is written once. Trials of a stopped study are ended.
 * @example
 * // const worker = await runWorker('redis://localhost:6379', { modules: { 'objective.js': './objective.js' }, concurrency: 2 })
 * // await worker.close()
 * @throws RangeError for options that do not fit; Error if a package, a module or the server is missing
 */
export async function runWorker(url: string, given: WorkerOptions = {}): Promise<QueueWorkerHandle> {
  const options = readOptions('runWorker', given, RUN_WORKER)
  const { wait, modules, folder } = options
  // mistakes in the modules are reported at the start
  for (const module of Object.values(modules)) await pathOf(typeof module === 'object' && 'module' in module ? module.module : module)
  const allowed = { modules, ...(folder !== undefined && { folder: await pathOf(folder) }) }
  const say = options.onMessage ?? ((text: string) => console.warn(`gradus: ${text}`))
  const connection = await patientConnection(url, wait, say)
  const { hostname } = await nodeModule<Os>('node:os')
  const worker = new Worker(connection, allowed, options, say, hostname())
  try {
    await worker.begin()
    return worker
  } catch (error) {
    await worker.close()
    throw error
  }
}

/** @throws the error of {@link connect}, after some seconds */
async function patientConnection(url: string, seconds: number, say: (text: string) => void): Promise<Connection> {
  const until = clock.now() + 1000 * seconds
  for (let isSaid = false; ; isSaid = true) {
    try {
      return await connect(url)
    } catch (error) {
      const { message } = error as Error
      if (clock.now() > until || !/Is the server running/.test(message)) throw error
      if (!isSaid && seconds > 1) say(`${message} Waiting for it up to ${Math.round(seconds)} s`)
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
  }
}

/** A trial at hand. */
interface AtHand {
  job: TrialJob
  study: Study
  opened: OpenStudy
  began: number
  /** True if its objective is loaded. */
  isBegun: boolean
  stop(reason: Error): void
}

/** Reason to stop a trial whose result is no longer wanted. */
class Unwanted extends Error {}
/** Reason to stop a trial that others will run. */
class Left extends Error {}

interface OpenStudy {
  study: Promise<Study>
  /** Number of running trials that write into the study. */
  uses: number
}

interface Pool {
  runner: Promise<Runner<Space>>
  hash: string
  uses: number
  timer?: ReturnType<typeof setTimeout>
}

class Worker implements QueueWorkerHandle {
  /** Studies by name: all are in the storage with the prefix of the queue. */
  private readonly studies = new Map<string, OpenStudy>()
  private readonly pools = new Map<string, Pool>()
  private readonly running = new Set<AtHand>()
  private readonly refused = new Map<string, string>()
  private readonly said = new Set<string>()
  private worker: QueueWorker | undefined
  private readonly sign: LivingSign
  private readonly timer: ReturnType<typeof setInterval>
  private isLooking = false
  private isClosing = false

  constructor(
    private readonly connection: Connection,
    private readonly allowed: Allowed,
    private readonly options: WorkerOptions & { concurrency: number; lockSeconds: number },
    private readonly say: (text: string) => void,
    private readonly host: string,
  ) {
    this.sign = new LivingSign(connection.signs, () => this.signNow(), say, connection.place)
    this.timer = setInterval(() => void this.look(), LOOK)
  }

  /** Takes jobs from now on. */
  async begin(): Promise<void> {
    const { concurrency, lockSeconds } = this.options
    this.worker = await this.connection.worker((job, token) => this.take(job, token), {
      concurrency,
      lockDuration: 1000 * lockSeconds,
      lockRenewTime: (1000 * lockSeconds) / SIGNS,
      stalledInterval: (1000 * lockSeconds) / SIGNS,
      maxStalledCount: STALLS,
      runRetryDelay: RETRY,
    })
  }

  async close(): Promise<void> {
    if (this.isClosing) return
    this.isClosing = true
    clearInterval(this.timer)
    // takes no further jobs; present jobs go back
    const closed = this.worker?.close() ?? Promise.resolve()
    for (const { stop } of this.running) stop(new Left('the worker is closed'))
    await within(HAND_BACK, closed)
    await this.sign.end()
    for (const { timer } of this.pools.values()) clearTimeout(timer)
    await Promise.all([...this.pools.values()].map(({ runner }) => endPool(runner)))
    await Promise.all([...this.studies.values()].map(closeStudy))
    await within(1, this.connection.close())
  }

  private signNow() {
    const running = [...this.running]
      .filter(({ isBegun }) => isBegun)
      .map(({ job, began }) => ({
        study: job.study,
        number: job.number,
        seconds: Math.round((clock.now() - began) / 1000),
      }))
    const refused = [...this.refused].map(([objective, reason]) => ({ objective, reason }))
    return {
      kind: 'worker' as const,
      host: this.host,
      pid: process.pid,
      concurrency: this.options.concurrency,
      running,
      refused,
      study: '',
      trials: 0,
    }
  }

  /** Stops trials whose results are no longer wanted. */
  private async look(): Promise<void> {
    if (this.isLooking || this.running.size === 0) return
    this.isLooking = true
    try {
      for (const study of new Set([...this.running].map((one) => one.study))) await study.sync()
      for (const { job, study, stop } of this.running) {
        const reason = study.stopReason(job.number)
        if (reason !== undefined) stop(new Unwanted(reason))
      }
    } catch {
      // the next trial that writes its result reports the mistake
    } finally {
      this.isLooking = false
    }
  }

  private sayOnce(text: string): void {
    if (this.said.has(text)) return
    // a text with a number in it would fill the memory
    if (this.said.size > 1000) this.said.clear()
    this.said.add(text)
    this.say(text)
  }

  /** A study in the server's present version. @throws Error if it is missing, or differs from the study that was read */
  private async studyOf(name: string): Promise<OpenStudy> {
    const { connection, studies } = this
    const opened = studies.get(name) ?? {
      study: openStudy({ storage: connection.storage(connection.prefix), name }),
      uses: 0,
    }
    studies.set(name, opened)
    try {
      const study = await opened.study
      // the sign of life says it
      study.onSilence = () => {}
      await study.sync()
      return opened
    } catch (error) {
      this.forget(name, opened)
      throw error
    }
  }

  /** Reopens a study for the next trial. The old one is closed when no trial uses it. */
  private forget(name: string, opened: OpenStudy): void {
    if (this.studies.get(name) === opened) this.studies.delete(name)
    if (opened.uses === 0) void closeStudy(opened)
  }

  /** The function that BullMQ calls: returns if the job is finished, throws if it is handed back or its worker died. */
  private async take(job: Job, token: string): Promise<void> {
    let checked: TrialJob
    try {
      checked = checkedJob(job.data)
      if (checked.prefix !== this.connection.prefix)
        throw plainError(`prefix wants to be ${this.connection.prefix}, which is that of this queue`)
    } catch (error) {
      return this.sayOnce(`a job of the queue is no trial, and is dropped: ${plainText((error as Error).message)}`)
    }
    if (this.isClosing) return await handBack(job, token, 0)
    const { study: name, number } = checked
    let opened: OpenStudy
    try {
      opened = await this.studyOf(name)
    } catch (error) {
      // the job is added again as long as a study waits for it
      return this.sayOnce(`trial ${number} of '${plainText(name)}' is dropped: ${plainText((error as Error).message)}`)
    }
    const study = await opened.study
    // the job was delivered again after its result was written, or its result is no longer wanted
    if (study.stopReason(number) !== undefined) return
    const limit = new AbortController()
    const atHand: AtHand = { job: checked, study, opened, began: clock.now(), isBegun: false, stop: (reason) => limit.abort(reason) }
    this.running.add(atHand)
    opened.uses++
    try {
      await this.run(atHand, limit)
    } catch (error) {
      if (error instanceof Unwanted) return this.tell(checked, 'left', error.message)
      this.tell(checked, 'left', (error as Error).message)
      if (error instanceof Refused) return await handBack(job, token, HANDED_BACK)
      if (error instanceof JournalLost) this.forget(name, opened)
      if (error instanceof Left || error instanceof JournalLost) return await handBack(job, token, 0)
      throw error
    } finally {
      this.running.delete(atHand)
      if (--opened.uses === 0 && this.studies.get(name) !== opened) void closeStudy(opened)
    }
  }

  private tell({ study, number }: TrialJob, state: WorkerTrial['state'], reason?: string): void {
    this.options.onTrial?.({ study: plainText(study), number, state, ...(reason !== undefined && { reason: plainText(reason) }) })
  }

  /** Runs a trial and writes its result. @throws Refused, Unwanted, Left, WorkerDied if it has none */
  private async run(atHand: AtHand, stopping: AbortController): Promise<void> {
    const { job, study } = atHand
    const { number, objective, trialTime } = job
    const { signal } = stopping
    const seconds = Math.min(trialTime ?? LONGEST, this.options.trialTime ?? LONGEST)
    const trial = study.onQueue(number)
    const end = async (outcome: Parameters<Study['tell']>[1], state: 'complete' | 'pruned' | 'failed', reason?: string) => {
      await this.write(atHand, outcome)
      this.tell(job, state, reason)
    }
    let isResult = false
    let endTime = () => {}
    try {
      trial.setAttribute('gradus:worker', `${this.host} ${process.pid}`)
      const onBegin = () => {
        atHand.isBegun = true
        void this.sign.show()
        this.tell(job, 'begun')
        endTime = limitTime(trial, seconds, stopping)
      }
      const value = await this.withPool(objective, signal, (runner) => runner.run(trial, signal, onBegin)).finally(() => endTime())
      study.checkOutcome(trial, value)
      isResult = true
      await end(value as number, 'complete')
    } catch (error) {
      if (isPruning(error)) return await end({ state: 'pruned' }, 'pruned')
      const { message = String(error), name } = Object(error) as Partial<Error>
      if (error instanceof TrialTimeout) return await end({ state: 'failed', error: message }, 'failed', message)
      // that a result could not be stored is not the fault of the trial: it is delivered again
      if (isResult || !atHand.isBegun || signal.aborted || isOfOthers(error)) throw error
      if (name !== 'NonFiniteError') study.noteFault(number)
      await end({ state: 'failed', error: message }, 'failed', message)
    }
  }

  /**
   * Writes the result of a trial; if the server has lost the end of the study, writes it again into the server's present version.
   * @throws JournalLost if the server now has another trial of this number, or none
   */
  private async write({ job, study, opened }: AtHand, outcome: Parameters<Study['tell']>[1]): Promise<void> {
    for (let own = study; ; ) {
      try {
        return await own.tell(job.number, outcome)
      } catch (error) {
        if (error instanceof JournalLost && own === study) {
          this.sayOnce(error.message)
          this.forget(job.study, opened)
          own = await (await this.studyOf(job.study)).study
          if (!haveSameParameters(study.all[job.number], own.all[job.number])) throw error
        } else {
          await own.sync()
          // another worker was faster
          if (own.isOver(job.number)) return
          throw error
        }
      }
    }
  }

  /** Runs work with threads that have loaded an objective. @throws Refused if this worker cannot run it */
  private async withPool<T>(objective: JobObjective, signal: AbortSignal, work: (runner: Runner<Space>) => Promise<T>): Promise<T> {
    const key = JSON.stringify(objective)
    const label = refusalName(objective)
    let pool: Pool | undefined
    try {
      pool = await this.poolFor(objective, key)
      const runner = await unlessStopped(pool.runner, signal)
      if (this.refused.delete(label)) void this.sign.show()
      return await work(runner)
    } catch (error) {
      // the signal that stopped the trial also stopped its loading
      if (signal.aborted && error === signal.reason) throw error
      if (pool && !(error instanceof LoadError)) throw error
      if (pool) this.drop(key, pool)
      const reason = plainText((error as Error).message.replace(/^optimize: /, ''))
      this.refused.set(label, reason)
      // drops the oldest of many: jobs may name anything
      if (this.refused.size > 100) this.refused.delete(this.refused.keys().next().value as string)
      this.sayOnce(`cannot run ${plainText(objective.name)}, and hands its trials back: ${reason}`)
      await within(1, this.sign.show())
      throw new Refused(reason)
    } finally {
      if (pool && --pool.uses === 0) this.rest(key, pool)
    }
  }

  /** Keeps unused threads for the next trial, for a limited time and for a few objectives. */
  private rest(key: string, pool: Pool): void {
    if (this.pools.get(key) !== pool) return this.drop(key, pool)
    clearTimeout(pool.timer)
    pool.timer = setTimeout(() => this.drop(key, pool), 1000 * IDLE)
    // the pool that was used last goes to the end
    this.pools.delete(key)
    this.pools.set(key, pool)
    const resting = [...this.pools].filter(([, { uses }]) => uses === 0)
    for (const [other, one] of resting.slice(0, -MAX_IDLE)) this.drop(other, one)
  }

  /** Threads with the objective's present version, or with the version that the study requires. */
  private async poolFor(objective: JobObjective, key: string): Promise<Pool> {
    const found = this.pools.get(key)
    // a thread keeps its version; if the study names no version, the file's present version counts
    if (found && objective.hash !== undefined) return used(found)
    const { file, version, options } = await allowedModule(objective, this.allowed)
    if (found?.hash === version.hash) return used(found)
    if (found) this.drop(key, found)
    const runner = workerPool(
      {
        ...{ module: await urlOfPath(file), name: plainText(objective.name) },
        ...(objective.factory !== undefined && { factory: objective.factory, options }),
      },
      { hash: version.hash, seconds: LOADING },
    )
    const pool = { runner, hash: version.hash, uses: 1 }
    this.pools.set(key, pool)
    // a failed start is tried again
    runner.catch(() => this.pools.get(key) === pool && this.pools.delete(key))
    return pool
  }

  /** Ends threads at once, or after the last trial that uses them. */
  private drop(key: string, pool: Pool): void {
    if (this.pools.get(key) === pool) this.pools.delete(key)
    if (pool.uses > 0) return
    clearTimeout(pool.timer)
    void endPool(pool.runner)
  }
}

/** Counts another trial that uses threads. */
function used(pool: Pool): Pool {
  pool.uses++
  return pool
}

/** A trial that this worker cannot run. */
class Refused extends Error {}

/** True if an error does not come from the objective. */
function isOfOthers(error: unknown): boolean {
  return error instanceof WorkerDied || error instanceof Refused || error instanceof JournalLost
}

/** The result of work. @throws the reason of a signal that stops it first */
async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let abort = () => {}
  const stopped = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort)
  })
  return await Promise.race([work, stopped]).finally(() => signal.removeEventListener('abort', abort))
}

async function endPool(runner: Promise<Runner<Space>>): Promise<void> {
  await runner.then((one) => one.close()).catch(() => {})
}

async function closeStudy({ study }: OpenStudy): Promise<void> {
  const closed = study.then((one) => one.close())
  await within(1, closed)
}

async function urlOfPath(file: string): Promise<URL> {
  return (await nodeModule<typeof import('node:url')>('node:url')).pathToFileURL(file)
}

function haveSameParameters(a: StoredTrial | undefined, b: StoredTrial | undefined): boolean {
  return a !== undefined && b !== undefined && JSON.stringify(a.parameters) === JSON.stringify(b.parameters)
}
