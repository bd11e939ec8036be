/** Debian's browsers, as `make browsers` installs them. */
import { type Browser, chromium, firefox } from 'playwright-core'

export type BrowserName = 'chromium' | 'firefox'

export function launch(name: BrowserName): Promise<Browser> {
  if (name === 'firefox') return firefox.launch({ channel: 'moz-firefox', executablePath: '/usr/bin/firefox-esr' })
  return chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: [
      ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
      ...['--disable-component-update', '--disable-sync', '--disable-dev-shm-usage'],
    ],
  })
}
