/** Which storage a name means. */
import { rangeError, typeError } from '../../common/errors.js'
import { show } from '../../common/show.js'
import { fileStore } from './file.js'
import type { JournalStore } from './journal.js'
import { memoryStore } from './memory.js'
import { postgresStore } from './postgres.js'
import { redisStore } from './redis.js'
import { serverOf } from './server.js'
import { sqliteStore } from './sqlite.js'

const SQLITE = /\.(sqlite3?|db)$/
const JOURNAL = /\.(log|journal|jsonl)$/

/** @internal @throws TypeError, RangeError for what is no storage; Error where it cannot be opened */
export async function openStore(storage: string | JournalStore | undefined): Promise<JournalStore> {
  if (storage === undefined) return memoryStore()
  if (typeof storage === 'object' && typeof storage?.transact === 'function') return storage
  if (typeof storage !== 'string')
    throw typeError(`createStudy: storage wants a name such as 'study.sqlite' or 'study.log', got ${show(storage)}`)
  if (/^[a-z]+:\/\//.test(storage)) {
    const open = /^rediss?:/.test(storage) ? redisStore : /^postgres(ql)?:/.test(storage) ? postgresStore : undefined
    if (!open) throw rangeError(`createStudy: storage wants a file, redis://… or postgres://…, got ${show(storage)}`)
    const { server, prefix } = serverOf(storage)
    return await open(server, prefix)
  }
  if (SQLITE.test(storage)) return await sqliteStore(storage)
  if (JOURNAL.test(storage)) return await fileStore(storage)
  throw rangeError(
    `createStudy: storage wants a file that ends in .sqlite or .db (SQLite), or in .log, .journal or .jsonl (the journal that Optuna reads), got ${show(storage)}`,
  )
}
