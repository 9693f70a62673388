//! Datagrams in and out, each with the address of its other end in front: as the kernel writes it,
//! in as many bytes as the longer one of IPv6 takes.

use std::io;
use std::mem;
use std::os::fd::RawFd;

use libc::{iovec, mmsghdr, sockaddr, sockaddr_in, sockaddr_in6, socklen_t};

use crate::exchange::Piece;

/// What stands in front of each datagram.
const ADDRESS_BYTES: usize = mem::size_of::<sockaddr_in6>();
/// Longer than any datagram.
const DATAGRAM_BYTES: usize = 64 * 1024;
/// Where one datagram lies; a multiple of a line of the processor's cache.
const PLACE_BYTES: usize = (ADDRESS_BYTES + DATAGRAM_BYTES).next_multiple_of(64);
/// Datagrams that one call takes.
const BATCH: usize = 8;
/// Room for that many.
pub const BATCH_BYTES: usize = BATCH * PLACE_BYTES;

/// What came of receiving.
pub struct Received {
    /// How many of the given bytes may hold something.
    pub used: usize,
    /// Nothing is left on the socket.
    pub drained: bool,
}

/// Receives datagrams into `target`, at most `count` and as many as fit; tells where each one lies
/// behind its sender's address: bytes from target, and length of both.
///
/// # Safety
/// `target` must be good for writing `room` bytes.
pub unsafe fn receive(
    fd: RawFd,
    target: *mut u8,
    room: usize,
    count: usize,
    mut found: impl FnMut(usize, usize),
) -> Received {
    let places = (room / PLACE_BYTES).min(BATCH).min(count);
    // SAFETY: all zeroes is a vector of nothing, and a message of nothing to nobody.
    let (mut vectors, mut messages): ([iovec; BATCH], [mmsghdr; BATCH]) =
        unsafe { (mem::zeroed(), mem::zeroed()) };
    for (index, (vector, message)) in vectors.iter_mut().zip(&mut messages).enumerate() {
        if index == places {
            break;
        }
        // SAFETY: the place ends within the room.
        let place = unsafe { target.add(index * PLACE_BYTES) };
        // SAFETY: as above.
        vector.iov_base = unsafe { place.add(ADDRESS_BYTES) }.cast();
        vector.iov_len = DATAGRAM_BYTES;
        message.msg_hdr.msg_name = place.cast();
        message.msg_hdr.msg_namelen = ADDRESS_BYTES as socklen_t;
        message.msg_hdr.msg_iov = vector;
        message.msg_hdr.msg_iovlen = 1;
    }
    // SAFETY: that many messages are filled in; what they point to lives through the call.
    let got = unsafe {
        libc::recvmmsg(
            fd,
            messages.as_mut_ptr(),
            places as u32,
            libc::MSG_DONTWAIT as _,
            std::ptr::null_mut(),
        )
    };
    if got < 0 {
        // Other errors are those of something that was sent, and are gone now.
        let drained = io::Error::last_os_error().kind() == io::ErrorKind::WouldBlock;
        return Received { used: 0, drained };
    }
    let got = got as usize;
    for (index, message) in messages.iter().enumerate().take(got) {
        found(index * PLACE_BYTES, ADDRESS_BYTES + message.msg_len as usize);
    }
    Received { used: got * PLACE_BYTES, drained: got < places }
}

/// Sends a datagram to the address in front of it, if the kernel takes it at once.
pub fn send(fd: RawFd, datagram: Piece) {
    if datagram.length < ADDRESS_BYTES {
        return;
    }
    let address = datagram.start.cast::<sockaddr>();
    // SAFETY: a piece is good for reading, and long enough for an address, wherever it begins.
    let family = i32::from(unsafe { (&raw const (*address).sa_family).read_unaligned() });
    let address_bytes = match family {
        libc::AF_INET => mem::size_of::<sockaddr_in>(),
        libc::AF_INET6 => ADDRESS_BYTES,
        _ => return,
    };
    // SAFETY: both parts lie within the piece. Who cannot be reached is no concern of ours.
    unsafe {
        libc::sendto(
            fd,
            datagram.start.add(ADDRESS_BYTES).cast(),
            datagram.length - ADDRESS_BYTES,
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            address,
            address_bytes as socklen_t,
        )
    };
}
