/** Writes a file and never ends: the bytes are in the temporary file, but the disk does not respond. Prints a line when the temporary file exists. */
import * as fs from 'node:fs/promises'
import { writeNow } from '../../ts/files/disk-files.js'

const open = async (name: string, flags: string) => {
  const file = await fs.open(name, flags)
  if (!name.endsWith('.tmp')) return file
  const sync = () => {
    process.stdout.write('written\n')
    return new Promise<void>(() => {})
  }
  return { write: file.write.bind(file), sync, close: () => file.close() }
}
setInterval(() => {}, 1000)
await writeNow({ ...fs, open } as never, process.argv[2], new TextEncoder().encode('half'), [])
