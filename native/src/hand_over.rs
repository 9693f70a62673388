//! What TypeScript sees of mailboxes: the main thread gives each accepted descriptor to a worker.

use std::os::fd::IntoRawFd;

use napi_derive::napi;

use crate::failure::{Result, failed};
use crate::mailbox::{self, Arrival};
use crate::sockets::owned;

/// A mailbox for one worker; its number is never used again.
#[napi]
pub fn open_mailbox() -> Result<u32> {
    mailbox::open().map_err(|error| failed("eventfd", &error))
}

/// Closes it and the descriptors left in it.
#[napi]
pub fn close_mailbox(mailbox: u32) {
    mailbox::close(mailbox);
}

/// Gives an accepted descriptor to a worker. False when the mailbox is closed: then it is still the
/// caller's.
#[napi]
pub fn hand_over(fd: i32, mailbox: u32, slot: u32, listener: u32) -> Result<bool> {
    let Some(mailbox) = mailbox::find(mailbox) else { return Ok(false) };
    let fd = owned(fd).map_err(|error| failed("hand over", &error))?;
    let Err(arrival) = mailbox.put(Arrival { fd, slot, listener }) else { return Ok(true) };
    // Not to be closed here.
    let _ = arrival.fd.into_raw_fd();
    Ok(false)
}
