//! The memory through which TypeScript and a pump talk: commands go in, events come out, and the
//! bytes of both lie in two arenas beside them. `src/net/exchange.ts` has the same words.
//!
//! An entry of either list is four int32: [connection, what, a, b].

use std::collections::VecDeque;

/// Bytes lie at input[a, a + b), until the next cycle.
pub const EVENT_DATA: i32 = 0;
/// The peer has finished sending.
pub const EVENT_END: i32 = 1;
/// The connection failed; b is the errno.
pub const EVENT_BROKEN: i32 = 2;
/// All that was queued is with the kernel; comes after BLOCKED only.
pub const EVENT_SENT: i32 = 3;
/// The kernel did not take all; the pump keeps the rest and goes on by itself.
pub const EVENT_BLOCKED: i32 = 4;
/// Handed over by the main thread; a is the listener.
pub const EVENT_OPEN: i32 = 5;
/// The descriptor is closed and the id is free: the answer to a command, or the end of one that was
/// opened and cannot be served.
pub const EVENT_CLOSED: i32 = 6;
/// input[a, a + b) holds an address of ADDRESS_BYTES and a datagram.
pub const EVENT_DATAGRAM: i32 = 7;

/// Send output[a, a + b).
const COMMAND_SEND: i32 = 0;
/// Send b bytes of the slab from 8 a + misalignment on; the misalignment is in bits 8 to 10.
const COMMAND_SEND_SLAB: i32 = 1;
/// Close when all is sent.
const COMMAND_CLOSE: i32 = 2;
/// Close at once.
const COMMAND_DESTROY: i32 = 3;
/// Do not read until RESUME.
const COMMAND_PAUSE: i32 = 4;
const COMMAND_RESUME: i32 = 5;
/// output[a, a + b) holds an address of ADDRESS_BYTES and a datagram to send to it.
const COMMAND_DATAGRAM: i32 = 6;

const ENTRY_WORDS: usize = 4;

pub type Event = [i32; ENTRY_WORDS];

/// Bytes to send: a place in memory that TypeScript leaves as it is.
#[derive(Clone, Copy)]
pub struct Piece {
    pub start: *const u8,
    pub length: usize,
    /// Lies in the slab: it stays as it is until TypeScript is told that it is sent. Other bytes
    /// have to be copied when they are needed for longer than a cycle.
    pub in_slab: bool,
}

/// A command, checked.
pub enum Command {
    Send(Piece),
    Close,
    Destroy,
    Pause,
    Resume,
    Datagram(Piece),
}

/// One pump's memory. The owner of this keeps the buffers alive and in place.
pub struct Exchange {
    pub input: *mut u8,
    pub input_length: usize,
    pub output: *const u8,
    pub output_length: usize,
    pub slab: *const u8,
    pub slab_length: usize,
    pub events: *mut i32,
    pub event_capacity: usize,
    pub commands: *const i32,
    pub command_capacity: usize,
    /// Events of this cycle so far.
    count: usize,
    /// Events that there was no room for.
    waiting: VecDeque<Event>,
    /// The cycle's commands are being carried out.
    settling: bool,
}

/// A buffer of TypeScript: where it begins, and its length in elements.
pub struct Buffer<T> {
    pub start: *mut T,
    pub length: usize,
}

impl Exchange {
    pub fn new(
        input: Buffer<u8>,
        output: Buffer<u8>,
        slab: Buffer<u8>,
        events: Buffer<i32>,
        commands: Buffer<i32>,
    ) -> Self {
        Exchange {
            input: input.start,
            input_length: input.length,
            output: output.start,
            output_length: output.length,
            slab: slab.start,
            slab_length: slab.length,
            events: events.start,
            event_capacity: events.length / ENTRY_WORDS,
            commands: commands.start,
            command_capacity: commands.length / ENTRY_WORDS,
            count: 0,
            waiting: VecDeque::new(),
            settling: false,
        }
    }

    /// Begins a cycle. What is reported from now on is about this cycle's commands, and is never
    /// late: TypeScript takes a connection that is not said to be blocked for sent.
    pub fn begin(&mut self) {
        self.count = 0;
        self.settling = true;
    }

    /// The commands are carried out: what found no room in earlier cycles comes next.
    pub fn deliver_waiting(&mut self) {
        self.settling = false;
        while self.has_room() {
            let Some(event) = self.waiting.pop_front() else { break };
            self.write(event);
        }
    }

    pub fn has_room(&self) -> bool {
        self.count < self.event_capacity
    }

    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether there is nothing to tell TypeScript.
    pub fn is_quiet(&self) -> bool {
        self.count == 0 && self.waiting.is_empty()
    }

    /// Reports an event, in a later cycle if this one has no room left.
    pub fn report(&mut self, connection: u32, what: i32, a: i32, b: i32) {
        let event = [connection as i32, what, a, b];
        if self.has_room() && (self.settling || self.waiting.is_empty()) {
            self.write(event);
        } else {
            self.waiting.push_back(event);
        }
    }

    fn write(&mut self, event: Event) {
        // SAFETY: count is below the capacity; only this thread touches the list, and TypeScript
        // does so between cycles.
        unsafe {
            let at = self.events.add(self.count * ENTRY_WORDS);
            std::ptr::copy_nonoverlapping(event.as_ptr(), at, ENTRY_WORDS);
        }
        self.count += 1;
    }

    /// The command at this place of the list and its connection; None for what makes no sense.
    pub fn command(&self, index: usize) -> Option<(u32, Command)> {
        if index >= self.command_capacity {
            return None;
        }
        // SAFETY: the index is below the capacity; TypeScript is waiting for this thread.
        let words = unsafe { self.commands.add(index * ENTRY_WORDS).cast::<Event>().read() };
        let [connection, what, a, b] = words;
        let command = match what & 0xff {
            COMMAND_SEND => Command::Send(self.output_piece(a, b)?),
            COMMAND_SEND_SLAB => Command::Send(self.slab_piece(a, what >> 8 & 7, b)?),
            COMMAND_CLOSE => Command::Close,
            COMMAND_DESTROY => Command::Destroy,
            COMMAND_PAUSE => Command::Pause,
            COMMAND_RESUME => Command::Resume,
            COMMAND_DATAGRAM => Command::Datagram(self.output_piece(a, b)?),
            _ => return None,
        };
        Some((connection as u32, command))
    }

    fn output_piece(&self, offset: i32, length: i32) -> Option<Piece> {
        let (offset, length) = (offset as u32 as usize, length as u32 as usize);
        if offset + length > self.output_length {
            return None;
        }
        // SAFETY: within the arena.
        Some(Piece { start: unsafe { self.output.add(offset) }, length, in_slab: false })
    }

    fn slab_piece(&self, units: i32, misalignment: i32, length: i32) -> Option<Piece> {
        let offset = units as u32 as usize * 8 + misalignment as usize;
        let length = length as u32 as usize;
        if offset + length > self.slab_length {
            return None;
        }
        // SAFETY: within the slab.
        Some(Piece { start: unsafe { self.slab.add(offset) }, length, in_slab: true })
    }
}
