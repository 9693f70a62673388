//! Datagrams in and out, each with the address of its other end in front.

use std::os::fd::RawFd;

use crate::exchange::Piece;

/// Receives one datagram behind its sender's address; None when there is none, 0 when the room is
/// too small for any.
pub fn receive(_fd: RawFd, _target: *mut u8, _room: usize) -> Option<usize> {
    None
}

/// Sends a datagram to the address in front of it, if the kernel takes it at once.
pub fn send(_fd: RawFd, _datagram: Piece) {}
