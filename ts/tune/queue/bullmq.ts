/** What of BullMQ is used, and how it is loaded: it is an optional package, as are its clients of Redis and PostgreSQL. */
import { plainError, rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { loadPackage } from '../node.js'
import { postgresStore, whileAway } from '../storage/postgres.js'
import { connectRedis } from '../storage/redis.js'
import { serverOf } from '../storage/server.js'

/** @internal what is in a job: which trial of which study, and what runs it */
export interface TrialJob {
  study: string
  prefix: string
  number: number
  objective: { url: string; factory?: string; options?: unknown }
}

/** @internal */
export interface Job {
  data: TrialJob
  updateProgress(progress: object): Promise<void>
  getState(): Promise<string>
  failedReason?: string
  remove(): Promise<void>
}

/** @internal */
export interface Queue {
  add(name: string, data: TrialJob, options: object): Promise<Job>
  getJob(id: string): Promise<Job | undefined>
  close(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): void
}

/** @internal */
export interface QueueWorker {
  close(force?: boolean): Promise<void>
  on(event: 'error', listener: (error: Error) => void): void
}

interface BullMq {
  Queue: new (name: string, options: object, backend?: unknown) => Queue
  Worker: new (name: string, processor: Processor, options: object, backend?: unknown) => QueueWorker
  createPostgresBackend?: unknown
}

/** @internal */
export type Processor = (job: Job, token: string, signal?: AbortSignal) => Promise<unknown>

/** @internal BullMQ on the server of a URL */
export interface Connection {
  readonly prefix: string
  /** The storage of studies with a prefix, on the same server. */
  storage(prefix: string): string
  queue(): Queue
  worker(process: Processor, options: object): QueueWorker
  /** Does again what fails because the server is away, until it is back. */
  patiently<T>(work: () => Promise<T>): Promise<T>
  close(): void
}

/** @internal @throws RangeError for another kind of URL; Error where a package or the server is missing */
export async function connect(url: string): Promise<Connection> {
  const isPostgres = /^postgres(ql)?:\/\//.test(url)
  if (!isPostgres && !/^rediss?:\/\//.test(url))
    throw rangeError(`a queue wants the URL of a server, such as redis://localhost:6379 or postgres://localhost/studies, got ${show(url)}`)
  const module = await loadPackage<BullMq & { default?: BullMq }>('bullmq', 'a queue of trials wants')
  const bullmq = module.Queue ? module : (module.default as BullMq)
  const { server, prefix } = serverOf(url)
  const name = queueName(prefix)
  const withPrefix = (own: string) => {
    const storage = new URL(server)
    storage.searchParams.set('prefix', own)
    return storage.href
  }
  if (isPostgres) {
    const { createPostgresBackend } = bullmq
    if (createPostgresBackend === undefined) throw plainError('a queue on PostgreSQL wants BullMQ 6: run npm install bullmq@6')
    // says what is wrong with the server, and waits for nothing
    await (await postgresStore(server, prefix)).close?.()
    const connection = { connectionString: server, migrate: true }
    return {
      prefix,
      storage: withPrefix,
      queue: () => new bullmq.Queue(name, { connection }, createPostgresBackend),
      worker: (process, options) => new bullmq.Worker(name, process, { connection, ...options }, createPostgresBackend),
      patiently: whileAway,
      close() {},
    }
  }
  const redis = await connectRedis(server)
  return {
    prefix,
    storage: withPrefix,
    queue: () => new bullmq.Queue(name, { connection: redis }),
    worker: (process, options) => new bullmq.Worker(name, process, { connection: redis, ...options }),
    // its client waits by itself
    patiently: (work) => work(),
    close: () => redis.disconnect(),
  }
}

/** The name of the queue: one for all studies with a prefix */
function queueName(prefix: string): string {
  return `${prefix}-trials`.replaceAll(':', '-')
}

/** @internal a job is named by its trial, so that nobody adds it twice */
export function jobId(study: string, number: number): string {
  return `${study.replace(/[^\w-]/g, '-')}-trial-${number}`
}
