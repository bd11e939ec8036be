/** `gradus info`. */
import { describe, expect, test } from 'vitest'
import { gradus } from '../../tools/command.js'

describe('info', () => {
  test('info says what runs here', async () => {
    const { code, stdout } = await gradus(['info', '--json'])
    expect(code).toBe(0)
    const info = JSON.parse(stdout)
    expect(info.backends).toContain('js')
    expect(info.tile).toMatch(/^(5x8|6x8|4x16|6x16)$/)
    expect(info.optimizers).toContain('Adam')
    expect(info.runtime).toContain(process.versions.node)
  })
})
