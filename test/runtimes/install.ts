/** Installs the runtimes and bundlers into .cache/, without running them: for `make examples`. */
import { installTools } from './consumer.js'

installTools('runtimes', 'test/runtimes')
installTools('bundlers', 'test/bundlers')
