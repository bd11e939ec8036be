/** A journal in a table of SQLite: by Node's own `node:sqlite`, else by the package node-sqlite3-wasm. */
import { plainError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import { type Fs, loadPackage, type Os } from '../node.js'
import { reasonOf } from './disk.js'
import { FileLock } from './file-lock.js'
import { entriesIn, type JournalStore, toJson } from './journal.js'

/** Version of the tables; a file with another version is refused. */
const VERSION = '1'

/** The common interface of both libraries. */
interface Database {
  exec(sql: string): void
  all(sql: string, values: readonly (string | number)[]): Record<string, unknown>[]
  run(sql: string, values: readonly (string | number)[]): void
  close(): void
}

/** @internal @throws Error if there is no SQLite, or the file belongs to another program */
export async function sqliteStore(path: string): Promise<JournalStore> {
  const [fs, os] = await Promise.all([nodeModule<Fs>('node:fs'), nodeModule<Os>('node:os')])
  const lock = new FileLock(fs, `${path}-gradus`, os.hostname())
  const database = await locked(lock, () => openDatabase(path, fs))
  let isClosed = false
  return {
    place: path,
    async transact(from, read, write) {
      await locked(lock, () => {
        database.exec('BEGIN IMMEDIATE')
        try {
          const [{ last }] = database.all('SELECT max(id) AS last FROM gradus_journal', [])
          if (Number(last ?? 0) < from) throw plainError(`${path} has become shorter: was it replaced? Open the study anew`)
          const rows = database.all('SELECT entry FROM gradus_journal WHERE id > ? ORDER BY id', [from])
          const entries = rows.map(({ entry }) => String(entry))
          read(entriesIn(entries, path, from))
          for (const entry of write()) database.run('INSERT INTO gradus_journal (entry) VALUES (?)', [toJson(entry)])
          database.exec('COMMIT')
        } catch (error) {
          try {
            database.exec('ROLLBACK')
          } catch {
            // SQLite has already rolled the transaction back
          }
          if (/full|I\/O/i.test((error as Error).message))
            throw plainError(`cannot write to the study in ${path}: ${reasonOf(error, path, fs)}. What was told before is safe`, {
              cause: error,
            })
          throw error
        }
      })
      return undefined
    },
    close() {
      if (!isClosed) database.close()
      isClosed = true
    },
  }
}

/** One process at a time: SQLite compiled to WebAssembly uses other locks than Node's SQLite. */
async function locked<T>(lock: FileLock, work: () => T | Promise<T>): Promise<T> {
  await lock.acquire()
  try {
    return await work()
  } finally {
    lock.release()
  }
}

async function openDatabase(path: string, fs: Fs): Promise<Database> {
  let database: Database | undefined
  try {
    database = await connect(path, fs)
    const tables = database.all("SELECT name FROM sqlite_master WHERE type = 'table'", []).map(({ name }) => String(name))
    if (tables.includes('alembic_version'))
      throw plainError(
        `${path} is a database of Optuna's own storage, which gradus does not write; share a journal file with Optuna instead, such as study.log`,
      )
    if (tables.length > 0 && !tables.includes('gradus_meta'))
      throw plainError(`${path} is a database of something else: ${tables.join(', ')}; name another file`)
    if (tables.length === 0) {
      database.exec('BEGIN IMMEDIATE')
      database.exec('CREATE TABLE gradus_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)')
      database.exec('CREATE TABLE gradus_journal (id INTEGER PRIMARY KEY AUTOINCREMENT, entry TEXT NOT NULL)')
      database.run("INSERT INTO gradus_meta VALUES ('version', ?)", [VERSION])
      database.exec('COMMIT')
    }
    const [version] = database.all("SELECT value FROM gradus_meta WHERE name = 'version'", [])
    if (version?.value !== VERSION)
      throw plainError(
        `${path} was written by another version of gradus: its storage has version ${String(version?.value)}, this one reads ${VERSION}; use that version, or a new file`,
      )
    return database
  } catch (error) {
    database?.close()
    const { message } = error as Error
    throw message.startsWith(path) || message.includes('node-sqlite3-wasm')
      ? error
      : plainError(`cannot open the study in ${path}: ${message}`, { cause: error })
  }
}

interface NativeStatement {
  all(...values: unknown[]): Record<string, unknown>[]
  run(...values: unknown[]): unknown
}
interface NativeDatabase {
  exec(sql: string): void
  prepare(sql: string): NativeStatement
  close(): void
}
interface WasmDatabase {
  exec(sql: string): void
  all(sql: string, values: unknown[]): Record<string, unknown>[]
  run(sql: string, values: unknown[]): unknown
  close(): void
}

async function connect(path: string, fs: Fs): Promise<Database> {
  const native = await nativeSqlite()
  if (native) {
    const database = new native(path)
    database.exec('PRAGMA journal_mode = PERSIST; PRAGMA synchronous = NORMAL')
    const statements = new Map<string, NativeStatement>()
    const prepared = (sql: string) => {
      const statement = statements.get(sql) ?? database.prepare(sql)
      statements.set(sql, statement)
      return statement
    }
    return {
      exec: (sql) => database.exec(sql),
      all: (sql, values) => prepared(sql).all(...values),
      run: (sql, values) => prepared(sql).run(...values),
      close: () => database.close(),
    }
  }
  const Database = await wasmSqlite()
  // node-sqlite3-wasm locks by a folder, which a killed process leaves behind. Our own lock, held here, already excludes other processes.
  const unlock = () => fs.rmSync(`${path}.lock`, { recursive: true, force: true })
  unlock()
  const database = new Database(path)
  return {
    exec: (sql) => {
      if (sql.startsWith('BEGIN')) unlock()
      database.exec(sql)
    },
    all: (sql, values) => database.all(sql, [...values]),
    run: (sql, values) => void database.run(sql, [...values]),
    close: () => database.close(),
  }
}

async function nativeSqlite(): Promise<(new (path: string) => NativeDatabase) | undefined> {
  // suppresses Node 22's warning that its SQLite is experimental
  const { emitWarning } = process
  process.emitWarning = ((warning: string | Error, ...rest: unknown[]) => {
    if (!String(warning).includes('SQLite')) Reflect.apply(emitWarning, process, [warning, ...rest])
  }) as typeof emitWarning
  try {
    return (await nodeModule<{ DatabaseSync: new (path: string) => NativeDatabase }>('node:sqlite')).DatabaseSync
  } catch {
    return undefined
  } finally {
    process.emitWarning = emitWarning
  }
}

async function wasmSqlite(): Promise<new (path: string) => WasmDatabase> {
  const { default: module } = await loadPackage<{ default: { Database: new (path: string) => WasmDatabase } }>(
    'node-sqlite3-wasm',
    'studies in SQLite want Node 22.5 or newer, or',
    ', or keep the study in a journal file, such as study.log',
  )
  return module.Database
}
