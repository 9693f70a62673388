//! Where the main thread leaves accepted descriptors for a worker. A mailbox owns what lies in it:
//! when its worker is gone and it is closed, so are they, and no client is left hanging.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// An accepted connection, and where it belongs.
pub struct Arrival {
    pub fd: OwnedFd,
    /// Of the connection table; the pump's id of the connection.
    pub slot: u32,
    /// Place in the table of listeners.
    pub listener: u32,
}

/// One worker's mailbox.
pub struct Mailbox {
    /// None once it is closed.
    arrivals: Mutex<Option<Vec<Arrival>>>,
    /// An eventfd that is readable while something may lie in the mailbox.
    bell: OwnedFd,
}

static MAILBOXES: Mutex<BTreeMap<u32, Arc<Mailbox>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU32 = AtomicU32::new(1);

/// A panic elsewhere leaves these tables whole: every change to them is a single call.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Mailbox {
    /// What polls as readable when something has come.
    pub fn bell(&self) -> RawFd {
        self.bell.as_raw_fd()
    }

    /// Gives the arrival back when the mailbox is closed.
    pub fn put(&self, arrival: Arrival) -> Result<(), Arrival> {
        match lock(&self.arrivals).as_mut() {
            None => return Err(arrival),
            Some(arrivals) => arrivals.push(arrival),
        }
        let one = 1u64.to_ne_bytes();
        // SAFETY: the descriptor is ours and the eight bytes live through the call. A full counter
        // is not written to, and is readable anyway.
        unsafe { libc::write(self.bell(), one.as_ptr().cast(), one.len()) };
        Ok(())
    }

    /// All that lies in it, in the order in which it came.
    pub fn take(&self) -> Vec<Arrival> {
        let mut count = [0u8; 8];
        // SAFETY: as in put. The bell is silenced first: what comes later rings it again.
        unsafe { libc::read(self.bell(), count.as_mut_ptr().cast(), count.len()) };
        lock(&self.arrivals)
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }
}

/// A new mailbox; its number is never used again.
pub fn open() -> io::Result<u32> {
    // SAFETY: no pointers; the result is checked.
    let fd = unsafe { libc::eventfd(0, libc::EFD_NONBLOCK | libc::EFD_CLOEXEC) };
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor that nobody else knows.
    let bell = unsafe { OwnedFd::from_raw_fd(fd) };
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mailbox = Mailbox {
        arrivals: Mutex::new(Some(Vec::new())),
        bell,
    };
    lock(&MAILBOXES).insert(id, Arc::new(mailbox));
    Ok(id)
}

/// The mailbox of that number, while it is open.
pub fn find(id: u32) -> Option<Arc<Mailbox>> {
    lock(&MAILBOXES).get(&id).cloned()
}

/// Takes nothing more, and closes the descriptors that lie in it.
pub fn close(id: u32) {
    let mailbox = lock(&MAILBOXES).remove(&id);
    if let Some(mailbox) = mailbox {
        drop(lock(&mailbox.arrivals).take());
    }
}
