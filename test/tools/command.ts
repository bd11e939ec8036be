/** The command `gradus` as a child process, from source. */
import { spawn } from 'node:child_process'

export interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

/** Runs the CLI; `stopAt`: sends Ctrl-C as soon as the output contains this. */
export function gradus(args: readonly string[], { stopAt, env }: { stopAt?: string; env?: Record<string, string> } = {}): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const { FORCE_COLOR: _, NO_COLOR: __, ...rest } = process.env
    const child = spawn(process.execPath, ['--import', 'tsx', 'ts/cli/main.ts', ...args], { env: { ...rest, ...env } })
    const out = { stdout: '', stderr: '' }
    let stopped = false
    child.stdout.on('data', (chunk) => {
      out.stdout += chunk
      if (stopAt === undefined || stopped || !out.stdout.includes(stopAt)) return
      stopped = true
      child.kill('SIGINT')
    })
    child.stderr.on('data', (chunk) => (out.stderr += chunk))
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, ...out }))
  })
}

/** The start of a training that takes a moment. */
export const SMALL = ['train', 'moons', '--backend', 'js', '--no-compare', '--epochs', '3']
