/** A worker of a queue of trials. */

import { checkCount, checkPositive } from '../../common/checks.js'
import { clock } from '../../common/clock.js'
import { plainError } from '../../common/errors.js'
import { checkNames } from '../../common/names.js'
import { openStudy } from '../create-study.js'
import { load, type Os } from '../node.js'
import { workerPool } from '../parallel/pool.js'
import { LoadError, limitTime, type Runner, TrialTimeout, WorkerDied } from '../parallel/runner.js'
import type { Space } from '../space.js'
import type { StoredTrial } from '../storage/journal.js'
import { JournalLost } from '../storage/server.js'
import type { Study } from '../study.js'
import { isPruning } from '../trial.js'
import { type Connection, connect, handBack, type Job, type QueueWorker } from './bullmq.js'
import { checkedJob, type JobObjective, plainText, refusalName, type TrialJob } from './job.js'
import { type Allowed, allowedModule, pathOf, type WorkerModule } from './modules.js'
import { LivingSign, within } from './signs.js'

/** Options of {@link runWorker}. */
export interface WorkerOptions {
  /** Trials at once, each in a thread of its own. Default 1. */
  concurrency?: number
  /**
   * Modules that it may run, by the names that studies give them: `{ 'objective.js': new URL('./objective.js', import.meta.url) }`. A job can name
   * nothing else. Default: none.
   */
  modules?: Readonly<Record<string, URL | string | WorkerModule>>
  /** Folder of modules that it may run too: a study names them by their path in the folder. Default: none. */
  folder?: URL | string
  /** Seconds without a sign of life after which others take over a trial of this worker, a fifth more at most. Default 10. */
  lockSeconds?: number
  /** Seconds that a trial may take; the study may set less. Longer ones are ended, and have failed. Default: no limit. */
  trialTime?: number
  /** Seconds to wait for the server if it is not there at the start. Default 0. */
  wait?: number
  /** Called when a trial begins and when it is over. */
  onTrial?: (trial: WorkerTrial) => void
  /** Called with what a person should know, such as an objective that cannot be loaded. Default: `console.warn`. */
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
  /** Ends it: trials at hand are left to others. */
  close(): Promise<void>
}

const OPTIONS = ['concurrency', 'modules', 'folder', 'lockSeconds', 'trialTime', 'wait', 'onTrial', 'onMessage']
/** Milliseconds after which a job that this worker cannot run is there for others again, and for itself. */
const HANDED_BACK = 300
/** Milliseconds between looks at whether trials that run should go on. */
const LOOK = 1000
/** Seconds after which threads end whose objective no trial has wanted. */
const IDLE = 300
/** Seconds that a module may take to be loaded: it may read its data then. */
const LOADING = 600
/** Seconds of a timer at most: the limit where there is none. */
const LONGEST = Math.floor((2 ** 31 - 1) / 1000)
/** Signs of life in `lockSeconds`, and looks for workers that give none. */
const SIGNS = 5
/** Milliseconds between attempts to reach a server that refuses connections. BullMQ's own are 15 s. */
const RETRY = 500
/** How often a trial may take its worker with it before it has failed: most workers end for reasons of their own. */
const STALLS = 20
/** Seconds at most that an end waits for trials to be handed back. */
const HAND_BACK = 5

/**
 * Takes trials from a queue on a server of Redis or PostgreSQL and runs them, until it is closed: `gradus tune worker redis://…` as a
 * function. Any number may run on any number of machines, with gradus, bullmq and ioredis or pg installed.
 *
 * It runs the modules of `modules` and `folder` and nothing else, whatever a job names, and only if they are, to the byte, those of the study.
 * A job that it cannot run goes back to the queue. The training runs in a thread, so that this one tells the queue that it lives. A trial
 * whose worker dies is run again by another; what it reported is kept, and a result is written once. A trial of a study that was stopped is
 * ended.
 * @example
 * // const worker = await runWorker('redis://localhost:6379', { modules: { 'objective.js': './objective.js' }, concurrency: 2 })
 * // await worker.close()
 * @throws RangeError for options that do not fit; Error where a package, a module or the server is missing
 */
export async function runWorker(url: string, options: WorkerOptions = {}): Promise<QueueWorkerHandle> {
  checkNames('runWorker', options, OPTIONS)
  const { concurrency = 1, lockSeconds = 10, trialTime, wait = 0, modules = {}, folder } = options
  checkCount('runWorker: concurrency', concurrency)
  checkPositive('runWorker: lockSeconds', lockSeconds)
  if (trialTime !== undefined) checkPositive('runWorker: trialTime', trialTime)
  // what is wrong with the modules is said at the start
  for (const module of Object.values(modules)) await pathOf(typeof module === 'object' && 'module' in module ? module.module : module)
  const allowed = { modules, ...(folder !== undefined && { folder: await pathOf(folder) }) }
  const say = options.onMessage ?? ((text: string) => console.warn(`gradus: ${text}`))
  const connection = await patientConnection(url, wait, say)
  const { hostname } = await load<Os>('node:os')
  const worker = new Worker(connection, allowed, { ...options, concurrency, lockSeconds }, say, hostname())
  try {
    await worker.begin()
    return worker
  } catch (error) {
    await worker.close()
    throw error
  }
}

/** @throws what {@link connect} does, after some seconds */
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
  /** Whether its objective is loaded. */
  isBegun: boolean
  stop(reason: Error): void
}

