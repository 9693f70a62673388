//! The receive buffers of a ring: pieces of the input arena that the kernel takes one after the
//! other. They are handed over through a ring in memory that both sides see.
//!
//! Where the kernel can do it (6.12), a buffer is filled bit by bit, so that the requests of one
//! turn lie next to each other; else every receive takes a whole buffer, and buffers are smaller.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::io;
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::BufRingEntry;
use io_uring::{IoUring, cqueue};

const GROUP: u16 = 0;
const PAGE_BYTES: usize = 4096;
/// IOU_PBUF_RING_INC
const INCREMENTAL: u16 = 2;
const SHARED_BUFFER_BYTES: usize = 64 * 1024;
const WHOLE_BUFFER_BYTES: usize = 8 * 1024;

pub struct Buffers {
    ring: *mut BufRingEntry,
    layout: Layout,
    entries: u16,
    tail: u16,
    input: *mut u8,
    buffer_bytes: usize,
    incremental: bool,
    /// How far each buffer is filled.
    filled: Vec<usize>,
    /// Full buffers, which TypeScript may still be reading.
    used: Vec<u16>,
}

impl Buffers {
    /// Whether this kernel knows such rings of buffers.
    pub fn can_be_registered(ring: &IoUring) -> bool {
        let mut input = vec![0; WHOLE_BUFFER_BYTES];
        match Buffers::register(ring, input.as_mut_ptr(), input.len()) {
            Ok(buffers) => {
                buffers.unregister(ring);
                true
            }
            Err(_) => false,
        }
    }

    /// Cuts an arena into buffers and hands them all to the kernel.
    pub fn register(ring: &IoUring, input: *mut u8, length: usize) -> io::Result<Self> {
        Buffers::register_as(ring, input, length, true)
            .or_else(|_| Buffers::register_as(ring, input, length, false))
    }

    fn register_as(
        ring: &IoUring,
        input: *mut u8,
        length: usize,
        incremental: bool,
    ) -> io::Result<Self> {
        let wanted = if incremental { SHARED_BUFFER_BYTES } else { WHOLE_BUFFER_BYTES };
        let buffer_bytes = wanted.min(length);
        let count = length / buffer_bytes;
        let entries = count.next_power_of_two();
        let layout = Layout::from_size_align(entries * size_of::<BufRingEntry>(), PAGE_BYTES)
            .map_err(io::Error::other)?;
        // SAFETY: the layout is not empty; the memory is freed after the ring is unregistered.
        let memory = unsafe { alloc_zeroed(layout) };
        if memory.is_null() {
            handle_alloc_error(layout);
        }
        let mut buffers = Buffers {
            ring: memory.cast(),
            layout,
            entries: entries as u16,
            tail: 0,
            input,
            buffer_bytes,
            incremental,
            filled: vec![0; count],
            used: (0..count as u16).collect(),
        };
        let flags = if incremental { INCREMENTAL } else { 0 };
        // SAFETY: the memory is page-aligned, large enough, and outlives the registration.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(
                memory as u64,
                entries as u16,
                GROUP,
                flags,
            )?;
        }
        buffers.give_back();
        Ok(buffers)
    }

    pub fn group(&self) -> u16 {
        GROUP
    }

    /// Where the bytes of a receive lie in the arena; 0 if it brought none.
    pub fn take(&mut self, result: i32, flags: u32) -> usize {
        let Some(id) = cqueue::buffer_select(flags) else { return 0 };
        let filled = &mut self.filled[id as usize];
        let at = id as usize * self.buffer_bytes + *filled;
        *filled += result.max(0) as usize;
        // A buffer that is filled bit by bit goes on being used when nothing came into it, though
        // some kernels fail to say so at the end of a stream.
        let goes_on = self.incremental && (cqueue::buffer_more(flags) || result <= 0);
        if !goes_on {
            self.used.push(id);
        }
        at
    }

    /// Hands full buffers to the kernel again. TypeScript has read them.
    pub fn give_back(&mut self) {
        if self.used.is_empty() {
            return;
        }
        for id in self.used.drain(..) {
            self.filled[id as usize] = 0;
            let place = (self.tail & (self.entries - 1)) as usize;
            // SAFETY: the place is within the ring, and the buffer within the arena. The kernel
            // does not look at it before the tail says so.
            unsafe {
                let start = self.input.add(id as usize * self.buffer_bytes);
                let entry = &mut *self.ring.add(place);
                entry.set_addr(start as u64);
                entry.set_len(self.buffer_bytes as u32);
                entry.set_bid(id);
            }
            self.tail = self.tail.wrapping_add(1);
        }
        // SAFETY: the tail lies in the unused part of the first entry.
        unsafe {
            let tail = BufRingEntry::tail(self.ring).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }

    /// Takes the buffers from the kernel: nothing is received into them afterwards.
    pub fn unregister(&self, ring: &IoUring) {
        // It fails only where there is nothing registered.
        let _ = ring.submitter().unregister_buf_ring(GROUP);
    }
}

impl Drop for Buffers {
    fn drop(&mut self) {
        // SAFETY: allocated with this layout; the kernel has let go of it.
        unsafe { dealloc(self.ring.cast(), self.layout) };
    }
}
