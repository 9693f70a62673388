//! The pump over io_uring: a receive per connection that stays armed and takes its memory from
//! buffers of the arena, and one system call a turn that sends every reply and waits for what is
//! next.
//!
//! A send is tried once, when it is submitted: it is done or has failed when that call returns, so
//! the output arena belongs to TypeScript again. What a socket did not take is copied and sent when
//! it is writable, as the pump over epoll does it.
//!
//! A descriptor is not closed before the kernel has finished with all that is armed for it.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::backend::{Backend, DATAGRAM_BYTES, read_datagrams};
use crate::buffers::Buffers;
use crate::connection::{Connection, EMPTY_VECTOR, PIECES_MAX, Sent, message_of, total};
use crate::datagrams;
use crate::exchange::{
    EVENT_BLOCKED, EVENT_BROKEN, EVENT_CLOSED, EVENT_DATA, EVENT_END, EVENT_OPEN, EVENT_SENT,
    Exchange, Piece,
};
use crate::mailbox::Mailbox;
use crate::table::Table;

const SUBMISSIONS: u32 = 1024;
const COMPLETIONS: u32 = 8192;
const SEND_FLAGS: i32 = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT | libc::MSG_WAITALL;

/* The upper half of a completion's user data; the lower is a connection's id. */
const RECEIVE: u64 = 0;
/// The lower half is a place in the batch of sends.
const SEND: u64 = 1;
const WRITABLE: u64 = 2;
const DATAGRAMS: u64 = 3;
const CANCEL: u64 = 4;
const BELL: u64 = 5;

fn tag(kind: u64, id: u32) -> u64 {
    kind << 32 | u64::from(id)
}

/// A send that is submitted with this turn: a run of `pieces`.
struct Sending {
    id: u32,
    first: usize,
    count: usize,
}

/// A message of several pieces; the kernel reads it when it is submitted.
struct Message {
    header: libc::msghdr,
    vectors: [libc::iovec; PIECES_MAX],
}

