//! What every pump can do, however it asks the kernel, and the part of it that is the same for all.

use std::io;
use std::os::fd::{OwnedFd, RawFd};
use std::time::Duration;

use crate::connection::Connection;
use crate::datagrams;
use crate::exchange::{Command, EVENT_CLOSED, EVENT_DATAGRAM, EVENT_OPEN, Exchange, Piece};
use crate::mailbox::Arrival;

/// Bytes at the end of the input arena that datagrams are received into.
pub const DATAGRAM_BYTES: usize = datagrams::BATCH_BYTES;

/// One way of moving bytes between sockets and memory.
pub trait Backend {
    /// Readable when there is something to collect.
    fn descriptor(&self) -> RawFd;

    /// A slice begins: until rest(), TypeScript asks for what happens and need not be told.
    fn awake(&mut self) {}

    /// The slice is over: the descriptor has to become readable when something happens, and be so
    /// already if something has.
    fn rest(&mut self) {}

    /// Serves a descriptor; false, and it is closed, when the id is taken.
    fn adopt(&mut self, fd: OwnedFd, id: u32, datagrams: bool) -> bool;

    /// Sends pieces of one connection in order.
    fn send(&mut self, exchange: &mut Exchange, id: u32, pieces: &[Piece]);

    fn close(&mut self, exchange: &mut Exchange, id: u32);

    fn destroy(&mut self, exchange: &mut Exchange, id: u32);

    fn pause(&mut self, id: u32);

    fn resume(&mut self, id: u32);

    fn send_datagram(&mut self, id: u32, datagram: Piece);

    /// Carries out what is left to do of the commands, then reports what has happened. Waits for
    /// something up to `patience`, if there is nothing to report. An error is the pump's end.
    fn collect(&mut self, exchange: &mut Exchange, patience: Duration) -> io::Result<()>;
}

/// Serves connections that the main thread has handed over.
pub fn open_arrivals(backend: &mut dyn Backend, exchange: &mut Exchange, arrivals: Vec<Arrival>) {
    for arrival in arrivals {
        exchange.report(arrival.slot, EVENT_OPEN, arrival.listener as i32, 0);
        // Its slot is taken, and has to be given back.
        if !backend.adopt(arrival.fd, arrival.slot, false) {
            exchange.report(arrival.slot, EVENT_CLOSED, 0, 0);
        }
    }
}

/// Carries out the first `count` commands. Neighbouring sends of a connection leave together.
pub fn carry_out(
    backend: &mut dyn Backend,
    exchange: &mut Exchange,
    count: usize,
    pieces: &mut Vec<Piece>,
) {
    let mut index = 0;
    while index < count {
        let command = exchange.command(index);
        index += 1;
        let Some((id, command)) = command else { continue };
        match command {
            Command::Send(piece) => {
                pieces.clear();
                pieces.push(piece);
                while index < count {
                    let Some((next, Command::Send(piece))) = exchange.command(index) else { break };
                    if next != id {
                        break;
                    }
                    pieces.push(piece);
                    index += 1;
                }
                backend.send(exchange, id, pieces);
            }
            Command::Close => backend.close(exchange, id),
            Command::Destroy => backend.destroy(exchange, id),
            Command::Pause => backend.pause(id),
            Command::Resume => backend.resume(id),
            Command::Datagram(piece) => backend.send_datagram(id, piece),
        }
    }
}

/// Receives what waits on a datagram socket into the arena from `start` on. Returns how far that is
/// used, and whether nothing is left on the socket.
pub fn read_datagrams(
    connection: &Connection,
    exchange: &mut Exchange,
    id: u32,
    start: usize,
) -> (usize, bool) {
    let (room, events) =
        (exchange.input_length - start, exchange.event_capacity - exchange.count());
    // SAFETY: within the arena.
    let target = unsafe { exchange.input.add(start) };
    // SAFETY: that many bytes are left of the arena.
    let received = unsafe {
        datagrams::receive(connection.fd(), target, room, events, |at, length| {
            exchange.report(id, EVENT_DATAGRAM, (start + at) as i32, length as i32);
        })
    };
    (start + received.used, received.drained)
}
