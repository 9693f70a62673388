//! What the kernel is told about the shared memory: that it should use large pages for it, and that
//! it should not swap it out.

use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::failure::{Result, failed};
use crate::sockets::check;

const PAGE_BYTES: usize = 4096;

/// Has the kernel use large pages for this memory where it can; the memory must not be touched yet
/// for all of it to profit. Throws an Error with a code where there are none.
#[napi]
pub fn use_large_pages(memory: Uint8Array) -> Result<()> {
    let start = memory.as_ptr() as usize;
    let first = start.next_multiple_of(PAGE_BYTES);
    let end = (start + memory.len()) / PAGE_BYTES * PAGE_BYTES;
    if end <= first {
        return Ok(());
    }
    // SAFETY: whole pages within the memory; advice changes no byte of them.
    let result = unsafe { libc::madvise(first as *mut _, end - first, libc::MADV_HUGEPAGE) };
    check(result).map_err(|error| failed("madvise", &error))?;
    Ok(())
}

/// Keeps all memory of the process from being swapped out, as it is touched: what is only reserved
/// stays so. Throws an Error with a code where that is not allowed.
#[napi]
pub fn lock_memory() -> Result<()> {
    let flags = libc::MCL_CURRENT | libc::MCL_FUTURE | libc::MCL_ONFAULT;
    // SAFETY: no pointers.
    check(unsafe { libc::mlockall(flags) }).map_err(|error| failed("mlockall", &error))?;
    Ok(())
}
