/**
 * A lock on a file among processes, Optuna's included: the process that creates `<file>.lock` has it. Our lock names its process, so that others need
 * not wait for the lock of a killed process.
 */
import { plainError } from '../../common/errors.js'
import type { Fs } from '../node.js'
import { reasonOf } from './disk.js'

/** A lock older than this counts as abandoned, as in Optuna. */
const GRACE_SECONDS = 30
/** Longest pause between attempts, in milliseconds. */
const LONGEST_WAIT = 20

/** @internal */
export class FileLock {
  private readonly file: string
  private readonly own: string
  private count = 0

  constructor(
    private readonly fs: Fs,
    path: string,
    private readonly host: string,
  ) {
    this.file = `${path}.lock`
    this.own = `gradus ${process.pid} ${host}`
  }

  async acquire(): Promise<void> {
    for (let wait = 1; !this.take(); wait = Math.min(2 * wait, LONGEST_WAIT)) {
      if (this.isAbandoned()) this.remove()
      else await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random() / 2)))
    }
  }

  release(): void {
    this.fs.rmSync(this.file, { force: true })
  }

  /** A link appears together with its content, so there is no moment at which a lock has no owner. */
  private take(): boolean {
    const draft = `${this.file}.${process.pid}.${this.count++}`
    try {
      this.fs.writeFileSync(draft, this.own)
    } catch (error) {
      throw plainError(`cannot lock ${this.file}: ${reasonOf(error, draft, this.fs)}`, { cause: error })
    }
    try {
      this.fs.linkSync(draft, this.file)
      return true
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
      throw plainError(`cannot lock ${this.file}: ${reasonOf(error, draft, this.fs)}`, { cause: error })
    } finally {
      this.fs.rmSync(draft, { force: true })
    }
  }

  private isAbandoned(): boolean {
    try {
      const stat = this.fs.lstatSync(this.file)
      if (Date.now() - stat.mtimeMs > 1000 * GRACE_SECONDS) return true
      if (stat.isSymbolicLink()) return false // Optuna's lock, whose owner is unknown
      return this.isOfTheDead(this.fs.readFileSync(this.file, 'utf8'))
    } catch {
      return false // gone in the meantime
    }
  }

  private isOfTheDead(text: string): boolean {
    const [, pid, host] = /^gradus (\d+) (.*)$/.exec(text) ?? []
    if (pid === undefined || host !== this.host) return false
    try {
      process.kill(Number(pid), 0)
      return false
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ESRCH'
    }
  }

  /** Removes an abandoned lock, if several processes notice it only in one of them. If another process has taken the lock by then, it gets it back. */
  private remove(): void {
    const aside = `${this.file}.${process.pid}.${this.count++}.rename`
    try {
      this.fs.renameSync(this.file, aside)
    } catch {
      return
    }
    try {
      const isOld = Date.now() - this.fs.lstatSync(aside).mtimeMs > 1000 * GRACE_SECONDS
      if (!isOld && !this.isOfTheDead(this.fs.readFileSync(aside, 'utf8'))) this.fs.linkSync(aside, this.file)
    } catch {
      // a third process took the lock in between
    }
    this.fs.rmSync(aside, { force: true })
  }
}
