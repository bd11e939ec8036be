/** All of the core. */
import * as gradus from 'gradus'

globalThis.gradusParts = gradus
