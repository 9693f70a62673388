//! Where the main thread leaves accepted descriptors for a worker. A mailbox owns what lies in it:
//! when its worker is gone and it is closed, so are they, and no client is left hanging.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::bell::Bell;

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
    /// Rings when something has come.
    bell: Bell,
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
        self.bell.fd()
    }

    /// Gives the arrival back when the mailbox is closed.
    pub fn put(&self, arrival: Arrival) -> Result<(), Arrival> {
        match lock(&self.arrivals).as_mut() {
            None => return Err(arrival),
            Some(arrivals) => arrivals.push(arrival),
        }
        self.bell.ring();
        Ok(())
    }

    /// All that lies in it, in the order in which it came.
    pub fn take(&self) -> Vec<Arrival> {
        self.bell.silence();
        lock(&self.arrivals).as_mut().map(std::mem::take).unwrap_or_default()
    }
}

/// A new mailbox; its number is never used again.
pub fn open() -> io::Result<u32> {
    let id = NEXT.fetch_add(1, Ordering::Relaxed);
    let mailbox = Mailbox { arrivals: Mutex::new(Some(Vec::new())), bell: Bell::new()? };
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
