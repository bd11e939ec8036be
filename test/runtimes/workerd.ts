/** A Cloudflare worker, as a user deploys it: wrangler bundles it (and sets the export conditions), workerd serves the bundle. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { CACHE, run } from './consumer.js'

const TOOLS = path.join(CACHE, 'runtimes/node_modules')
export const WORKERD = path.join(TOOLS, '@cloudflare/workerd-linux-64/bin/workerd')

/** Modules that are not JavaScript, by the ends of their names. */
const KINDS: Record<string, string> = { '.wasm': 'wasm', '.safetensors': 'data' }

/**
 * @param folder a project with a wrangler.json
 * @param use gets the address of the worker, which is stopped afterwards
 */
export async function withWorker<T>(folder: string, use: (home: string) => Promise<T>): Promise<T> {
  const out = path.join(folder, 'deployed')
  const config = JSON.parse(readFileSync(path.join(folder, 'wrangler.json'), 'utf8'))
  const env = { WRANGLER_SEND_METRICS: 'false', CI: 'true', WRANGLER_LOG_PATH: folder, HOME: folder }
  const wrangler = path.join(TOOLS, 'wrangler/bin/wrangler.js')
  await run(process.execPath, [wrangler, 'deploy', '--dry-run', '--outdir', out], { cwd: folder, timeout: 600_000, env })
  const main = `${path.parse(config.main).name}.js`
  const imports = readFileSync(path.join(out, main), 'utf8').matchAll(/from ["']\.\/([^"']+\.(?:wasm|safetensors))["']/g)
  const modules = [...new Set([...imports].map((match) => match[1]))]
  const port = 20_000 + (process.pid % 20_000)
  writeFileSync(
    path.join(out, 'config.capnp'),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const main :Workerd.Worker = (
  modules = [
    (name = "${main}", esModule = embed "${main}"),
    ${modules.map((name) => `(name = "${name}", ${KINDS[path.extname(name)]} = embed "${name}")`).join(',\n    ')}
  ],
  compatibilityDate = "${config.compatibility_date}"
);
`,
  )
  const child = spawn(WORKERD, ['serve', 'config.capnp'], { cwd: out, stdio: ['ignore', 'inherit', 'inherit'] })
  const home = `http://127.0.0.1:${port}/`
  try {
    await untilUp(home)
    return await use(home)
  } finally {
    child.kill()
  }
}

async function untilUp(url: string): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    try {
      await (await fetch(url, { method: 'HEAD' })).text()
      return
    } catch (error) {
      if (attempt === 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
}
