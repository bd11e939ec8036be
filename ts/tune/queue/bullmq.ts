/** The used parts of BullMQ, and loading it: it is an optional package, as are its clients of Redis and PostgreSQL. */
import { plainError, rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { loadPackage } from '../node.js'
import { connectPostgres, POOL, whileAway } from '../storage/postgres.js'
import { connectRedis } from '../storage/redis.js'
import { within } from '../storage/server.js'
import { serverOf, withoutPassword } from '../storage/server-url.js'
import type { TrialJob } from './job.js'
import { postgresSigns, redisSigns, SIGNS_TABLE, type Signs } from './signs.js'

/** Milliseconds that a statement of BullMQ may take: a single one creates all its tables. */
const MIGRATION = 60_000

/** @internal a job; its data may be anybody's */
export interface Job {
  data: unknown
  getState(): Promise<string>
  failedReason?: string
  remove(): Promise<void>
  moveToDelayed(time: number, token: string): Promise<void>
}

interface Part {
  waitUntilReady(): Promise<unknown>
  close(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): void
}

/** @internal */
export interface Queue extends Part {
  add(name: string, data: TrialJob, options: object): Promise<Job>
  getJob(id: string): Promise<Job | undefined>
  getJobCounts(...states: string[]): Promise<Record<string, number>>
}

/** @internal */
export interface QueueWorker extends Part {
  run(): Promise<void>
}

interface BullMq {
  Queue: new (name: string, options: object, backend?: unknown) => Queue
  Worker: new (name: string, processor: Processor, options: object, backend?: unknown) => QueueWorker
  createPostgresBackend?: unknown
}

/** @internal */
export type Processor = (job: Job, token: string) => Promise<unknown>

/** @internal BullMQ on the server of a URL */
export interface Connection {
  readonly prefix: string
  /** The server as a command would name it, its password left out. */
  readonly place: string
  /** The storage of studies with a prefix, on the same server. */
  storage(prefix: string): string
  queue(): Promise<Queue>
  /** Takes jobs from now on. */
  worker(process: Processor, options: object): Promise<QueueWorker>
  /** Repeats work that fails because the server is away, until it is back. */
  patiently<T>(work: () => Promise<T>): Promise<T>
  readonly signs: Signs
  close(): Promise<void>
}

/**
 * @internal gives a job back to the queue, where any worker may take it after some milliseconds.
 * @throws the error that a processor has to throw then
 */
export async function handBack(job: Job, token: string, after: number): Promise<never> {
  await job.moveToDelayed(Date.now() + after, token)
  // by this name BullMQ knows that the job is not finished, but was put back into the queue
  throw Object.assign(plainError('handed back'), { name: 'DelayedError' })
}

/** @internal @throws RangeError for another kind of URL; Error if a package or the server is missing */
export async function connect(url: string): Promise<Connection> {
  const isPostgres = /^postgres(ql)?:\/\//.test(url)
  if (!isPostgres && !/^rediss?:\/\//.test(url))
    throw rangeError(`a queue wants the URL of a server, such as redis://localhost:6379 or postgres://localhost/studies, got ${show(url)}`)
  const module = await loadPackage<BullMq & { default?: BullMq }>('bullmq', 'a queue of trials wants')
  const bullmq = module.Queue ? module : (module.default as BullMq)
  const { server, prefix } = serverOf(url)
  const name = queueName(prefix)
  const shared = {
    prefix,
    place: withoutPassword(url),
    storage(own: string) {
      const storage = new URL(server)
      storage.searchParams.set('prefix', own)
      return storage.href
    },
  }
  if (isPostgres) {
    const { createPostgresBackend } = bullmq
    if (createPostgresBackend === undefined) throw plainError('a queue on PostgreSQL wants BullMQ 6: run npm install bullmq@6')
    const pool = await connectPostgres(server, SIGNS_TABLE)
    const connection = { ...POOL, query_timeout: MIGRATION, connectionString: server, migrate: true }
    return {
      ...shared,
      queue: () => ready(() => new bullmq.Queue(name, { connection }, createPostgresBackend)),
      worker: (process, options) =>
        running(() => new bullmq.Worker(name, process, { connection, autorun: false, ...options }, createPostgresBackend)),
      patiently: whileAway,
      signs: postgresSigns(pool, prefix),
      close: () => pool.end(),
    }
  }
  const redis = await connectRedis(server)
  return {
    ...shared,
    queue: () => ready(() => new bullmq.Queue(name, { connection: redis })),
    worker: (process, options) => running(() => new bullmq.Worker(name, process, { connection: redis, autorun: false, ...options })),
    // its client waits without help
    patiently: (work) => work(),
    signs: redisSigns(redis, prefix),
    close: async () => redis.disconnect(),
  }
}

/**
 * @internal a part of BullMQ that has reached its server. A part that was made while the server was away would never do anything, so it is made
 *   again.
 */
export async function ready<T extends Part>(make: () => T): Promise<T> {
  return await whileAway(async () => {
    const part = make()
    part.on('error', () => {}) // from then on it reconnects automatically
    try {
      await part.waitUntilReady()
      return part
    } catch (error) {
      await within(2, part.close())
      throw error
    }
  })
}

async function running(make: () => QueueWorker): Promise<QueueWorker> {
  const worker = await ready(make)
  worker.run().catch(() => {})
  return worker
}

/** The name of the queue, which all studies with a prefix share */
function queueName(prefix: string): string {
  return `${idOf(prefix)}-trials`
}

/** @internal a job is named after its trial, so that no trial is added twice */
export function jobId(study: string, number: number): string {
  return `${idOf(study)}-trial-${number}`
}

/** A name without colons, which BullMQ keeps for itself. Different names stay different. */
function idOf(name: string): string {
  return name.replace(/[^a-zA-Z0-9-]/g, (c) => `_${c.charCodeAt(0).toString(16)}_`)
}
