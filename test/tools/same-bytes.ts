/**
 * Checks that two clean builds of HEAD, in folders of different depths, are equal to the byte: `make same-bytes`. Each is a clone with its own
 * `npm ci` and its own compilation; only the Rust tools in .tools/ are shared.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

const workspace = mkdtempSync(path.join(tmpdir(), 'gradus-same-'))

/** SHA-256 of each file of dist/, and of the tarball, by name. */
function built(folder: string): Map<string, string> {
  mkdirSync(path.dirname(folder), { recursive: true })
  execFileSync('git', ['clone', '--quiet', process.cwd(), folder])
  cpSync('.tools', path.join(folder, '.tools'), { recursive: true, dereference: true })
  const now = new Date()
  utimesSync(path.join(folder, '.tools/.stamp'), now, now)
  // variables of the outer make must not reach the inner one
  const { MAKEFLAGS: _, MAKELEVEL: __, ...env } = process.env
  execFileSync('make', ['pack'], { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'], env })
  const files = readdirSync(path.join(folder, 'dist'), { recursive: true, encoding: 'utf8' }).map((file) => path.join('dist', file))
  const tarballs = readdirSync(folder).filter((file) => file.endsWith('.tgz'))
  const whole = [...files, ...tarballs].filter((file) => statSync(path.join(folder, file)).isFile())
  return new Map(
    whole.sort().map((file): [string, string] => [
      file,
      createHash('sha256')
        .update(readFileSync(path.join(folder, file)))
        .digest('hex'),
    ]),
  )
}

try {
  const [one, other] = ['a', 'b/deeper/than/a'].map((folder) => built(path.join(workspace, folder)))
  const names = [...new Set([...one.keys(), ...other.keys()])]
  const different = names.filter((name) => one.get(name) !== other.get(name))
  for (const name of different) process.stdout.write(`differs: ${name}: ${one.get(name)} and ${other.get(name)}\n`)
  const hash = createHash('sha256')
    .update([...one].join('\n'))
    .digest('hex')
  process.stdout.write(`${names.length - different.length} files are the same in both builds, SHA-256 of all ${hash.slice(0, 16)}\n`)
  process.exitCode = different.length > 0 || one.size === 0 ? 1 : 0
} finally {
  rmSync(workspace, { recursive: true, force: true })
}
