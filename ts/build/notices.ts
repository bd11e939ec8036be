/** The licences of the libraries that the package has inside, which ask to go along with it, as dist/THIRD-PARTY-NOTICES.md. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { Plugin } from 'esbuild'

/** Libraries of all builds so far. */
const names = new Set<string>()

export const notices: Plugin = {
  name: 'notices',
  setup(build) {
    build.initialOptions.metafile = true
    build.onEnd(({ metafile }) => {
      for (const file of Object.keys(metafile?.inputs ?? {})) {
        const [, name] = /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
        if (name) names.add(name)
      }
      const texts = [...names].sort().map(noticeOf)
      mkdirSync('dist', { recursive: true })
      writeFileSync('dist/THIRD-PARTY-NOTICES.md', `# Libraries inside this package\n\n${texts.join('\n')}`)
    })
  },
}

function noticeOf(name: string): string {
  const folder = `node_modules/${name}`
  const { version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
  if (!file) throw new Error(`${name} is bundled and has no licence file`)
  return `## ${name} ${version} (${license})\n\n${readFileSync(`${folder}/${file}`, 'utf8').trim()}\n`
}
