//! The native part of slabcached: moves bytes between sockets and the memory that TypeScript works
//! in, many connections per call. What it exports to TypeScript is described in `src/net/addon.ts`.

#[cfg(target_os = "linux")]
mod mailbox;
mod revision;
