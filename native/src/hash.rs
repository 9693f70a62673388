//! The key hashes of `src/cache` once more, for keys one by one and for all keys of a line, and the
//! checksum of dumps. `npm run bench:micro` compares them with TypeScript and Node's own.

use napi::bindgen_prelude::Int32Array;
use napi_derive::napi;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Places in the list of algorithms of `src/cache/hash.ts`.
const MURMUR3: u32 = 0;
const JENKINS: u32 = 1;

/// Words of a found key: where it begins, its length, its hash.
const KEY_WORDS: usize = 3;

/// Hash of the key of `length` bytes at `start`.
#[napi]
pub fn hash_key(bytes: &[u8], start: u32, length: u32, seed: i32, algorithm: u32) -> i32 {
    let start = start as usize;
    bytes.get(start..start + length as usize).map_or(0, |key| hash(key, seed as u32, algorithm))
}

/// Finds the keys in bytes[start, end), which spaces separate, and writes start, length and hash of
/// each, as far as there is room; returns how many.
#[napi]
pub fn hash_keys(
    bytes: &[u8],
    start: u32,
    end: u32,
    seed: i32,
    algorithm: u32,
    mut found: Int32Array,
) -> u32 {
    let Some(line) = bytes.get(start as usize..end as usize) else { return 0 };
    // SAFETY: only this thread, which is here now, works with that array.
    let mut places = unsafe { found.as_mut() }.chunks_exact_mut(KEY_WORDS);
    let mut count = 0;
    let mut at = 0;
    while at < line.len() {
        if line[at] == b' ' {
            at += 1;
            continue;
        }
        let rest = &line[at..];
        let length = rest.iter().position(|&byte| byte == b' ').unwrap_or(rest.len());
        let Some(place) = places.next() else { break };
        place[0] = start as i32 + at as i32;
        place[1] = length as i32;
        place[2] = hash(&rest[..length], seed as u32, algorithm);
        count += 1;
        at += length;
    }
    count
}

/// The CRC-32 of zlib.
#[napi]
pub fn checksum(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

fn hash(key: &[u8], seed: u32, algorithm: u32) -> i32 {
    let hash = match algorithm {
        MURMUR3 => murmur3(key, seed),
        JENKINS => jenkins(key, seed),
        _ => xxh3_64_with_seed(key, u64::from(seed)) as u32,
    };
    hash as i32
}

/// A little-endian word; bytes that are missing count 0.
fn word(bytes: &[u8]) -> u32 {
    match bytes.first_chunk() {
        Some(whole) => u32::from_le_bytes(*whole),
        None => bytes.iter().rev().fold(0, |word, &byte| word << 8 | u32::from(byte)),
    }
}

fn murmur3(key: &[u8], seed: u32) -> u32 {
    let scramble = |k: u32| k.wrapping_mul(0xcc9e2d51).rotate_left(15).wrapping_mul(0x1b873593);
    let (blocks, rest) = key.as_chunks::<4>();
    let mut hash = seed;
    for block in blocks {
        hash ^= scramble(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe6546b64);
    }
    hash ^= scramble(word(rest)) ^ key.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85ebca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2ae35);
    hash ^ hash >> 16
}

/// Bob Jenkins' lookup3.
fn jenkins(key: &[u8], seed: u32) -> u32 {
    let mut a = 0xdeadbeef_u32.wrapping_add(key.len() as u32).wrapping_add(seed);
    let (mut b, mut c) = (a, a);
    let mut left = key;
    while left.len() > 12 {
        (a, b, c) = add_words(left, a, b, c);
        for (first, second) in [(4, 6), (8, 16), (19, 4)] {
            a = a.wrapping_sub(c) ^ c.rotate_left(first);
            c = c.wrapping_add(b);
            b = b.wrapping_sub(a) ^ a.rotate_left(second);
            a = a.wrapping_add(c);
            (a, b, c) = (c, a, b);
        }
        left = &left[12..];
    }
    if left.is_empty() {
        return c;
    }
    (a, b, c) = add_words(left, a, b, c);
    for (first, second, third) in [(14, 11, 25), (16, 4, 14)] {
        c = (c ^ b).wrapping_sub(b.rotate_left(first));
        a = (a ^ c).wrapping_sub(c.rotate_left(second));
        b = (b ^ a).wrapping_sub(a.rotate_left(third));
    }
    (c ^ b).wrapping_sub(b.rotate_left(24))
}

/// Adds the next 12 bytes, or what is left of them.
fn add_words(key: &[u8], a: u32, b: u32, c: u32) -> (u32, u32, u32) {
    let from = |at: usize| word(key.get(at..).unwrap_or_default());
    (a.wrapping_add(from(0)), b.wrapping_add(from(4)), c.wrapping_add(from(8)))
}
