/** docs/api.md equals the public API: a change of a signature changes this file, so that a reviewer sees it. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { apiReport, FILE } from '../../ts/build/api.js'

describe('docs/api.md', () => {
  test('has the signatures of the sources', () => {
    const written = readFileSync(FILE, 'utf8').split('\n')
    const report = apiReport().split('\n')
    const added = report.filter((line) => !written.includes(line))
    const removed = written.filter((line) => !report.includes(line))
    expect({ added, removed }, `the public API has changed: if it should, run 'make api' and commit ${FILE}`).toEqual({
      added: [],
      removed: [],
    })
    expect(report, `the order of the public API has changed: run 'make api' and commit ${FILE}`).toEqual(written)
  })
})
