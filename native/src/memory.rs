//! What the kernel is told about the shared memory: that it should use large pages for it, and that
//! it should not swap it out.

use std::io;

use libc::{c_uint, c_void};
use napi::bindgen_prelude::Uint8Array;
use napi_derive::napi;

use crate::failure::{Result, failed};

/// Has the kernel use large pages for this memory where it can; what of it was touched before stays
/// in small ones. Throws an Error with a code where the kernel has no large pages at all.
#[napi]
pub fn use_large_pages(memory: Uint8Array) -> Result<()> {
    let page = page_bytes();
    let start = memory.as_ptr() as usize;
    let first = start.next_multiple_of(page);
    let end = (start + memory.len()) / page * page;
    if end <= first {
        return Ok(());
    }
    // SAFETY: whole pages within the memory; advice changes no byte of them.
    let result = unsafe { libc::madvise(first as *mut c_void, end - first, libc::MADV_HUGEPAGE) };
    if result < 0 {
        return Err(failed("madvise", &io::Error::last_os_error()));
    }
    Ok(())
}

/// Keeps this memory from being swapped out, each page from when it is touched: what is only
/// reserved stays so, but counts towards the limit on locked memory. Throws an Error with a code,
/// `ENOMEM` or `EPERM` where the limit is too low.
///
/// Only this memory and not that of the whole process: V8 gives pages of its heaps back by a
/// `madvise` that the kernel refuses for locked ones, and that ends the process.
#[napi]
pub fn lock_memory(memory: Uint8Array) -> Result<()> {
    // Not every C library has a function for it.
    // SAFETY: the range is that of the memory, and being locked changes no byte of it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mlock2,
            memory.as_ptr().cast::<c_void>(),
            memory.len(),
            libc::MLOCK_ONFAULT as c_uint,
        )
    };
    if result < 0 {
        return Err(failed("mlock2", &io::Error::last_os_error()));
    }
    Ok(())
}

/// Of the small pages, bytes: on arm64 they may have 64 KB.
fn page_bytes() -> usize {
    // SAFETY: no pointers.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}