/** Why a trial is stopped that nobody wants any more. */
class Unwanted extends Error {}
/** Why a trial is stopped that others are to run. */
class Left extends Error {}

interface OpenStudy {
  study: Promise<Study>
  /** Trials at hand that write into it. */
  uses: number
}

interface Pool {
  runner: Promise<Runner<Space>>
  hash: string
  uses: number
  timer?: ReturnType<typeof setTimeout>
}

class Worker implements QueueWorkerHandle {
  /** By name: all are in the storage with the prefix of the queue. */
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
    // no further jobs; those at hand go back
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

  /** Stops trials that nobody wants any more. */
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
      // the trial that tells its result next says what is wrong
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

  /** A study as the server has it now. @throws Error where it is not there, or is another than the one that was read */
  private async studyOf(name: string): Promise<OpenStudy> {
    const { connection, studies } = this
    const opened = studies.get(name) ?? {
      study: openStudy({ storage: connection.storage(connection.prefix), name }),
      uses: 0,
    }
    studies.set(name, opened)
    try {
      await (await opened.study).sync()
      return opened
    } catch (error) {
      this.forget(name, opened)
      throw error
    }
  }

  /** Opens a study anew for the next trial. This one is closed when no trial uses it. */
  private forget(name: string, opened: OpenStudy): void {
    if (this.studies.get(name) === opened) this.studies.delete(name)
    if (opened.uses === 0) void closeStudy(opened)
  }

  /** What BullMQ calls: returns if the job is done with, throws if it is handed back or its worker died. */
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
      // it is added again as long as somebody waits for it
      return this.sayOnce(`trial ${number} of '${plainText(name)}' is dropped: ${plainText((error as Error).message)}`)
    }
    const study = await opened.study
    // delivered again after its result was written, or nobody waits for it
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

  /** Runs a trial and writes what came of it. @throws Refused, Unwanted, Left, WorkerDied where it has no result */
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
   * Writes what came of a trial, again into the study as the server has it now where that has lost its end.
   * @throws JournalLost where the server has another trial of this number now, or none
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

  /** Does work with threads that have loaded an objective. @throws Refused where this worker cannot run it */
  private async withPool<T>(objective: JobObjective, signal: AbortSignal, work: (runner: Runner<Space>) => Promise<T>): Promise<T> {
    const key = JSON.stringify(objective)
    const label = refusalName(objective)
    let pool: Pool | undefined
    try {
      pool = await this.poolFor(objective, key)
      pool.uses++
      clearTimeout(pool.timer)
      const runner = await unlessStopped(pool.runner, signal)
      if (this.refused.delete(label)) void this.sign.show()
      return await work(runner)
    } catch (error) {
      // what stopped the trial stopped its loading, too
      if (signal.aborted && error === signal.reason) throw error
      if (pool && !(error instanceof LoadError)) throw error
      if (pool) this.endPoolOf(key, pool)
      const reason = plainText((error as Error).message.replace(/^optimize: /, ''))
      this.refused.set(label, reason)
      // the first of many: jobs may name whatever they like
      if (this.refused.size > 100) this.refused.delete(this.refused.keys().next().value as string)
      this.sayOnce(`cannot run ${plainText(objective.name)}, and hands its trials back: ${reason}`)
      await within(1, this.sign.show())
      throw new Refused(reason)
    } finally {
      if (pool && --pool.uses <= 0) pool.timer = setTimeout(() => this.endPoolOf(key, pool as Pool), 1000 * IDLE)
    }
  }

  /** Threads with the objective as it is now, or those that have loaded what the study wants. */
  private async poolFor(objective: JobObjective, key: string): Promise<Pool> {
    const found = this.pools.get(key)
    // what threads have loaded does not change; where the study names no version it is that of the file as it is now
    if (found && objective.hash !== undefined) return found
    const { file, version, options } = await allowedModule(objective, this.allowed)
    if (found?.hash === version.hash) return found
    if (found) this.pools.delete(key)
    const runner = workerPool(
      {
        ...{ module: await urlOfPath(file), name: plainText(objective.name) },
        ...(objective.factory !== undefined && { factory: objective.factory, options }),
      },
      { hash: version.hash, seconds: LOADING },
    )
    const pool = { runner, hash: version.hash, uses: 0 }
    this.pools.set(key, pool)
    // to be tried again
    runner.catch(() => this.pools.get(key) === pool && this.pools.delete(key))
    return pool
  }

  private endPoolOf(key: string, pool: Pool): void {
    if (this.pools.get(key) === pool) this.pools.delete(key)
    if (pool.uses <= 0) void endPool(pool.runner)
  }
}

/** A trial that this worker cannot run. */
class Refused extends Error {}

/** Whether an error is none of the objective. */
function isOfOthers(error: unknown): boolean {
  return error instanceof WorkerDied || error instanceof Refused || error instanceof JournalLost
}

/** What work makes. @throws the reason of a signal that stops it first */
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
  await within(
    1,
    study.then((one) => one.close()),
  )
}

async function urlOfPath(file: string): Promise<URL> {
  return (await load<typeof import('node:url')>('node:url')).pathToFileURL(file)
}

function haveSameParameters(a: StoredTrial | undefined, b: StoredTrial | undefined): boolean {
  return a !== undefined && b !== undefined && JSON.stringify(a.parameters) === JSON.stringify(b.parameters)
}
