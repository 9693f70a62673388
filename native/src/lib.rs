//! The native part of slabcached: moves bytes between sockets and the memory that TypeScript works
//! in, many connections per call. What it exports to TypeScript is described in `src/net/addon.ts`.
//!
//! Its pumps are those of Linux; built for anything else it is empty.

#![cfg(target_os = "linux")]

mod acceptor;
mod address;
mod backend;
mod bell;
mod connection;
mod datagrams;
mod deadline;
mod epoll;
mod exchange;
mod failure;
mod hand_over;
mod hash;
mod mailbox;
mod memory;
mod pump;
mod revision;
mod ring;
mod sockets;
mod table;
mod uv;
