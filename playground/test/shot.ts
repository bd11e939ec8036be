// node --import tsx test/shot.ts OUT link[:step] [width] ...
import { launch } from './browsers.ts'
import { serve } from './serve.ts'
const [out, ...links] = process.argv.slice(2)
const { url, close } = await serve(new URL('../dist', import.meta.url).pathname)
const browser = await launch('chromium')
for (const spec of links) {
  const [link, step = '', click = '', scheme = 'light'] = spec.split('@')
  for (const [width, height] of [[1440, 900], [390, 844]]) {
    const page = await browser.newPage({ viewport: { width, height }, colorScheme: scheme as 'light' })
    page.on('pageerror', (e) => console.log('ERROR', e.message))
    page.on('console', (m) => m.type() === 'error' && console.log('console', m.text()))
    await page.goto(`${url}${link.startsWith('?') ? '' : '#'}${link}`)
    await page.waitForTimeout(2500)
    if (click) { await page.getByRole('button', { name: click }).first().click(); await page.waitForTimeout(3500) }
    if (step !== '') {
      await page.locator('.playback input').evaluate((input: HTMLInputElement, value) => { input.value = value === 'end' ? input.max : value; input.dispatchEvent(new Event('input', { bubbles: true })) }, step)
      await page.waitForTimeout(600)
    }
    await page.screenshot({ path: `${out}/${link.replace(/\W+/g, '-').slice(0, 30)}-${step}-${width}${scheme === 'dark' ? '-dark' : ''}.png` })
    await page.close()
  }
}
await browser.close()
await close()
