/** Runs trials on a queue: each is a job, which any worker anywhere may take and whose result the worker writes to the storage. */
import { clock } from '../../common/clock.js'
import { rangeError, typeError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import { show } from '../../common/show.js'
import type { Os } from '../node.js'
import { isModuleObjective, type ModuleObjective } from '../parallel/module-objective.js'
import { versionName, versionOf } from '../parallel/module-version.js'
import { LoadError, type Runner, TOLD, WorkerDied } from '../parallel/runner.js'
import type { Space } from '../space.js'
import type { JournalStore } from '../storage/journal.js'
import { openStore } from '../storage/open.js'
import { within } from '../storage/server.js'
import { withoutPassword } from '../storage/server-url.js'
import { type Connection, connect, type Job, jobId, type Queue } from './bullmq.js'
import { checkedJob, type JobObjective, plainText, refusalName, type Sign, workerCommand } from './job.js'
import { pathOf } from './modules.js'
import { LivingSign } from './signs.js'

/** Milliseconds between two readings of the storage: short after news, then longer and longer. */
const LOOK = { least: 10, most: 100 }
/** Milliseconds between checks that a job still exists. */
const ASK_EVERY = 2000
/** Seconds between messages that the queue cannot be reached yet. */
const CONNECTING = 5
/** Seconds without a running trial until a message says so, and seconds until the message is repeated. */
const WAITING = { first: 4, again: 6 }
/** Seconds without a worker that can run the objective after which the study ends. */
const HOPELESS = 5

/** @internal the methods of a study that a queue uses */
export interface QueuedStudy {
  readonly name: string
  readonly place: string
  sync(): Promise<void>
  isOver(number: number): boolean
  shouldPrune(number: number): boolean
  /** Writes a request to end a trial to the storage. */
  askToPrune(number: number): Promise<void>
  reportsOf(number: number): number
  readonly isDeleted: boolean
  /** Says in the storage that this process is there. */
  announce(): Promise<void>
  /** True if another store has this study, as this process announced it. */
  isIn(store: JournalStore): Promise<boolean>
}

/** @internal */
export interface QueueOptions {
  queue: string
  trials?: number
  trialTime?: number
  /** Tells a person. */
  say(text: string): void
}

interface Waiting {
  number: number
  resolve(outcome: unknown): void
  reject(error: unknown): void
  /** Reports that the pruner has seen. */
  seen: number
  isPruned: boolean
}

/** @internal @throws TypeError, RangeError for an objective that no worker could have, or a storage that no worker can reach */
export async function queueRunner<S extends Space>(study: QueuedStudy, objective: unknown, options: QueueOptions): Promise<Runner<S>> {
  const found = await objectiveOf(objective)
  const began = clock.now()
  // a server may accept the connection and then not answer
  const timer = setInterval(() => {
    options.say(`connecting to ${withoutPassword(options.queue)} for ${Math.round((clock.now() - began) / 1000)} s`)
  }, 1000 * CONNECTING)
  try {
    const connection = await connect(options.queue)
    try {
      await checkStorage(study, connection, options.queue)
      const { hostname } = await nodeModule<Os>('node:os')
      return new QueueRunner<S>(study, found, connection, await connection.queue(), options, hostname())
    } catch (error) {
      await connection.close()
      throw error
    }
  } finally {
    clearInterval(timer)
  }
}

/** Description of an objective in a job: its name and version, and the options of its factory. */
async function objectiveOf(objective: unknown): Promise<JobObjective> {
  if (typeof objective === 'function')
    throw typeError(
      `optimize: on a queue objective wants the URL of a module that exports it by default, got ${show(objective)}; write new URL('./objective.js', import.meta.url)`,
    )
  const { module, factory, options, name } = isModuleObjective(objective) ? objective : ({ module: objective } as ModuleObjective)
  const more = { ...(factory !== undefined && { factory, options }) }
  const text = module instanceof URL ? module.href : module
  if (/^(data|https?|node|blob):/.test(text))
    throw rangeError(`optimize: on a queue a module wants to be a file that workers have, too, got ${show(text)}`)
  // a name of the workers' own, such as my:objective
  if (/^[a-z][a-z\d+.-]+:/i.test(text) && !text.startsWith('file:')) return { name: name ?? text, ...more }
  const file = await pathOf(module)
  const { basename } = await nodeModule<typeof import('node:path')>('node:path')
  const { fileURLToPath } = await nodeModule<typeof import('node:url')>('node:url')
  const { hash } = await versionOf(file)
  // named as in the call, not by the target of a link
  return { name: name ?? basename(text.startsWith('file:') ? fileURLToPath(text) : text), hash, ...more }
}

/** @throws RangeError if the workers of a queue would not find the study */
async function checkStorage(study: QueuedStudy, connection: Connection, url: string): Promise<void> {
  await study.announce()
  const store = await openStore(connection.storage(connection.prefix))
  try {
    if (await study.isIn(store)) return
  } finally {
    await store.close?.()
  }
  throw rangeError(
    `optimize: queue wants the server that keeps the study, got ${connection.place} for a study in ${study.place === 'memory' ? 'memory' : study.place}, ` +
      `which workers cannot reach; write createStudy({ storage: ${url.includes('@') ? 'the URL of the queue' : show(url)} })`,
  )
}

class QueueRunner<S extends Space> implements Runner<S> {
  readonly version: string | undefined
  private readonly waiting = new Map<number, Waiting>()
  private readonly removals = new Set<Promise<unknown>>()
  private readonly sign: LivingSign
  private readonly tickTimer: ReturnType<typeof setInterval>
  private readonly said = new Set<string>()
  private timer: ReturnType<typeof setTimeout> | undefined
  private pause = LOOK.most
  private askAt = clock.now() + ASK_EVERY
  private isAsking = false
  /** Time at which a trial last ran at a worker, or ended. */
  private busyAt = clock.now()
  private sayAt = WAITING.first
  private hopelessSince: number | undefined
  private isTicking = false

  constructor(
    private readonly study: QueuedStudy,
    private readonly objective: JobObjective,
    private readonly connection: Connection,
    private readonly queue: Queue,
    private readonly options: QueueOptions,
    host: string,
  ) {
    this.version = objective.hash && versionName(objective.name, objective.hash)
    const sign: Sign = {
      ...{ kind: 'study', host, pid: process.pid, concurrency: 0, running: [], refused: [] },
      ...{ study: study.name, trials: options.trials ?? 0 },
    }
    // the storage may not answer although the queue does
    const show = async (id: string, own: Sign) => {
      await connection.signs.show(id, own)
      await study.sync()
    }
    this.sign = new LivingSign({ ...connection.signs, show }, () => sign, options.say, connection.place)
    this.tickTimer = setInterval(() => void this.tick(), 1000)
  }

  async run({ number }: { number: number }, signal: AbortSignal): Promise<unknown> {
    signal.throwIfAborted()
    const added = this.add(number)
    // reported once if the server does not answer while the study ends
    added.catch(() => {})
    return await new Promise((resolve, reject) => {
      const abort = () => {
        this.waiting.delete(number)
        this.remove(number)
        reject(signal.reason)
      }
      const settled =
        <T>(settle: (value: T) => void) =>
        (value: T) => {
          signal.removeEventListener('abort', abort)
          settle(value)
        }
      if (this.waiting.size === 0) this.busyAt = clock.now()
      const waiting = { number, resolve: settled(resolve), reject: settled(reject), seen: 0, isPruned: false }
      this.waiting.set(number, waiting)
      signal.addEventListener('abort', abort)
      added.then(
        () => this.watch(),
        (error) => {
          this.waiting.delete(number)
          waiting.reject(error)
        },
      )
    })
  }

  async close(): Promise<void> {
    clearTimeout(this.timer)
    clearInterval(this.tickTimer)
    await within(2, Promise.all(this.removals))
    await this.sign.end()
    await within(2, this.queue.close())
    await within(2, this.connection.close())
  }

  private add(number: number): Promise<unknown> {
    const { study, connection, objective, options } = this
    const job = {
      ...{ study: study.name, prefix: connection.prefix, number, objective },
      ...(options.trialTime !== undefined && { trialTime: options.trialTime }),
    }
    return connection.patiently(() => this.queue.add('trial', job, { jobId: jobId(study.name, number), removeOnComplete: true }))
  }

  /** Takes away the job of a trial that was stopped. A job that a worker is running stays: the worker sees in the storage that the trial was stopped. */
  private remove(number: number): void {
    const removal = this.queue
      .getJob(jobId(this.study.name, number))
      .then((job) => job?.remove())
      .catch(() => {})
      .finally(() => this.removals.delete(removal))
    this.removals.add(removal)
  }

  /** Checks all jobs at once. Polling continues meanwhile, as there may be hundreds of jobs, and the server may be far away. */
  private async askAfterAll(): Promise<void> {
    const { waiting, connection } = this
    if (this.isAsking) return
    this.isAsking = true
    try {
      await Promise.all(
        [...waiting.values()].map(async (trial) => {
          const { number } = trial
          const failure = await connection.patiently(() => this.askAfter(number))
          if (failure === undefined || waiting.get(number) !== trial) return
          waiting.delete(number)
          trial.reject(new WorkerDied(`the workers of trial ${number} died: ${failure}`))
        }),
      )
    } catch (error) {
      this.failBy(error)
    } finally {
      this.isAsking = false
    }
  }

  /** Adds a job again if it is gone without a result, for example because the server lost it. Removes a failed job, and returns its reason. */
  private async askAfter(number: number): Promise<string | undefined> {
    const job = await this.queue.getJob(jobId(this.study.name, number))
    if (job === undefined || this.isOld(job)) {
      // a job that a worker is running cannot be taken away
      const isGone = await Promise.resolve(job?.remove()).then(
        () => true,
        () => false,
      )
      // a job also disappears when its trial is over
      await this.study.sync()
      if (isGone && this.waiting.has(number) && !this.study.isOver(number)) await this.add(number)
      return undefined
    }
    if ((await job.getState()) !== 'failed') return undefined
    await job.remove()
    return plainText(job.failedReason ?? 'no reason')
  }

  /** True if a job belongs to an earlier run, with a version of the objective, or of gradus, that may no longer exist. */
  private isOld(job: Job): boolean {
    try {
      return refusalName(checkedJob(job.data).objective) !== refusalName(this.objective)
    } catch {
      return true
    }
  }

  private watch(): void {
    this.timer ??= setTimeout(async () => {
      try {
        this.pause = (await this.look()) ? LOOK.least : Math.min(LOOK.most, 2 * this.pause)
      } catch (error) {
        this.failBy(error)
      }
      this.timer = undefined
      if (this.waiting.size > 0) this.watch()
    }, this.pause)
  }

  private fail(error: unknown): void {
    for (const trial of this.waiting.values()) trial.reject(error)
    this.waiting.clear()
  }

  private failBy(error: unknown): void {
    this.fail(error instanceof LoadError ? error : new LoadError((error as Error).message, { cause: error }))
  }

  /** Reads the storage; true if there was news. */
  private async look(): Promise<boolean> {
    const { study, waiting } = this
    await study.sync()
    if (study.isDeleted) throw new LoadError(`optimize: the study '${study.name}' was deleted from ${study.place}`)
    let isNew = false
    if (clock.now() > this.askAt) {
      this.askAt = clock.now() + ASK_EVERY
      void this.askAfterAll()
    }
    for (const trial of waiting.values()) {
      const { number } = trial
      if (study.isOver(number)) {
        isNew = true
        waiting.delete(number)
        this.atHand()
        trial.resolve(TOLD)
        continue
      }
      const reports = study.reportsOf(number)
      if (reports > trial.seen && !trial.isPruned) {
        isNew = true
        trial.seen = reports
        trial.isPruned = study.shouldPrune(number)
        if (trial.isPruned) await study.askToPrune(number)
      }
    }
    return isNew
  }

  /** Notes that a trial ended now, or ran at a worker `age` seconds ago. */
  private atHand(age = 0): void {
    const at = clock.now() - 1000 * age
    if (at <= this.busyAt) return
    this.busyAt = at
    this.sayAt = WAITING.first
    this.hopelessSince = undefined
  }

  /** Every second looks for workers, and reports if the study waits for nothing. */
  private async tick(): Promise<void> {
    if (this.isTicking || this.waiting.size === 0) return
    this.isTicking = true
    try {
      const signs = await this.connection.signs.all()
      this.judge(signs.filter(({ kind }) => kind === 'worker'))
    } catch {
      // the sign of life of this process reports that the server is away
    } finally {
      this.isTicking = false
    }
  }

  private judge(workers: readonly (Sign & { age: number })[]): void {
    const { study, objective, waiting, options, connection } = this
    const label = plainText(refusalName(objective))
    const refusals = workers.flatMap(({ host, pid, refused }) =>
      refused.filter(({ objective }) => objective === label).map(({ reason }) => ({ who: `${host} (process ${pid})`, reason })),
    )
    for (const { who, reason } of refusals) {
      const text = `the worker on ${who} cannot run ${objective.name}, and hands its trials back: ${reason}`
      if (!this.said.has(text)) options.say(text)
      this.said.add(text)
    }
    const own = plainText(study.name)
    const ages = workers
      .filter(({ running }) => running.some(({ number, study: name }) => name === own && waiting.has(number)))
      .map(({ age }) => age)
    const now = clock.now()
    const isHopeless = workers.length > 0 && refusals.length === workers.length
    if (!isHopeless) this.hopelessSince = undefined
    else if (now - (this.hopelessSince ??= now) > 1000 * HOPELESS)
      return this.fail(
        new LoadError(
          `optimize: no worker can run ${objective.name}: ${refusals
            .map(({ reason }) => reason)
            .filter(isFirst)
            .slice(0, 3)
            .join('; ')}`,
        ),
      )
    // a worker that takes a trial only to hand it back does not count
    if (ages.length > 0 && !isHopeless) this.atHand(Math.min(...ages))
    const seconds = (now - this.busyAt) / 1000
    if (seconds < this.sayAt) return
    this.sayAt = seconds + WAITING.again
    const trials = `${waiting.size} trial${waiting.size > 1 ? 's' : ''} of '${study.name}' ${waiting.size > 1 ? 'wait' : 'waits'}, for ${Math.round(seconds)} s`
    if (workers.length === 0)
      options.say(`${trials}: there is no worker. Start one, on any machine: ${workerCommand(connection.place, objective)}`)
    else if (workers.every((one) => one.running.length >= one.concurrency))
      options.say(`${trials}: all ${workers.length} workers are busy with other trials`)
    else
      options.say(
        `${trials}: no worker has one at hand (${workers.length} there); those of a worker that died are given to others after its lock of some seconds`,
      )
  }
}

function isFirst<T>(value: T, i: number, all: readonly T[]): boolean {
  return all.indexOf(value) === i
}
