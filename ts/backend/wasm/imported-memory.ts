/**
 * Turns the module of each entry into a module that imports its memory, by changing a few bytes; no second build is needed. That lets parts that load
 * later (parts.ts) run on the memory of the core, and threads on a shared memory. The crate allocates nothing and has no state but the choice of a
 * tile. So its plain loads and stores may run in several threads as long as no two threads write the same memory; synchronization happens in
 * JavaScript (threads/pool.ts). At its start an instance writes the same constants each time.
 */

/** Numbers of sections in the binary format. */
const TYPES = 1
const IMPORTS = 2
const MEMORY = 5

/** `(import "env" "memory" (memory 0))`, up to its limits: one import, two names, a memory. */
const NAMES = [1, 3, ...ascii('env'), 6, ...ascii('memory'), 2]
/** Limits of the memory: at least 0 pages; or, for threads, `0 65536 shared`. */
const LIMITS = [0, 0]
const SHARED_LIMITS = [3, 0, 0x80, 0x80, 4]

/** The module with its memory imported as `env.memory`. */
export function withMemoryImported(module: Uint8Array, shared: boolean): Uint8Array<ArrayBuffer> {
  const memory = [...NAMES, ...(shared ? SHARED_LIMITS : LIMITS)]
  const out = new Uint8Array(module.length + memory.length + 2)
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
    if (section === TYPES) write([IMPORTS, memory.length, ...memory])
  }
  return out.slice(0, end)
}

function ascii(text: string): number[] {
  return Array.from(text, (letter) => letter.charCodeAt(0))
}
