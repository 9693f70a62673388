//! A descriptor that is readable from the moment it is rung until it is silenced, however often it
//! was rung. It wakes a thread that waits for sockets.
//!
//! A pipe, not an eventfd: a ring that is polling an eventfd is woken within that write, from where
//! the kernel may not signal another eventfd, the one that the ring's own loop waits for. It puts
//! that off, and Linux 6.18 was seen to forget it from the second time on.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

pub struct Bell {
    rope: OwnedFd,
    clapper: OwnedFd,
}

impl Bell {
    pub fn new() -> io::Result<Self> {
        let mut ends = [0; 2];
        // SAFETY: the array has room for both ends; the result is checked.
        if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC) } != 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: fresh descriptors that nobody else knows.
        let [clapper, rope] = ends.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
        Ok(Bell { rope, clapper })
    }

    /// What polls as readable.
    pub fn fd(&self) -> RawFd {
        self.clapper.as_raw_fd()
    }

    pub fn ring(&self) {
        // SAFETY: the descriptor is ours and the byte lives through the call. A full pipe is not
        // written to, and is readable anyway.
        unsafe { libc::write(self.rope.as_raw_fd(), [1u8].as_ptr().cast(), 1) };
    }

    /// What rings afterwards makes it readable again, so look for what it stands for after this.
    pub fn silence(&self) {
        let mut strokes = [0u8; 1024];
        // SAFETY: the descriptor is ours and the array lives through the call.
        while unsafe { libc::read(self.fd(), strokes.as_mut_ptr().cast(), strokes.len()) } > 0 {}
    }
}
