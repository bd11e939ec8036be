/**
 * Installation of the libraries that benchmarks compare with: the packages of bench/peers in .cache/peers, and Python's packages in an environment
 * there.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { installTools } from '../../test/runtimes/consumer.js'

export const HERE = 'bench/peers'

/** The folder with the contestants' packages: those of bench/peers/package.json, and this repository as gradus. */
export function peersFolder(): string {
  const folder = installTools('peers', HERE)
  const link = path.join(folder, 'node_modules/gradus')
  rmSync(link, { force: true, recursive: true })
  symlinkSync(path.resolve('.'), link, 'dir')
  return folder
}

/** The Python to use: the given one, or an environment with the versions of requirements.txt. */
export function pythonIn(folder: string, given: string | undefined): string {
  if (given !== undefined) return given
  const venv = path.join(folder, 'venv')
  const done = path.join(venv, 'installed.txt')
  const versions = readFileSync(`${HERE}/requirements.txt`, 'utf8')
  if (!existsSync(done) || readFileSync(done, 'utf8') !== versions) {
    console.log('installing Python packages into .cache/peers/venv')
    must('python3', ['-m', 'venv', venv])
    must(`${venv}/bin/pip`, ['install', '--quiet', '-r', `${HERE}/requirements.txt`])
    writeFileSync(done, versions)
  }
  return path.resolve(venv, 'bin/python')
}

function must(command: string, args: string[]): void {
  const { status } = spawnSync(command, args, { stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed`)
}
