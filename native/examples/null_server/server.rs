//! The ring: accepts, receives and sends, one system call per turn.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU16, Ordering};

use io_uring::types::{BufRingEntry, Fd};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::requests::{Due, Requests, Shape};

const ENTRIES: u32 = 4096;
const GROUP: u16 = 0;
const BUFFERS: u16 = 1024;
const BUFFER_BYTES: usize = 16_384;
const PAGE: usize = 4096;
/// The longest filler that one send carries; longer replies take several.
const FILLER_BYTES: usize = 4 << 20;
const VERSION: &[u8] = b"VERSION null\r\n";

const ACCEPT: u64 = u64::MAX;
/// Completions of sends are told by this bit; they come when a send fails only.
const SEND: u64 = 1 << 32;

/// Receive buffers that the kernel picks from, and the ring that names them.
struct Buffers {
    memory: Vec<u8>,
    ring: *mut BufRingEntry,
    tail: u16,
}

impl Buffers {
    fn register(ring: &IoUring) -> io::Result<Buffers> {
        let entries = Box::leak(vec![0u8; BUFFERS as usize * 16 + PAGE].into_boxed_slice());
        let aligned = entries.as_mut_ptr().align_offset(PAGE);
        let address = entries[aligned..].as_mut_ptr().cast::<BufRingEntry>();
        // SAFETY: the ring's memory is leaked, so it outlives the kernel's use of it.
        unsafe {
            ring.submitter().register_buf_ring_with_flags(address as u64, BUFFERS, GROUP, 0)?;
        }
        let memory = vec![0; BUFFERS as usize * BUFFER_BYTES];
        let mut buffers = Buffers { memory, ring: address, tail: 0 };
        for id in 0..BUFFERS {
            buffers.give_back(id);
        }
        Ok(buffers)
    }

    fn bytes(&self, id: u16, length: usize) -> &[u8] {
        let start = id as usize * BUFFER_BYTES;
        &self.memory[start..start + length]
    }

    fn give_back(&mut self, id: u16) {
        let start = id as usize * BUFFER_BYTES;
        let address = self.memory[start..start + BUFFER_BYTES].as_mut_ptr();
        // SAFETY: the index is within the ring by its mask; the kernel reads an entry only after
        // the tail has passed it, and the tail lies in the first entry of the same memory.
        unsafe {
            let entry = &mut *self.ring.add((self.tail & (BUFFERS - 1)) as usize);
            entry.set_addr(address as u64);
            entry.set_len(BUFFER_BYTES as u32);
            entry.set_bid(id);
            self.tail = self.tail.wrapping_add(1);
            let tail = BufRingEntry::tail(self.ring).cast::<AtomicU16>();
            (*tail).store(self.tail, Ordering::Release);
        }
    }
}

struct Server {
    ring: IoUring,
    buffers: Buffers,
    shape: Shape,
    /// By descriptor.
    connections: Vec<Requests>,
    filler: Vec<u8>,
}

/// Listens on 127.0.0.1 and serves until it is killed.
pub fn run(port: u16, shape: Shape) -> io::Result<()> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))?;
    // SAFETY: listens anew on a descriptor of our own, to lengthen the queue.
    unsafe { libc::listen(listener.as_raw_fd(), 4096) };
    let ring = IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_cqsize(4 * ENTRIES)
        .build(ENTRIES)?;
    let buffers = Buffers::register(&ring)?;
    let filler = vec![b'x'; FILLER_BYTES];
    let mut server = Server { ring, buffers, shape, connections: Vec::new(), filler };
    let accept = opcode::AcceptMulti::new(Fd(listener.as_raw_fd())).build().user_data(ACCEPT);
    server.push(&accept)?;
    let mut completions: Vec<(u64, i32, u32)> = Vec::new();
    loop {
        server.ring.submit_and_wait(1)?;
        let arrived = server.ring.completion();
        completions.extend(arrived.map(|entry| (entry.user_data(), entry.result(), entry.flags())));
        for (data, result, flags) in completions.drain(..) {
            if data == ACCEPT {
                server.opened(result)?;
                if !cqueue::more(flags) {
                    server.push(&accept)?;
                }
            } else if data & SEND == 0 {
                server.received(data as RawFd, result, flags)?;
            }
        }
    }
}

impl Server {
    fn push(&mut self, entry: &squeue::Entry) -> io::Result<()> {
        // SAFETY: entries point to the filler, the version text or the buffer group, which live as
        // long as the process.
        while unsafe { self.ring.submission().push(entry) }.is_err() {
            self.ring.submit()?;
        }
        Ok(())
    }

    fn opened(&mut self, socket: RawFd) -> io::Result<()> {
        if socket < 0 {
            return Ok(());
        }
        let on: libc::c_int = 1;
        // SAFETY: the option's value is an int that lives through the call.
        unsafe {
            let value = (&raw const on).cast();
            libc::setsockopt(socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, value, 4);
        }
        let place = socket as usize;
        if self.connections.len() <= place {
            self.connections.resize_with(place + 1, Requests::default);
        }
        self.connections[place] = Requests::default();
        self.receive(socket)
    }

    fn receive(&mut self, socket: RawFd) -> io::Result<()> {
        let receive = opcode::RecvMulti::new(Fd(socket), GROUP).build();
        self.push(&receive.user_data(socket as u64))
    }

    fn received(&mut self, socket: RawFd, result: i32, flags: u32) -> io::Result<()> {
        if result <= 0 && result != -libc::ENOBUFS {
            // SAFETY: the descriptor is ours, and nothing is under way on it once a receive ended.
            unsafe { libc::close(socket) };
            return Ok(());
        }
        if let Some(id) = cqueue::buffer_select(flags) {
            let bytes = self.buffers.bytes(id, result.max(0) as usize);
            let due = self.connections[socket as usize].feed(bytes, &self.shape);
            self.buffers.give_back(id);
            self.answer(socket, due)?;
        }
        if !cqueue::more(flags) {
            self.receive(socket)?;
        }
        Ok(())
    }

    fn answer(&mut self, socket: RawFd, due: Due) -> io::Result<()> {
        let mut left = due.filler;
        while left > 0 {
            let length = left.min(FILLER_BYTES);
            let start = self.filler.as_ptr();
            self.send(socket, start, length)?;
            left -= length;
        }
        if due.version {
            self.send(socket, VERSION.as_ptr(), VERSION.len())?;
        }
        Ok(())
    }

    /// Queues a send. Several of one connection may overtake each other: filler is filler.
    fn send(&mut self, socket: RawFd, start: *const u8, length: usize) -> io::Result<()> {
        let send = opcode::Send::new(Fd(socket), start, length as u32)
            .flags(libc::MSG_WAITALL | libc::MSG_NOSIGNAL)
            .build()
            .flags(squeue::Flags::SKIP_SUCCESS)
            .user_data(SEND | socket as u64);
        self.push(&send)
    }
}
