//! The sends of one turn. The kernel tells only of those that did not go through, so what they were
//! to send is remembered until it has answered.

use std::os::fd::RawFd;

use io_uring::types::Fd;
use io_uring::{opcode, squeue};

use super::{SEND, tag};
use crate::connection::{EMPTY_VECTOR, PIECES_MAX, message_of};
use crate::exchange::Piece;

/// All or an answer: a send that is cut short counts as one that failed, with the bytes it took.
const FLAGS: i32 = libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT | libc::MSG_WAITALL;

/// A run of pieces for one connection.
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

#[derive(Default)]
pub struct Sends {
    sends: Vec<Sending>,
    pieces: Vec<Piece>,
    /// In boxes, for a header points into its own message.
    #[allow(clippy::vec_box)]
    messages: Vec<Box<Message>>,
    messages_used: usize,
}

impl Sends {
    /// Notes a send of at most PIECES_MAX pieces, and makes what is to be submitted for it. Its
    /// completion carries its place.
    pub fn add(&mut self, id: u32, fd: RawFd, pieces: &[Piece]) -> squeue::Entry {
        let place = self.sends.len() as u32;
        self.sends.push(Sending { id, first: self.pieces.len(), count: pieces.len() });
        self.pieces.extend_from_slice(pieces);
        let entry = if let [piece] = pieces {
            opcode::Send::new(Fd(fd), piece.start, piece.length as u32).flags(FLAGS).build()
        } else {
            opcode::SendMsg::new(Fd(fd), self.message(pieces)).flags(FLAGS as u32).build()
        };
        entry.user_data(tag(SEND, place)).flags(squeue::Flags::SKIP_SUCCESS)
    }

    /// Whose send it is, and of what.
    pub fn get(&self, place: usize) -> Option<(u32, &[Piece])> {
        let Sending { id, first, count } = *self.sends.get(place)?;
        Some((id, &self.pieces[first..first + count]))
    }

    /// The connections that something is sent on.
    pub fn ids(&self) -> impl Iterator<Item = u32> {
        self.sends.iter().map(|sending| sending.id)
    }

    /// Forgets them: the kernel has answered.
    pub fn clear(&mut self) {
        self.sends.clear();
        self.pieces.clear();
        self.messages_used = 0;
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
