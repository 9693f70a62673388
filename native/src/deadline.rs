//! What ends waiting over epoll: a timer that serves all waits of a slice. A time-out of each wait
//! would set and clear the machine's own timer every time, which is slow in virtual ones.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

pub struct Deadline {
    timer: OwnedFd,
    /// It is on its way.
    set: bool,
}

impl Deadline {
    pub fn new() -> io::Result<Self> {
        let flags = libc::TFD_NONBLOCK | libc::TFD_CLOEXEC;
        // SAFETY: no pointers; the result is checked.
        let fd = unsafe { libc::timerfd_create(libc::CLOCK_MONOTONIC, flags) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh descriptor that nobody else knows.
        Ok(Deadline { timer: unsafe { OwnedFd::from_raw_fd(fd) }, set: false })
    }

    /// Becomes readable when the time has come, which every setting makes anew.
    pub fn fd(&self) -> RawFd {
        self.timer.as_raw_fd()
    }

    /// Sets it, unless it is on its way; false when it cannot be, and nobody may wait for it.
    pub fn set(&mut self, patience: Duration) -> bool {
        if !self.set {
            let never = libc::timespec { tv_sec: 0, tv_nsec: 0 };
            let after = libc::timespec {
                tv_sec: patience.as_secs() as libc::time_t,
                tv_nsec: patience.subsec_nanos().into(),
            };
            let time = libc::itimerspec { it_interval: never, it_value: after };
            // SAFETY: the time lives through the call; the former one is not asked for.
            let status =
                unsafe { libc::timerfd_settime(self.fd(), 0, &time, std::ptr::null_mut()) };
            self.set = status == 0;
        }
        self.set
    }

    /// It has come.
    pub fn clear(&mut self) {
        self.set = false;
    }
}
