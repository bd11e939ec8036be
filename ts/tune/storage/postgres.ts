/** A journal in PostgreSQL, in the table gradus_journal: entry `number` of the journal `prefix`. */
import { plainError } from '../../common/errors.js'
import { loadPackage } from '../node.js'
import { type Entry, type JournalStore, parseJson, toJson } from './journal.js'
import { hasAll, KnownEntries, lostEntry, newEntries, remedyFor, withoutPassword } from './server.js'

/** What of the package pg is used. */
interface Connection {
  query(sql: string, values?: readonly unknown[]): Promise<{ rows: Record<string, unknown>[] }>
  release(error?: unknown): void
  on(event: 'error', listener: (error: Error) => void): void
  off(event: 'error', listener: (error: Error) => void): void
}

/** @internal */
export interface Pool {
  connect(): Promise<Connection>
  end(): Promise<void>
  on(event: 'error', listener: (error: Error) => void): void
}

type PoolClass = new (options: object) => Pool

/** The lock is held to the end of a transaction: one process at a time reads the end of a journal and appends to it. */
const LOCK = 'SELECT pg_advisory_xact_lock(hashtext($1))'
const READ = 'SELECT number, entry FROM gradus_journal WHERE prefix = $1 AND number >= $2 ORDER BY number'
const APPEND = 'INSERT INTO gradus_journal SELECT $1, $2 + place - 1, entry FROM unnest($3::text[]) WITH ORDINALITY AS added (entry, place)'
const TABLE =
  'CREATE TABLE IF NOT EXISTS gradus_journal (prefix text NOT NULL, number bigint NOT NULL, entry text NOT NULL, PRIMARY KEY (prefix, number))'

/** Milliseconds between attempts while the server is away. */
const WAIT = 200
/** Milliseconds for the first connection. */
const FIRST = 5000
/** Milliseconds without an answer after which a connection counts as broken, and another is made. */
const SILENT = 15_000
/** Milliseconds after which the server ends a transaction in which nothing happens: what it holds, all others wait for. */
const HOLDING = 5000

/**
 * @internal connections to the database of a URL, `postgres://host/database`, on which a query that has no answer fails after some seconds
 * @param table makes what is used
 * @throws Error where pg or the server is missing
 */
export async function connectPostgres(url: string, table: string): Promise<Pool> {
  const module = await loadPackage<{ Pool?: PoolClass; default: { Pool: PoolClass } }>('pg', 'studies in PostgreSQL want')
  const Client = module.Pool ?? module.default.Pool
  const pool = new Client({
    connectionString: url,
    max: 1,
    connectionTimeoutMillis: FIRST,
    query_timeout: SILENT,
    keepAlive: true,
    // the server takes the lock of one that is gone without a word
    idle_in_transaction_session_timeout: HOLDING,
  })
  pool.on('error', ignore) // a connection that was idle; the next query makes another
  try {
    await transaction(pool, async (connection) => {
      // two that make the same table at once would be in each other's way
      await connection.query(LOCK, ['gradus_journal'])
      await connection.query(table)
    })
  } catch (error) {
    await pool.end()
    const reason = reasonOf(error)
    throw plainError(`cannot reach PostgreSQL at ${withoutPassword(url)}: ${reason}${remedyFor(reason)}`, { cause: error })
  }
  return pool
}

/** @internal a store in the database of a URL; @throws Error where pg or the server is missing */
export async function postgresStore(url: string, prefix: string): Promise<JournalStore> {
  const pool = await connectPostgres(url, TABLE)
  const place = withoutPassword(url)
  const known = new KnownEntries(place)
  return {
    place,
    async transact(_, read, write) {
      let tried: string[] = []
      let isWritten = false
      return await whileAway(async () => {
        let added: string[] = []
        const answer = await transaction(pool, async (connection) => {
          await connection.query(LOCK, [prefix])
          const entriesFrom = async (from: number) => {
            const { rows } = await connection.query(READ, [prefix, from])
            return rows.map(({ number, entry }, i) => {
              if (Number(number) !== from + i) throw lostEntry(place, from + i, prefix)
              return entry as string
            })
          }
          const append = async (at: number, entries: readonly string[]) => {
            await connection.query(APPEND, [prefix, at, entries])
            return true
          }
          const { news, note } = await newEntries(known, { entriesFrom, append }, place)
          read(news.map((text) => parseJson(text) as Entry))
          note()
          isWritten ||= hasAll(news, tried)
          if (isWritten) return 'read' as const
          added = write().map(toJson)
          tried = added
          if (added.length > 0) await append(known.count, added)
          return undefined
        })
        known.add(added)
        return answer
      })
    },
    close: () => pool.end(),
  }
}

/** @internal */
export async function transaction<T>(pool: Pool, work: (connection: Connection) => Promise<T>): Promise<T> {
  const connection = await pool.connect()
  // one that ends between two queries; the next query fails
  connection.on('error', ignore)
  try {
    await connection.query('BEGIN')
    const result = await work(connection)
    await connection.query('COMMIT')
    connection.release()
    return result
  } catch (error) {
    // the connection is ended, and the transaction with it
    connection.release(error)
    throw error
  } finally {
    connection.off('error', ignore)
  }
}

function ignore(): void {}

/** @internal does again what failed because the server was away, until it is back */
export async function whileAway<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work()
    } catch (error) {
      if (!isAway(error)) throw error
      await new Promise((resolve) => setTimeout(resolve, WAIT))
    }
  }
}

/** Codes of Node, and of PostgreSQL: class 08 is the connection, 57P01 to 57P03 a server that stops or starts. */
function isAway(error: unknown): boolean {
  const { code = '', message = '' } = error as { code?: string; message?: string }
  return (
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|25P03|08\w{3}|57P0[123])$/.test(code) ||
    /Connection terminated|timeout exceeded|read timeout|timeout expired|idle-in-transaction/i.test(message)
  )
}

function reasonOf(error: unknown): string {
  const { message, errors } = error as { message: string; errors?: Error[] }
  return message !== '' ? message : (errors ?? []).map((one) => one.message).join(', ')
}