pub struct Ring {
    ring: IoUring,
    buffers: Buffers,
    mailbox: Arc<Mailbox>,
    table: Table,
    batch: Vec<Sending>,
    pieces: Vec<Piece>,
    messages: Vec<Box<Message>>,
    messages_used: usize,
    /// Completions that there was no room to report.
    backlog: VecDeque<cqueue::Entry>,
    /// Connections whose receive is to be armed, once buffers have been given back.
    unarmed: Vec<u32>,
    /// Connections to be closed when the sends of this turn are through.
    closing: Vec<u32>,
    /// Datagram sockets that may have something to read.
    ready: VecDeque<u32>,
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
        let mut pump = Ring {
            ring,
            buffers,
            mailbox,
            table: Table::new(connections),
            batch: Vec::new(),
            pieces: Vec::new(),
            messages: Vec::new(),
            messages_used: 0,
            backlog: VecDeque::new(),
            unarmed: Vec::new(),
            closing: Vec::new(),
            ready: VecDeque::new(),
        };
        pump.watch_bell();
        pump.submit(Duration::ZERO);
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
            self.enter(Duration::ZERO);
        }
    }

    /// Hands over what was pushed, waits for a completion, and takes those that are there. Nothing
    /// of this turn's sends is left with the kernel afterwards.
    fn enter(&mut self, patience: Duration) {
        let timeout = Timespec::from(patience);
        let arguments = SubmitArgs::new().timespec(&timeout);
        let want = usize::from(!patience.is_zero());
        loop {
            // An error is a time-out, a signal, or completions that are in the way: in each case
            // what counts is what is in the queues.
            let result = self.ring.submitter().submit_with_args(want, &arguments);
            self.backlog.extend(self.ring.completion());
            if self.ring.submission().is_empty() {
                break;
            }
            if let Err(error) = result
                && !matches!(
                    error.raw_os_error(),
                    Some(libc::EINTR | libc::EAGAIN | libc::EBUSY | libc::ETIME)
                )
            {
                panic!("io_uring_enter: {error}");
            }
        }
    }

    fn submit(&mut self, patience: Duration) {
        self.enter(patience);
    }

    fn arm(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.listed = false;
        if connection.receiving || !connection.is_read() || connection.datagrams {
            return;
        }
        connection.receiving = true;
        let fd = Fd(connection.fd());
        let receive = opcode::RecvMulti::new(fd, self.buffers.group());
        self.push(receive.build().user_data(tag(RECEIVE, id)));
    }

    /// Has a receive armed in the next turn, if there is none and it is wanted.
    fn arm_later(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.receiving || connection.listed || !connection.is_read() {
            return;
        }
        connection.listed = true;
        self.unarmed.push(id);
    }

    fn disarm(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.receiving {
            self.cancel(tag(RECEIVE, id));
        }
    }

    fn cancel(&mut self, what: u64) {
        let cancel = opcode::AsyncCancel::new(what).build();
        self.push(cancel.user_data(tag(CANCEL, 0)).flags(squeue::Flags::SKIP_SUCCESS));
    }

    fn wait_until_writable(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.polling {
            return;
        }
        connection.polling = true;
        let poll = opcode::PollAdd::new(Fd(connection.fd()), libc::POLLOUT as u32).build();
        self.push(poll.user_data(tag(WRITABLE, id)));
    }

    /// The kernel did not take all of a send.
    fn on_unsent(&mut self, exchange: &mut Exchange, place: usize, result: i32) {
        let Some(Sending { id, first, count }) = self.batch.get(place) else { return };
        let (id, pieces) = (*id, &self.pieces[*first..*first + *count]);
        let Some(connection) = self.table.get(id) else { return };
        let taken = if result == -libc::EAGAIN { 0 } else { result };
        if taken < 0 {
            return self.on_broken(exchange, id, -result);
        }
        if taken as usize == total(pieces) {
            return;
        }
        let was_blocked = connection.is_blocked();
        connection.keep(pieces, taken as usize);
        if !was_blocked {
            exchange.report(id, EVENT_BLOCKED, 0, 0);
        }
        self.disarm(id);
        self.wait_until_writable(id);
    }

    fn on_writable(&mut self, exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.polling = false;
        if connection.dying {
            return self.bury(exchange, id);
        }
        match connection.flush() {
            Sent::All if connection.closing => self.retire(exchange, id),
            Sent::All => {
                exchange.report(id, EVENT_SENT, 0, 0);
                self.arm_later(id);
            }
            Sent::Blocked => self.wait_until_writable(id),
            Sent::Broken(errno) => self.on_broken(exchange, id, errno),
        }
    }

    fn on_received(&mut self, exchange: &mut Exchange, id: u32, entry: &cqueue::Entry) {
        let (result, flags) = (entry.result(), entry.flags());
        let data = self.buffers.take(result, flags);
        let Some(connection) = self.table.get(id) else { return };
        if !cqueue::more(flags) {
            connection.receiving = false;
        }
        if connection.dying {
            return self.bury(exchange, id);
        }
        match result {
            0 => {
                connection.ended = true;
                exchange.report(id, EVENT_END, 0, 0);
            }
            length if length > 0 => exchange.report(id, EVENT_DATA, data as i32, length),
            // Paused, or all buffers were in use.
            errno if errno == -libc::ECANCELED || errno == -libc::ENOBUFS => {}
            errno if errno == -libc::EINTR || errno == -libc::EAGAIN => {}
            errno => return self.on_broken(exchange, id, -errno),
        }
        self.arm_later(id);
    }

    fn on_broken(&mut self, exchange: &mut Exchange, id: u32, errno: i32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.broken = true;
        connection.drop_unsent();
        if connection.closing {
            self.retire(exchange, id);
        } else {
            exchange.report(id, EVENT_BROKEN, 0, errno);
        }
    }

    /// Lets go of a connection: it is closed when nothing is armed for it any more.
    fn retire(&mut self, exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.dying {
            return;
        }
        connection.dying = true;
        connection.drop_unsent();
        let (receiving, polling, datagrams) =
            (connection.receiving, connection.polling, connection.datagrams);
        if receiving {
            self.cancel(tag(if datagrams { DATAGRAMS } else { RECEIVE }, id));
        }
        if polling {
            self.cancel(tag(WRITABLE, id));
        }
        self.bury(exchange, id);
    }

    fn bury(&mut self, exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.receiving || connection.polling {
            return;
        }
        self.table.remove(id);
        exchange.report(id, EVENT_CLOSED, 0, 0);
    }

    fn open_arrivals(&mut self, exchange: &mut Exchange) {
        for arrival in self.mailbox.take() {
            if self.adopt(arrival.fd, arrival.slot, false) {
                exchange.report(arrival.slot, EVENT_OPEN, arrival.listener as i32, 0);
            }
        }
    }

    fn on_datagrams(&mut self, exchange: &mut Exchange, id: u32, flags: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.receiving = cqueue::more(flags);
        if connection.dying {
            return self.bury(exchange, id);
        }
        if !connection.receiving {
            self.poll_datagrams(id);
        }
        let Some(connection) = self.table.get(id) else { return };
        if !connection.listed {
            connection.listed = true;
            self.ready.push_back(id);
        }
    }

    fn poll_datagrams(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.receiving = true;
        let poll = opcode::PollAdd::new(Fd(connection.fd()), libc::POLLIN as u32).multi(true);
        self.push(poll.build().user_data(tag(DATAGRAMS, id)));
    }

    /// Takes what is left of the turn's sends out of the completions; the rest keeps its order.
    fn settle_sends(&mut self, exchange: &mut Exchange) {
        for _ in 0..self.backlog.len() {
            let Some(entry) = self.backlog.pop_front() else { break };
            if entry.user_data() >> 32 == SEND {
                self.on_unsent(exchange, entry.user_data() as u32 as usize, entry.result());
            } else {
                self.backlog.push_back(entry);
            }
        }
        for Sending { id, .. } in self.batch.drain(..) {
            if let Some(connection) = self.table.get(id) {
                connection.sending = false;
            }
        }
        self.pieces.clear();
        self.messages_used = 0;
    }

    fn report_backlog(&mut self, exchange: &mut Exchange) {
        while exchange.has_room() {
            let Some(entry) = self.backlog.pop_front() else { break };
            let id = entry.user_data() as u32;
            match entry.user_data() >> 32 {
                RECEIVE => self.on_received(exchange, id, &entry),
                WRITABLE => self.on_writable(exchange, id),
                DATAGRAMS => self.on_datagrams(exchange, id, entry.flags()),
                BELL => {
                    if !cqueue::more(entry.flags()) {
                        self.watch_bell();
                    }
                    self.open_arrivals(exchange);
                }
                _ => {}
            }
        }
    }

    fn read_ready(&mut self, exchange: &mut Exchange) {
        let mut at = exchange.input_length.saturating_sub(DATAGRAM_BYTES);
        for _ in 0..self.ready.len() {
            let Some(id) = self.ready.pop_front() else { break };
            let Some(connection) = self.table.get(id) else { continue };
            let drained;
            (at, drained) = read_datagrams(connection, exchange, id, at);
            if drained {
                connection.listed = false;
            } else {
                self.ready.push_back(id);
            }
        }
    }

    fn turn(&mut self, exchange: &mut Exchange, patience: Duration) {
        self.buffers.give_back();
        while let Some(id) = self.unarmed.pop() {
            self.arm(id);
        }
        let idle = exchange.count() == 0
            && self.backlog.is_empty()
            && self.ready.is_empty()
            && self.closing.is_empty();
        self.submit(if idle { patience } else { Duration::ZERO });
        self.settle_sends(exchange);
        while let Some(id) = self.closing.pop() {
            if self.table.get(id).is_some_and(|connection| !connection.is_blocked()) {
                self.retire(exchange, id);
            }
        }
        self.report_backlog(exchange);
        self.read_ready(exchange);
    }

    fn has_more_to_do(&mut self) -> bool {
        !self.unarmed.is_empty() || !self.ring.submission().is_empty()
    }
}

