/**
 * Files in a browser: the origin's IndexedDB, where a transaction happens as a whole or not at all. Its `strict` durability has the browser
 * wait until the bytes are on the medium.
 */
import { plainError } from '../common/errors.js'

const DATABASE = 'gradus'
const STORE = 'files'

/** @internal see {@link Files} */
export class DatabaseFiles {
  async read(path: string): Promise<Uint8Array | undefined> {
    return this.transact('readonly', (store) => store.get(path))
  }

  async write(path: string, bytes: Uint8Array, earlier: readonly string[]): Promise<void> {
    const names = [path, ...earlier]
    await this.transact('readwrite', (store) => {
      // reads and writes of a transaction happen in their order
      for (let i = names.length - 1; i > 0; i--)
        store.get(names[i - 1]).onsuccess = ({ target }) => {
          const { result } = target as IDBRequest<Uint8Array | undefined>
          if (result !== undefined) store.put(result, names[i])
          if (i === 1) store.put(bytes, path)
        }
      if (names.length === 1) store.put(bytes, path)
      return undefined
    }).catch((cause) => {
      throw plainError(`'${path}' could not be written, and what was there is as it was: ${(cause as Error)?.message ?? cause}`, { cause })
    })
  }

  /** Runs a transaction. Resolves with the result of the request when everything is on the medium. */
  private async transact<T>(mode: IDBTransactionMode, run: (store: IDBObjectStore) => IDBRequest<T> | undefined): Promise<T> {
    const database = await opened()
    try {
      return await new Promise<T>((resolve, reject) => {
        const transaction = database.transaction(STORE, mode, { durability: 'strict' })
        const request = run(transaction.objectStore(STORE))
        transaction.oncomplete = () => resolve(request?.result as T)
        transaction.onerror = transaction.onabort = () => reject(transaction.error ?? request?.error)
      })
    } finally {
      database.close()
    }
  }
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1)
    request.onupgradeneeded = () => request.result.createObjectStore(STORE)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () =>
      reject(plainError(`the database of this browser does not open: ${request.error?.message}`, { cause: request.error }))
  })
}
