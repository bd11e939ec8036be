/**
 * A journal in Redis, with the keys of Optuna's JournalRedisBackend: `<prefix>:log_number`, the number of the last entry, and
 * `<prefix>:log:<i>`, entry i from 0.
 */
import { plainError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { loadPackage } from '../node.js'
import type { JournalStore } from './journal.js'
import { lostEntry, serverStore, within } from './server.js'
import { remedyFor, withoutPassword } from './server-url.js'

/** The used parts of ioredis. */
export interface Redis {
  get(key: string): Promise<string | null>
  mget(...keys: string[]): Promise<(string | null)[]>
  eval(script: string, keys: number, ...values: (string | number)[]): Promise<unknown>
  connect(): Promise<void>
  quit(): Promise<unknown>
  disconnect(): void
  on(event: 'error', listener: (error: Error) => void): void
  on(event: 'end', listener: () => void): void
  /** BullMQ's connections are duplicates of ours. */
  duplicate(options?: object): Redis
  /** Private in ioredis: fires when the server has been silent for `socketTimeout`. */
  socketTimeoutTimer?: ReturnType<typeof setTimeout>
}

type RedisClass = new (url: string, options: object) => Redis

/** Appends unless others have appended since; returns 1 if it did. */
const APPEND = `
local key = ARGV[1] .. ':log_number'
local last = tonumber(redis.call('get', key) or '-1')
if last ~= tonumber(ARGV[2]) - 1 then return 0 end
for i = 3, #ARGV do
  last = last + 1
  redis.call('set', ARGV[1] .. ':log:' .. string.format('%d', last), ARGV[i])
end
redis.call('set', key, string.format('%d', last))
return 1`

/** Milliseconds without an answer after which a connection counts as broken, and another is made. Workers of BullMQ wait for 5 s. */
const SILENT = 15_000
/** Seconds that the end waits for a server that does not answer. */
const QUITTING = 2
/** Number of entries per request. */
const AT_ONCE = 1000

/** @internal a store in the database of a URL, `redis://host:6379/0`; @throws Error if ioredis or the server is missing */
export async function redisStore(url: string, prefix: string): Promise<JournalStore> {
  const redis = await connectRedis(url)
  const place = withoutPassword(url)

  async function entriesFrom(from: number): Promise<string[]> {
    const text = await redis.get(`${prefix}:log_number`)
    const last = Number(text ?? -1)
    if (!Number.isSafeInteger(last)) throw plainError(`${place}: ${prefix}:log_number wants the number of an entry, got ${show(text)}`)
    const entries: string[] = []
    for (let at = from; at <= last; at += AT_ONCE) {
      const keys = Array.from({ length: Math.min(AT_ONCE, last - at + 1) }, (_, i) => `${prefix}:log:${at + i}`)
      for (const [i, text] of (await redis.mget(...keys)).entries()) {
        // the entry disappeared in between, and so did all others
        if (text === null && (await redis.get(`${prefix}:log_number`)) !== String(last)) return await entriesFrom(from)
        if (text === null) throw lostEntry(place, at + i, prefix)
        entries.push(text)
      }
    }
    return entries
  }

  const append = async (at: number, entries: readonly string[]) => (await redis.eval(APPEND, 0, prefix, at, ...entries)) === 1

  return serverStore(place, { entriesFrom, append }, async () => {
    await within(QUITTING, redis.quit())
    redis.disconnect()
  })
}

/** @internal the client for a URL, connected; it reconnects automatically when the server returns */
export async function connectRedis(url: string): Promise<Redis> {
  const module = await loadPackage<{ Redis?: RedisClass; default: RedisClass }>('ioredis', 'studies in Redis want')
  const Client = module.Redis ?? module.default
  const redis = endingAtOnce(
    new Client(url, {
      lazyConnect: true,
      maxRetriesPerRequest: null,
      retryStrategy: (n: number) => Math.min(50 * n, 1000),
      socketTimeout: SILENT,
    }),
  )
  let last: Error | undefined
  redis.on('error', (error) => {
    last = error
  })
  const timeout = new Promise<never>((_, reject) => {
    setTimeout(() => reject(plainError('no answer within 5 s')), 5000).unref?.()
  })
  try {
    await Promise.race([redis.connect(), timeout])
  } catch (error) {
    redis.disconnect()
    const reason = (last ?? (error as Error)).message
    throw plainError(`cannot reach Redis at ${withoutPassword(url)}: ${reason}${remedyFor(reason, ' (redis-server)')}`, { cause: error })
  }
  return redis
}

/**
 * Clears the timer of a silent server when a connection ends, as ioredis does not if a command is waiting, as a worker's always is: the process would
 * go on for {@link SILENT}.
 */
function endingAtOnce(redis: Redis): Redis {
  redis.on('end', () => clearTimeout(redis.socketTimeoutTimer))
  const { duplicate } = redis
  redis.duplicate = (options) => endingAtOnce(duplicate.call(redis, options))
  return redis
}
