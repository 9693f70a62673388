//! The pump over io_uring: a receive per connection that stays armed and takes its memory from
//! buffers of the arena, and one system call a turn that sends every reply and waits for what is
//! next.
//!
//! A send is tried once, when it is submitted: it is done or has failed when that call returns, so
//! the output arena belongs to TypeScript again. What a socket did not take is copied and sent when
//! it is writable, as the pump over epoll does it.
//!
//! Completions are work that the kernel leaves to this thread (deferred task work), so they cost no
//! interrupt; but the ring's own descriptor does not become readable by it. An eventfd does, which
//! is silent while TypeScript asks for completions anyway.
//!
//! A descriptor is not closed before the kernel has finished with all that is armed for it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Duration;

use io_uring::types::{Fd, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::backend::{Backend, DATAGRAM_BYTES};
use crate::connection::{Connection, PIECES_MAX};
use crate::datagrams;
use crate::exchange::{Exchange, Piece};
use crate::mailbox::Mailbox;
use crate::table::Table;

mod alarm;
mod buffers;
mod completions;
mod lifecycle;
mod sends;

use alarm::Alarm;
use buffers::Buffers;
use sends::Sends;

const SUBMISSIONS: u32 = 1024;
const COMPLETIONS: u32 = 8192;
/// Failures of a call that may not be those of the next one.
const PASSING: [i32; 5] = [libc::ETIME, libc::EINTR, libc::EAGAIN, libc::EBUSY, libc::ENOMEM];
/// How often the kernel is asked for work that it says it has and that brings nothing.
const VAIN_TURNS_MAX: u32 = 8;

/* The upper half of a completion's user data; the lower is a connection's id. */
const RECEIVE: u64 = 0;
/// The lower half is a place in the batch of sends.
const SEND: u64 = 1;
const WRITABLE: u64 = 2;
const DATAGRAMS: u64 = 3;
const CANCEL: u64 = 4;
const BELL: u64 = 5;
const DEADLINE: u64 = 6;

fn tag(kind: u64, id: u32) -> u64 {
    kind << 32 | u64::from(id)
}

type AtOnce = bool;

pub struct Ring {
    ring: IoUring,
    /// Readable when there is something to collect, unless awake.
    alarm: Alarm,
    buffers: Buffers,
    mailbox: Arc<Mailbox>,
    table: Table,
    sends: Sends,
    /// Completions that there was no room to report.
    backlog: VecDeque<cqueue::Entry>,
    /// Connections whose receive is to be armed, once buffers have been given back.
    unarmed: Vec<u32>,
    /// Connections to be closed when the sends of this turn are through, at once or as soon as
    /// nothing is unsent. Until then their descriptors must not come to mean something else.
    closing: Vec<(u32, AtOnce)>,
    /// Datagram sockets that may have something to read.
    ready: VecDeque<u32>,
    /// A completion that ends waiting is on its way.
    timing: bool,
    /// Read by the kernel when that is submitted.
    time: Timespec,
    /// Why the kernel does not work for this ring any more, an errno.
    failure: Option<i32>,
}

fn build(submissions: u32) -> io::Result<IoUring> {
    IoUring::builder()
        .setup_single_issuer()
        .setup_defer_taskrun()
        .setup_taskrun_flag()
        .setup_submit_all()
        .setup_clamp()
        .setup_cqsize(COMPLETIONS)
        .build(submissions)
}

impl Ring {
    /// Whether this kernel, and whoever guards it, lets a ring be made.
    pub fn is_available() -> bool {
        build(SUBMISSIONS).is_ok_and(|ring| Buffers::can_be_registered(&ring))
    }

    pub fn new(mailbox: Arc<Mailbox>, connections: usize, exchange: &Exchange) -> io::Result<Self> {
        let ring = build(SUBMISSIONS)?;
        let room = exchange.input_length.saturating_sub(DATAGRAM_BYTES);
        let buffers = Buffers::register(&ring, exchange.input, room)?;
        let alarm = Alarm::new()?;
        ring.submitter().register_eventfd(alarm.fd())?;
        let mut pump = Ring {
            ring,
            alarm,
            buffers,
            mailbox,
            table: Table::new(connections),
            sends: Sends::default(),
            backlog: VecDeque::new(),
            unarmed: Vec::new(),
            closing: Vec::new(),
            ready: VecDeque::new(),
            timing: false,
            time: Timespec::new(),
            failure: None,
        };
        pump.watch_bell();
        pump.enter(false);
        pump.check()?;
        Ok(pump)
    }

    fn watch_bell(&mut self) {
        let poll = opcode::PollAdd::new(Fd(self.mailbox.bell()), libc::POLLIN as u32).multi(true);
        self.push(poll.build().user_data(tag(BELL, 0)));
    }

    fn push(&mut self, entry: squeue::Entry) {
        // SAFETY: what the entry refers to stays in place until it is submitted, and what the
        // kernel keeps of it (descriptors, the buffer group) until it has completed.
        while unsafe { self.ring.submission().push(&entry) }.is_err() {
            self.enter(false);
            if self.failure.is_some() {
                return;
            }
        }
    }

    /// Hands over what was pushed, waits for a completion if it may, and takes those that are
    /// there. Nothing of this turn's sends is left with the kernel afterwards, nor an answer.
    fn enter(&mut self, may_wait: bool) {
        while self.failure.is_none() {
            let want = usize::from(may_wait && self.backlog.is_empty());
            let result = self.ring.submitter().submit_and_wait(want);
            self.backlog.extend(self.ring.completion());
            let submission = self.ring.submission();
            // Completions that the queue had no room for come with the next call, in their order.
            if submission.is_empty() && !submission.cq_overflow() {
                break;
            }
            // Of a time-out, a signal, or a lack of memory nothing remains; else it would go on
            // for ever.
            let errno = result.err().and_then(|error| error.raw_os_error());
            self.failure = errno.filter(|errno| !PASSING.contains(errno));
        }
    }

    /// Has waiting end after that time. One timer serves all waits of a slice: a time-out of each
    /// call would set and clear the machine's own timer every time, which is slow in virtual ones.
    fn set_deadline(&mut self, patience: Duration) {
        if self.timing {
            return;
        }
        self.timing = true;
        self.time = Timespec::from(patience);
        let timeout = opcode::Timeout::new(&self.time).build();
        self.push(timeout.user_data(tag(DEADLINE, 0)));
    }

    fn turn(&mut self, exchange: &mut Exchange, patience: Duration) {
        self.buffers.give_back();
        while let Some(id) = self.unarmed.pop() {
            self.arm(id);
        }
        let may_wait = !patience.is_zero()
            && exchange.is_quiet()
            && self.backlog.is_empty()
            && self.ready.is_empty()
            && self.closing.is_empty();
        if may_wait {
            self.set_deadline(patience);
        }
        self.enter(may_wait);
        self.settle_sends(exchange);
        exchange.deliver_waiting();
        while let Some((id, at_once)) = self.closing.pop() {
            if self.table.get(id).is_some_and(|connection| at_once || !connection.is_blocked()) {
                self.retire(exchange, id);
            }
        }
        self.report_backlog(exchange);
        self.read_ready(exchange);
    }

    fn check(&self) -> io::Result<()> {
        self.failure.map_or(Ok(()), |errno| Err(io::Error::from_raw_os_error(errno)))
    }

    /// Whether the kernel has work that waits for this thread to ask. Its flag for that may be left
    /// over from work that is done, until there is work again.
    fn may_have_work(&mut self) -> bool {
        self.ring.submission().taskrun()
    }

    fn has_more_to_do(&mut self) -> bool {
        !self.unarmed.is_empty() || !self.ring.submission().is_empty()
    }
}

impl Backend for Ring {
    fn descriptor(&self) -> RawFd {
        self.alarm.fd()
    }

    fn awake(&mut self) {
        self.ring.completion().disable_eventfd();
        self.alarm.silence();
    }

    fn rest(&mut self) {
        self.ring.completion().enable_eventfd();
        // What has come before that made no sound.
        fence(Ordering::SeqCst);
        for _ in 0..VAIN_TURNS_MAX {
            if !self.backlog.is_empty() || !self.may_have_work() {
                break;
            }
            self.enter(false);
        }
        if !self.backlog.is_empty() || !self.ring.completion().is_empty() || self.failure.is_some()
        {
            self.alarm.ring();
        }
    }

    fn adopt(&mut self, fd: OwnedFd, id: u32, datagrams: bool) -> bool {
        if !datagrams {
            make_blocking(fd.as_raw_fd());
        }
        if !self.table.put(id, Connection::new(fd, datagrams)) {
            return false;
        }
        if datagrams {
            self.poll_datagrams(id);
        } else {
            self.arm(id);
        }
        true
    }

    fn send(&mut self, exchange: &mut Exchange, id: u32, pieces: &[Piece]) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.broken || connection.is_leaving() {
            return;
        }
        if connection.is_blocked() {
            return connection.keep(pieces, 0);
        }
        // Two sends of one connection may not be under way together: the first may be cut short.
        if pieces.len() > PIECES_MAX || connection.sending {
            return self.send_apart(exchange, id, pieces);
        }
        connection.sending = true;
        let entry = self.sends.add(id, connection.fd(), pieces);
        self.push(entry);
    }

    fn close(&mut self, _exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if !connection.closing {
            connection.closing = true;
            self.closing.push((id, false));
        }
    }

    fn destroy(&mut self, exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.sending {
            connection.closing = true;
            self.closing.push((id, true));
        } else {
            self.retire(exchange, id);
        }
    }

    fn pause(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.paused = true;
        if !connection.dying {
            self.disarm(id);
        }
    }

    fn resume(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.paused = false;
        self.arm_later(id);
    }

    fn send_datagram(&mut self, id: u32, datagram: Piece) {
        if let Some(connection) = self.table.get(id) {
            datagrams::send(connection.fd(), datagram);
        }
    }

    fn collect(&mut self, exchange: &mut Exchange, patience: Duration) -> io::Result<()> {
        self.turn(exchange, patience);
        // With something to report TypeScript comes back; without, nobody would arm what is not.
        let mut vain = 0;
        while exchange.count() == 0
            && self.failure.is_none()
            && (self.has_more_to_do() || self.may_have_work() && vain < VAIN_TURNS_MAX)
        {
            self.turn(exchange, Duration::ZERO);
            vain += 1;
        }
        self.check()
    }
}

impl Drop for Ring {
    fn drop(&mut self) {
        // A receive that is still armed must not write to memory that is being freed.
        self.buffers.unregister(&self.ring);
    }
}

/// On a descriptor that does not block, a receive would fail instead of waiting.
fn make_blocking(fd: RawFd) {
    // SAFETY: the descriptor is open.
    unsafe {
        let flags = libc::fcntl(fd, libc::F_GETFL);
        libc::fcntl(fd, libc::F_SETFL, flags & !libc::O_NONBLOCK);
    }
}
