/** Trainings on pictures in a page, which decodes them itself. Needs the built dist/ (`make build`) and Debian's Chromium. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { BROWSERS, visit } from '../runtimes/browser.js'

test.skipIf(!existsSync(BROWSERS.chromium.command))('a page learns from Blobs and pixels, and names what it draws', async () => {
  if (!existsSync('dist/images.js')) throw new Error('dist/ is not built; run make build')
  const roots = { '/test/': path.resolve('test/images'), '/gradus/': path.resolve('dist') }
  const { images } = (await visit('chromium', [{ name: 'images', url: '/test/page.html' }], roots)) as unknown as Record<string, object>
  const answers = ['upright', 'level', 'upright', 'level', 'upright', 'level', 'upright']
  expect(images).toMatchObject({ size: 16, channels: 3, answers, skipped: [{ name: 'image 61' }] })
  expect((images as { refused: string }).refused).toMatch(/picture 1 cannot be read/)
  expect((images as { accuracy: number }).accuracy).toBeGreaterThan(0.9)
})
