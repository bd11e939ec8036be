import * as gradus from '/gradus/index.js'
import * as pure from '/gradus/modules/js/entries/js-file.js'
import { smoke } from './program.mjs'

addEventListener('message', ({ ports: [port] }) =>
  smoke(gradus, pure).then(
    (report) => port.postMessage(report),
    (error) => port.postMessage({ error: String(error?.stack ?? error) }),
  ),
)
