/** The last checks before a release, after everything was built and tested: `make release-check`. Properties that always hold are tests instead. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim()
const entry = new RegExp(`^## \\[${version.replaceAll('.', '\\.')}\\] - (.*)$`, 'm').exec(readFileSync('CHANGELOG.md', 'utf8'))

const wrong = [
  !/^\d{4}-\d\d-\d\d$/.test(entry?.[1] ?? '') && `CHANGELOG.md: the entry of ${version} has no date (${entry?.[1] ?? 'no entry'})`,
  git('status', '--porcelain') !== '' && 'there are changes that are not committed',
  git('tag', '--list', `v${version}`) !== '' &&
    git('rev-parse', `v${version}^{commit}`) !== git('rev-parse', 'HEAD') &&
    `v${version} is a tag of another commit: raise the version`,
  !existsSync(`gradus-${version}.tgz`) && `gradus-${version}.tgz is not there`,
].filter((text) => text !== false)

for (const text of wrong) console.error(`not ready: ${text}`)
if (wrong.length === 0) console.log(`gradus ${version} is ready: push the tag v${version}`)
process.exitCode = wrong.length > 0 ? 1 : 0
