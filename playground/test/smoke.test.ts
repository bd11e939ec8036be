/** The built page in Chromium, as a visitor sees it first: it is drawn, moves, and says nothing is wrong. The other tests of pages are in playground.test.ts. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { launch } from './browsers'
import { serve } from './serve'

test.runIf(existsSync('/usr/bin/chromium'))('the page opens, a race moves, and a net trains', async () => {
  const site = await serve(fileURLToPath(new URL('../dist', import.meta.url)))
  const browser = await launch('chromium')
  try {
    const page = await browser.newPage()
    page.setDefaultTimeout(400_000)
    const errors: string[] = []
    page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())))
    page.on('pageerror', (error) => void errors.push(error.message))
    await page.goto(site.url)
    await page.waitForFunction(() => /^[1-9]/.test(document.querySelector('.playback output')?.textContent ?? ''))
    await page.getByRole('navigation').getByRole('button', { name: 'Train', exact: true }).click()
    await page.locator('.net-picture').waitFor()
    expect(errors).toEqual([])
  } finally {
    await browser.close()
    await site.close()
  }
})
