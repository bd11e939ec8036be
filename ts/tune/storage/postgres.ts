/** A journal in PostgreSQL, in the table gradus_journal: entry `number` of the journal `prefix`. */
import { plainError } from '../../common/errors.js'
import { loadPackage } from '../node.js'
import type { JournalStore } from './journal.js'
import { lostEntry, serverStore } from './server.js'
import { remedyFor, withoutPassword } from './server-url.js'

interface Answer {
  rows: Record<string, unknown>[]
  rowCount: number | null
}

/** The used parts of the package pg. */
interface Connection {
  query(sql: string, values?: readonly unknown[]): Promise<Answer>
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

/** Lock that is held while a table is created: two processes that create the same table at once would get an error. */
const LOCK = "SELECT pg_advisory_xact_lock(hashtext('gradus_journal'))"
const READ = 'SELECT number, entry FROM gradus_journal WHERE prefix = $1 AND number >= $2 ORDER BY number'
/** Appends unless others have appended since. If two statements run simultaneously, the primary key makes one of them fail. */
const APPEND =
  'INSERT INTO gradus_journal SELECT $1::text, $2::bigint + place - 1, entry FROM unnest($3::text[]) WITH ORDINALITY AS added (entry, place) ' +
  'WHERE $2::bigint = (SELECT coalesce(max(number) + 1, 0) FROM gradus_journal WHERE prefix = $1::text)'
const TABLE =
  'CREATE TABLE IF NOT EXISTS gradus_journal (prefix text NOT NULL, number bigint NOT NULL, entry text NOT NULL, PRIMARY KEY (prefix, number))'

/** Milliseconds between attempts while the server is away. */
const WAIT = 200
/** Milliseconds for the first connection. */
const FIRST = 5000
/** Milliseconds without an answer after which a connection counts as broken, and another is made. */
const SILENT = 15_000
/** @internal options of a pool that does not wait for ever on a connection that is cut off */
export const POOL = { connectionTimeoutMillis: FIRST, query_timeout: SILENT, keepAlive: true }

/**
 * @internal connections to the database of a URL, `postgres://host/database`. A query without an answer fails after some seconds
 * @param table creates the table
 * @throws Error if pg or the server is missing
 */
export async function connectPostgres(url: string, table: string): Promise<Pool> {
  const module = await loadPackage<{ Pool?: PoolClass; default: { Pool: PoolClass } }>('pg', 'studies in PostgreSQL want')
  const Client = module.Pool ?? module.default.Pool
  const pool = new Client({ ...POOL, connectionString: url, max: 1 })
  pool.on('error', ignore) // a connection that was idle; the next query makes another
  try {
    // both statements are sent at once, and are one transaction on the server
    await query(pool, `${LOCK}; ${table}`)
  } catch (error) {
    await pool.end()
    const reason = reasonOf(error)
    throw plainError(`cannot reach PostgreSQL at ${withoutPassword(url)}: ${reason}${remedyFor(reason)}`, { cause: error })
  }
  return pool
}

/** @internal a store in the database of a URL; @throws Error if pg or the server is missing */
export async function postgresStore(url: string, prefix: string): Promise<JournalStore> {
  const pool = await connectPostgres(url, TABLE)
  const place = withoutPassword(url)
  return serverStore(
    place,
    {
      async entriesFrom(from) {
        const { rows } = await whileAway(() => query(pool, READ, [prefix, from]))
        return rows.map(({ number, entry }, i) => {
          if (Number(number) !== from + i) throw lostEntry(place, from + i, prefix)
          return entry as string
        })
      },
      async append(at, entries) {
        try {
          return (await whileAway(() => query(pool, APPEND, [prefix, at, entries]))).rowCount !== 0
        } catch (error) {
          if (isTaken(error)) return false
          throw error
        }
      },
    },
    () => pool.end(),
  )
}

/**
 * @internal runs a statement, or several without values. The server completes it whatever happens to this process: a transaction that waits for its
 *   client would block all other clients while a machine is cut off
 */
export async function query(pool: Pool, sql: string, values?: readonly unknown[]): Promise<Answer> {
  const connection = await pool.connect()
  // an idle connection that breaks must not end the process; the next query fails
  connection.on('error', ignore)
  try {
    const answer = await connection.query(sql, values)
    connection.release()
    return answer
  } catch (error) {
    // a connection that may be broken is closed
    connection.release(isTaken(error) ? undefined : error)
    throw error
  } finally {
    connection.off('error', ignore)
  }
}

/** True if another process was faster: its row has the number, or a server that is set to serialize says so. */
function isTaken(error: unknown): boolean {
  return /^(23505|40001)$/.test((error as { code?: string }).code ?? '')
}

function ignore(): void {}

/** @internal repeats work that failed because the server was away, until it is back */
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
    /^(ECONNREFUSED|ECONNRESET|EPIPE|ENOENT|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|08\w{3}|57P0[123])$/.test(code) ||
    /Connection terminated|timeout exceeded|read timeout|timeout expired/i.test(message)
  )
}

function reasonOf(error: unknown): string {
  const { message, errors } = error as { message: string; errors?: Error[] }
  return message !== '' ? message : (errors ?? []).map((one) => one.message).join(', ')
}
