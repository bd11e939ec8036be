/** Maps names and URLs to storages. */
import { plainError, rangeError, typeError } from '../../common/errors.js'
import { nodeModule } from '../../common/node-module.js'
import { show } from '../../common/show.js'
import type { Fs } from '../node.js'
import type { JournalStore } from './journal.js'
import { memoryStore } from './memory.js'
import { serverOf } from './server-url.js'

const SQLITE = /\.(sqlite3?|db)$/
const JOURNAL = /\.(log|journal|jsonl)$/

/**
 * @internal opens a storage; its code is loaded only then, as pages only have memory
 * @throws TypeError, RangeError for anything but a storage; Error if it cannot be opened
 */
export async function openStore(storage: string | JournalStore | undefined): Promise<JournalStore> {
  if (storage === undefined) return memoryStore()
  if (typeof storage === 'object' && typeof storage?.transact === 'function') return storage
  if (typeof storage !== 'string')
    throw typeError(`createStudy: storage wants a name such as 'study.sqlite' or 'study.log', got ${show(storage)}`)
  if (/^[a-z]+:\/\//.test(storage)) {
    const [, kind] = /^(redis|postgres)(?:s|ql)?:/.exec(storage) ?? []
    if (kind === undefined) throw rangeError(`createStudy: storage wants a file, redis://… or postgres://…, got ${show(storage)}`)
    const { server, prefix } = serverOf(storage)
    if (kind === 'redis') return await (await import('./redis.js')).redisStore(server, prefix)
    return await (await import('./postgres.js')).postgresStore(server, prefix)
  }
  if (SQLITE.test(storage)) return await (await import('./sqlite.js')).sqliteStore(storage)
  if (JOURNAL.test(storage)) return await (await import('./file.js')).fileStore(storage)
  throw rangeError(
    `createStudy: storage wants a file that ends in .sqlite or .db (SQLite), or in .log, .journal or .jsonl (the journal that Optuna reads), got ${show(storage)}`,
  )
}

/**
 * @internal opens an existing storage: {@link openStore} would create a missing file
 * @throws errors of {@link openStore}; Error if there is no such file
 */
export async function openStored(storage: string | JournalStore): Promise<JournalStore> {
  if (typeof storage === 'string' && (SQLITE.test(storage) || JOURNAL.test(storage)) && !/^[a-z]+:\/\//.test(storage)) {
    const { existsSync } = await nodeModule<Fs>('node:fs')
    if (!existsSync(storage)) throw plainError(`openStudy: there is no file ${show(storage)}; is it the right place?`)
  }
  return await openStore(storage)
}
