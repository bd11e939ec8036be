/**
 * Kills a browser (SIGKILL) at random moments while a page saves a model in it again and again, and checks that nothing is lost: `make page-kills`.
 * After each kill the next page has to find an intact file, with at least the number that the killed page had reported as saved, and an intact
 * previous file.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BrowserName, end, open, serve } from '../runtimes/browser.js'
import type { Report } from '../runtimes/report.js'

export interface PageKillReport {
  kills: number
  /** Descriptions of each file that was found after a kill and was damaged, or had a smaller number than the page had reported. */
  lost: string[]
  /** Number of saves of the page. */
  saved: number
}

const URL_OF_PAGE = '/fixtures/page.html?page=save-often'

/** Kills the browser `kills` times. @param random a number in [0, 1) */
export async function killPages(
  browser: BrowserName,
  kills: number,
  random: () => number,
  tell = (_line: string) => {},
): Promise<PageKillReport> {
  const profile = mkdtempSync(path.join(tmpdir(), `gradus-kills-${browser}-`))
  const report: PageKillReport = { kills: 0, lost: [], saved: 0 }
  let onReport = (_report: Report & { found?: number; saved?: number }): void => {}
  const roots = { '/fixtures/': path.resolve('test/runtimes'), '/gradus/': path.resolve('dist') }
  const server = await serve([{ name: 'save-often', url: URL_OF_PAGE }], roots, (_page, given) => {
    onReport(given)
    return ''
  })
  try {
    let told = 0
    // one more start than kills: it checks the state after the last kill
    while (report.kills <= kills) {
      const isLast = report.kills === kills
      const child = open(browser, server.home + URL_OF_PAGE, profile)
      await new Promise<void>((resolve, reject) => {
        child.on('error', reject)
        onReport = ({ error, found, saved }) => {
          const isLost = error !== undefined || (found !== undefined && found < told)
          if (isLost) report.lost.push(`after kill ${report.kills}: ${error ?? `${told} was saved, ${found} found`}`)
          told = found ?? saved ?? told
          if (saved !== undefined) report.saved++
          if (isLost || (isLast && found !== undefined)) resolve()
          else if (saved !== undefined && report.saved % 3 === 0) setTimeout(resolve, random() * 60)
        }
      })
      await end(child)
      // accepts messages that were still on their way
      onReport = ({ saved }) => {
        if (saved !== undefined) told = saved
      }
      if (isLast) break
      report.kills++
      if (report.kills % 10 === 0) tell(JSON.stringify(report))
    }
    return report
  } finally {
    server.close()
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const report = await killPages('chromium', Number(process.env.KILLS ?? 100), Math.random, console.log)
  for (const line of report.lost) console.log(line)
  // test/tools/long-runs.ts reads the count
  console.log({ ...report, lost: report.lost.length })
  if (report.lost.length > 0) process.exitCode = 1
}
