//! The pump over epoll: one wait a turn, and one receive and one send for each connection that has
//! something. Edge-triggered, so that a connection costs no system call to be watched again; which
//! of them may have more to read is remembered here.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::time::Duration;

use crate::backend::{Backend, DATAGRAM_BYTES, open_arrivals, read_datagrams};
use crate::connection::{Connection, Sent};
use crate::datagrams;
use crate::deadline::Deadline;
use crate::exchange::{
    EVENT_BLOCKED, EVENT_BROKEN, EVENT_CLOSED, EVENT_DATA, EVENT_END, EVENT_SENT, Exchange, Piece,
};
use crate::mailbox::Mailbox;
use crate::table::Table;

const INTEREST: i32 =
    libc::EPOLLIN | libc::EPOLLPRI | libc::EPOLLOUT | libc::EPOLLRDHUP | libc::EPOLLET;
const READABLE: i32 = libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR;
/// Where a peer that has gone away shows, or one that sends urgent data, at which a read stops: one
/// that was not filled is not the last one.
const GOES_ON: i32 = libc::EPOLLRDHUP | libc::EPOLLHUP | libc::EPOLLERR | libc::EPOLLPRI;
const BELL: u64 = u64::MAX;
const DEADLINE: u64 = u64::MAX - 1;
const FOR_EVER: i32 = -1;
const EVENTS_MAX: usize = 512;
/// One receive takes at most this, so that one connection cannot keep the others waiting.
const READ_BYTES: usize = 64 * 1024;
/// With less room than this a receive is left for the next turn.
const READ_MIN_BYTES: usize = 2 * 1024;
/// Bytes of different connections do not share a line of the processor's cache.
const LINE_BYTES: usize = 64;

pub struct Epoll {
    epoll: OwnedFd,
    mailbox: Arc<Mailbox>,
    table: Table,
    /// Those that may have something to read, in the order in which they get their turn.
    ready: VecDeque<u32>,
    events: Vec<libc::epoll_event>,
    deadline: Deadline,
}

impl Epoll {
    pub fn new(mailbox: Arc<Mailbox>, connections: usize) -> io::Result<Self> {
        // SAFETY: no pointers; the result is checked and owned.
        let epoll = unsafe {
            let fd = libc::epoll_create1(libc::EPOLL_CLOEXEC);
            if fd < 0 {
                return Err(io::Error::last_os_error());
            }
            OwnedFd::from_raw_fd(fd)
        };
        let events = vec![libc::epoll_event { events: 0, u64: 0 }; EVENTS_MAX];
        let pump = Epoll {
            epoll,
            mailbox,
            table: Table::new(connections),
            ready: VecDeque::new(),
            events,
            deadline: Deadline::new()?,
        };
        pump.watch(pump.mailbox.bell(), libc::EPOLLIN, BELL)?;
        pump.watch(pump.deadline.fd(), libc::EPOLLIN | libc::EPOLLET, DEADLINE)?;
        Ok(pump)
    }