impl Backend for Ring {
    fn descriptor(&self) -> RawFd {
        self.ring.as_raw_fd()
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
        if connection.broken || connection.closing {
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
        let fd = Fd(connection.fd());
        let place = tag(SEND, self.batch.len() as u32);
        let first = self.pieces.len();
        self.pieces.extend_from_slice(pieces);
        self.batch.push(Sending { id, first, count: pieces.len() });
        let entry = if let [piece] = pieces {
            let send = opcode::Send::new(fd, piece.start, piece.length as u32);
            send.flags(SEND_FLAGS).build()
        } else {
            let message = self.message(pieces);
            opcode::SendMsg::new(fd, message).flags(SEND_FLAGS as u32).build()
        };
        self.push(entry.user_data(place).flags(squeue::Flags::SKIP_SUCCESS));
    }

    fn close(&mut self, _exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if !connection.closing {
            connection.closing = true;
            self.closing.push(id);
        }
    }

    fn destroy(&mut self, exchange: &mut Exchange, id: u32) {
        self.retire(exchange, id);
    }

    fn pause(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.paused = true;
        self.disarm(id);
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

    fn collect(&mut self, exchange: &mut Exchange, patience: Duration) {
        self.turn(exchange, patience);
        // With something to report TypeScript comes back; without, nobody would arm what is not.
        while exchange.count() == 0 && self.has_more_to_do() {
            self.turn(exchange, Duration::ZERO);
        }
    }
}

impl Ring {
    /// Sends by system calls of its own, after what this turn has sent so far.
    fn send_apart(&mut self, exchange: &mut Exchange, id: u32, pieces: &[Piece]) {
        self.submit(Duration::ZERO);
        self.settle_sends(exchange);
        let Some(connection) = self.table.get(id) else { return };
        if connection.broken {
            return;
        }
        let was_blocked = connection.is_blocked();
        match connection.send(pieces) {
            Sent::All => {}
            Sent::Blocked => {
                if !was_blocked {
                    exchange.report(id, EVENT_BLOCKED, 0, 0);
                }
                self.disarm(id);
                self.wait_until_writable(id);
            }
            Sent::Broken(errno) => self.on_broken(exchange, id, errno),
        }
    }

    fn message(&mut self, pieces: &[Piece]) -> *const libc::msghdr {
        if self.messages_used == self.messages.len() {
            // SAFETY: all zeroes is an empty header.
            let header = unsafe { std::mem::zeroed() };
            self.messages.push(Box::new(Message { header, vectors: [EMPTY_VECTOR; PIECES_MAX] }));
        }
        let message = &mut self.messages[self.messages_used];
        self.messages_used += 1;
        message.header = message_of(pieces, &mut message.vectors);
        &message.header
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
