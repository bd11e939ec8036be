/**
 * A study on a disk that really is full, a tmpfs of 160 kB: the error says so, and every trial that was confirmed is there. Needs Linux and the right
 * to mount; elsewhere it reports that it did nothing. `make kill-proof` runs it on both Nodes.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createStudy, float, openStudy } from '../../../ts/tune/index.js'

const folder = mkdtempSync(path.join(tmpdir(), 'gradus-full-'))
for (const name of ['full.log', 'full.sqlite']) {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=160k', 'tmpfs', folder], { stdio: 'ignore' })
  } catch {
    console.log('a full disk: left out, for want of rights to mount one')
    break
  }
  try {
    const storage = path.join(folder, name)
    const study = await createStudy({ space: { x: float(0, 1) }, storage })
    let told = 0
    let message = ''
    try {
      await study.optimize(({ x }) => x, { trials: 100_000, onTrial: () => told++ })
    } catch (error) {
      message = (error as Error).message
    }
    await study.close()
    const again = await openStudy({ storage })
    const kept = again.trials.filter(({ state }) => state === 'complete').length
    await again.close()
    console.log(`${name} on Node ${process.versions.node}: ${told} told, ${kept} kept; ${message}`)
    if (kept !== told || !message.includes('the disk is full')) process.exitCode = 1
  } finally {
    execFileSync('umount', [folder])
  }
}
rmSync(folder, { recursive: true, force: true })