    fn watch(&self, fd: RawFd, interest: i32, data: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: interest as u32, u64: data };
        // SAFETY: both descriptors are open and the event lives through the call.
        let status =
            unsafe { libc::epoll_ctl(self.epoll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, &mut event) };
        if status == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
    }

    fn wait(&mut self, patience: Duration) -> usize {
        let may_wait = !patience.is_zero() && self.deadline.set(patience);
        let timeout = if may_wait { FOR_EVER } else { 0 };
        // SAFETY: the list has room for as many events as it says.
        let count = unsafe {
            libc::epoll_wait(
                self.epoll.as_raw_fd(),
                self.events.as_mut_ptr(),
                EVENTS_MAX as i32,
                timeout,
            )
        };
        count.max(0) as usize
    }

    fn on_event(&mut self, exchange: &mut Exchange, id: u32, flags: i32) {
        let Some(connection) = self.table.get(id) else { return };
        if flags & GOES_ON != 0 {
            connection.read_to_end = true;
        }
        if flags & READABLE != 0 {
            connection.receiving = true;
        }
        if flags & libc::EPOLLOUT != 0 && connection.is_blocked() {
            match connection.flush() {
                Sent::All if connection.closing => return self.remove(exchange, id),
                Sent::All => exchange.report(id, EVENT_SENT, 0, 0),
                Sent::Blocked => {}
                Sent::Broken(errno) => return self.on_broken(exchange, id, errno),
            }
        }
        self.list(id);
    }

    /// Has a connection read in its turn, if there may be something and it is wanted.
    fn list(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.receiving && connection.is_read() && !connection.listed {
            connection.listed = true;
            self.ready.push_back(id);
        }
    }

    fn on_broken(&mut self, exchange: &mut Exchange, id: u32, errno: i32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.broken = true;
        if connection.closing {
            self.remove(exchange, id);
        } else {
            exchange.report(id, EVENT_BROKEN, 0, errno);
        }
    }

    fn remove(&mut self, exchange: &mut Exchange, id: u32) {
        self.table.remove(id);
        exchange.report(id, EVENT_CLOSED, 0, 0);
    }

    /// Gives each of the ready ones a turn, as long as there is room for what comes.
    fn read_ready(&mut self, exchange: &mut Exchange) {
        let streams_end = exchange.input_length.saturating_sub(DATAGRAM_BYTES);
        let mut at = 0;
        let mut datagrams_at = streams_end;
        for _ in 0..self.ready.len() {
            if !exchange.has_room() || streams_end - at < READ_MIN_BYTES {
                return;
            }
            let Some(id) = self.ready.pop_front() else { return };
            let Some(connection) = self.table.get(id) else { continue };
            connection.listed = false;
            if !connection.is_read() {
                continue;
            }
            if connection.datagrams {
                let drained;
                (datagrams_at, drained) = read_datagrams(connection, exchange, id, datagrams_at);
                connection.receiving = !drained;
                self.list(id);
                continue;
            }
            let room = READ_BYTES.min(streams_end - at);
            // SAFETY: within the arena.
            let target = unsafe { exchange.input.add(at) };
            match receive(connection.fd(), target, room) {
                Ok(0) => {
                    connection.ended = true;
                    exchange.report(id, EVENT_END, 0, 0);
                }
                Ok(length) => {
                    exchange.report(id, EVENT_DATA, at as i32, length as i32);
                    at = (at + length).next_multiple_of(LINE_BYTES).min(streams_end);
                    if length < room && !connection.read_to_end {
                        connection.receiving = false;
                    }
                    self.list(id);
                }
                Err(libc::EAGAIN) => connection.receiving = false,
                Err(errno) => self.on_broken(exchange, id, errno),
            }
        }
    }
}

/// Bytes received, 0 at the end, or an errno.
fn receive(fd: RawFd, target: *mut u8, room: usize) -> Result<usize, i32> {
    loop {
        // SAFETY: the caller has made sure of the room.
        let length = unsafe { libc::recv(fd, target.cast(), room, libc::MSG_DONTWAIT) };
        if length >= 0 {
            return Ok(length as usize);
        }
        match io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) {
            libc::EINTR => {}
            errno => return Err(errno),
        }
    }
}

impl Backend for Epoll {
    fn descriptor(&self) -> RawFd {
        self.epoll.as_raw_fd()
    }

    fn adopt(&mut self, fd: OwnedFd, id: u32, datagrams: bool) -> bool {
        let connection = Connection::new(fd, datagrams);
        self.watch(connection.fd(), INTEREST, u64::from(id)).is_ok()
            && self.table.put(id, connection)
    }

    fn send(&mut self, exchange: &mut Exchange, id: u32, pieces: &[Piece]) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.broken || connection.closing {
            return;
        }
        let blocked = connection.is_blocked();
        match connection.send(pieces) {
            Sent::All => {}
            Sent::Blocked if blocked => {}
            Sent::Blocked => exchange.report(id, EVENT_BLOCKED, 0, 0),
            Sent::Broken(errno) => self.on_broken(exchange, id, errno),
        }
    }

    fn close(&mut self, exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.closing = true;
        if !connection.is_blocked() {
            self.remove(exchange, id);
        }
    }

    fn destroy(&mut self, exchange: &mut Exchange, id: u32) {
        if self.table.get(id).is_some() {
            self.remove(exchange, id);
        }
    }

    fn pause(&mut self, id: u32) {
        if let Some(connection) = self.table.get(id) {
            connection.paused = true;
        }
    }

    fn resume(&mut self, id: u32) {
        if let Some(connection) = self.table.get(id) {
            connection.paused = false;
            self.list(id);
        }
    }

    fn send_datagram(&mut self, id: u32, datagram: Piece) {
        if let Some(connection) = self.table.get(id) {
            datagrams::send(connection.fd(), datagram);
        }
    }

    fn collect(&mut self, exchange: &mut Exchange, patience: Duration) -> io::Result<()> {
        exchange.deliver_waiting();
        let idle = self.ready.is_empty() && exchange.count() == 0;
        let count = self.wait(if idle { patience } else { Duration::ZERO });
        for index in 0..count {
            let libc::epoll_event { events: flags, u64: data } = self.events[index];
            match data {
                BELL => {
                    let arrivals = self.mailbox.take();
                    open_arrivals(self, exchange, arrivals);
                }
                DEADLINE => self.deadline.clear(),
                _ => self.on_event(exchange, data as u32, flags as i32),
            }
        }
        self.read_ready(exchange);
        Ok(())
    }
}
