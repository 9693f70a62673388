//! The native part of slabcached: moves bytes between sockets and the memory that TypeScript works
//! in, many connections per call. What it exports to TypeScript is described in `src/net/addon.ts`.

#[cfg(target_os = "linux")]
mod acceptor;
#[cfg(target_os = "linux")]
mod address;
#[cfg(target_os = "linux")]
mod backend;
#[cfg(target_os = "linux")]
mod bell;
#[cfg(target_os = "linux")]
mod connection;
#[cfg(target_os = "linux")]
mod datagrams;
#[cfg(target_os = "linux")]
mod epoll;
#[cfg(target_os = "linux")]
mod exchange;
#[cfg(target_os = "linux")]
mod failure;
#[cfg(target_os = "linux")]
mod hand_over;
mod hash;
#[cfg(target_os = "linux")]
mod mailbox;
#[cfg(target_os = "linux")]
mod memory;
#[cfg(target_os = "linux")]
mod pump;
mod revision;
#[cfg(target_os = "linux")]
mod ring;
#[cfg(target_os = "linux")]
mod sockets;
#[cfg(target_os = "linux")]
mod table;
#[cfg(target_os = "linux")]
mod uv;
