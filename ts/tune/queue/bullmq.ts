/** What of BullMQ is used, and how it is loaded: it is an optional package, as is its client of Redis. */
import { rangeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { loadPackage } from '../node.js'
import { connectRedis, type Redis } from '../storage/redis.js'

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
  Queue: new (name: string, options: object) => Queue
  Worker: new (name: string, processor: (job: Job, token: string, signal?: AbortSignal) => Promise<unknown>, options: object) => QueueWorker
}

/** @internal a queue of trials: its URL and name, and the client that it uses */
export interface Connection {
  bullmq: BullMq
  redis: Redis
  prefix: string
  /** The URL of the storage, without options. */
  url: string
}

/** @internal @throws RangeError for another kind of URL; Error where a package or the server is missing */
export async function connect(url: string): Promise<Connection> {
  if (!/^rediss?:\/\//.test(url))
    throw rangeError(`a queue wants the URL of a server of Redis, such as redis://localhost:6379, got ${show(url)}`)
  const bullmq = await loadPackage<BullMq & { default?: BullMq }>('bullmq', 'a queue of trials wants')
  const parsed = new URL(url)
  const prefix = parsed.searchParams.get('prefix') ?? 'gradus'
  parsed.search = ''
  const redis = await connectRedis(parsed.href)
  return { bullmq: bullmq.Queue ? bullmq : (bullmq.default as BullMq), redis, prefix, url: parsed.href }
}

/** @internal the name of the queue: one for all studies with a prefix */
export function queueName(prefix: string): string {
  return `${prefix}-trials`.replaceAll(':', '-')
}

/** @internal a job is named by its trial, so that nobody adds it twice */
export function jobId(study: string, number: number): string {
  return `${study.replace(/[^\w-]/g, '-')}-trial-${number}`
}
