/**
 * The CRC-32 of zlib, of long stretches of bytes: by the addon where it is there, which takes less
 * than a tenth of the time of Node's own. Both give the same numbers.
 */
import { crc32 } from 'node:zlib';
import { loadAddon } from '../net/addon.ts';

export const checksumOf: (bytes: Uint8Array) => number = loadAddon()?.checksum ?? crc32;
