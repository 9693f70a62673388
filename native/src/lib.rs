//! The native part of slabcached: moves bytes between sockets and the memory that TypeScript works
//! in, many connections per call. What it exports to TypeScript is described in `src/net/addon.ts`.

#[cfg(target_os = "linux")]
mod acceptor;
#[cfg(target_os = "linux")]
mod address;
#[cfg(target_os = "linux")]
mod failure;
#[cfg(target_os = "linux")]
mod hand_over;
#[cfg(target_os = "linux")]
mod mailbox;
mod revision;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(target_os = "linux")]
mod uv;
