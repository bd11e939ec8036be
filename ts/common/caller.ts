/** Stack traces that begin at the line of the program that called, not at the frames of this library that lie above it. */

/** V8 keeps ten frames by default, and a call may go deeper than that inside this library. */
const DEEPEST = 64

/** Properties of Error beyond the standard, in V8 and some other engines. */
interface StackTraces {
  captureStackTrace?(error: Error, above?: unknown): void
  stackTraceLimit?: number
}

/** The folder of this library in stack traces; null if it is bundled with a program, so that its frames cannot be distinguished. */
let folder: string | null | undefined

/** @internal the folder of this library by a frame of this file, `…/gradus/dist/` or the folder that `common/caller` is in; else null */
export function folderIn(frame: string): string | null {
  const place = /(?:\(|at )([^()]*)\)?$/.exec(frame)?.[1] ?? ''
  return /^.*[\\/]gradus[\\/]dist[\\/]/.exec(place)?.[0] ?? /^.*[\\/](?=common[\\/]caller\.[cm]?[jt]s\b)/.exec(place)?.[0] ?? null
}

/**
 * @internal Removes the frames of this library from the top of a new error's stack trace, so that the first line is the caller's. Frames below, such
 * as a model's own `forward`, stay. If the engine has no such stack traces, or the library is bundled with the program, the error stays unchanged.
 */
export function fromCaller<E extends Error>(error: E): E {
  const traces = Error as StackTraces
  const limit = traces.stackTraceLimit
  if (traces.captureStackTrace === undefined || !limit) return error
  if (folder === undefined) folder = folderIn((new Error().stack ?? '').split('\n').find(isFrame) ?? '')
  if (folder === null) return error
  traces.stackTraceLimit = DEEPEST
  traces.captureStackTrace(error, fromCaller)
  traces.stackTraceLimit = limit
  const lines = (error.stack ?? '').split('\n')
  const first = lines.findIndex(isFrame)
  const own = folder
  let caller = first
  // Frames of built-in functions, such as an iterator's next(), have no file and line.
  while (caller < lines.length && (lines[caller].includes(own) || lines[caller].endsWith('(<anonymous>)'))) caller++
  if (first >= 0 && caller < lines.length) error.stack = [...lines.slice(0, first), ...lines.slice(caller, caller + limit)].join('\n')
  return error
}

/**
 * @internal Adds the lines of a stack trace that was made at the beginning of an asynchronous function, below that function, to an error
 * inside of it, unless the error shows its caller already.
 */
export function addCaller(error: Error, stack: string): void {
  const callers = stack.split('\n').filter(isFrame).slice(1)
  const [line] = /[^( ]+:\d+(?=:\d+\)?$)/.exec(callers[0] ?? '') ?? []
  if (line !== undefined && !error.stack?.includes(`${line}:`)) error.stack = [error.stack, ...callers].join('\n')
}

function isFrame(line: string): boolean {
  return /^\s+at /.test(line)
}
