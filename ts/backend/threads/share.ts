/**
 * Makes a module whose memory threads can share out of the one that each entry carries, by changing a few of its bytes: the memory
 * that it declares becomes one that it imports. No second build is needed. The crate allocates nothing and has no state but the
 * choice of a tile, so its plain loads and stores may run in several threads as long as each writes where no other does, and
 * waiting for each other is done in JavaScript (pool.ts). What an instance writes when it starts are the same constants each time.
 */

/** Numbers of sections in the binary format. */
const TYPES = 1
const MEMORY = 5

/** `(import "env" "memory" (memory 0 65536 shared))` as a section: number, bytes, one import, names, a memory, limits. */
const IMPORT = [2, 18, 1, 3, ...ascii('env'), 6, ...ascii('memory'), 2, 3, 0, 0x80, 0x80, 4]

/** The module with its memory imported as `env.memory`, shared. */
export function withSharedMemory(module: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(module.length + IMPORT.length)
  let end = 0
  const write = (bytes: ArrayLike<number>) => {
    out.set(bytes, end)
    end += bytes.length
  }
  write(module.subarray(0, 8))
  for (let at = 8; at < module.length; ) {
    const start = at
    const section = module[at++]
    let size = 0
    for (let shift = 0, byte = 128; byte >= 128; shift += 7) {
      byte = module[at++]
      size |= (byte & 127) << shift
    }
    at += size
    if (section !== MEMORY) write(module.subarray(start, at))
    if (section === TYPES) write(IMPORT)
  }
  return out.slice(0, end)
}

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0))
}
