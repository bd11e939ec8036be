/** A storage in memory that outlives a study. */
export function memoryJournal() {
  const entries: object[] = []
  return {
    place: 'a list',
    transact(from: number, read: (list: never[]) => void, write: () => readonly object[]) {
      read(JSON.parse(JSON.stringify(entries.slice(from))) as never[])
      entries.push(...write())
      return undefined
    },
  }
}
