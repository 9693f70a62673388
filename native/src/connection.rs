//! A connection of a pump: its descriptor, what the kernel has not taken yet, and why it is not
//! read at the moment.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::exchange::Piece;

/// As many pieces leave in one system call at most; the rest follows in the next one.
pub const PIECES_MAX: usize = 64;

/// What the kernel has still to take.
enum Unsent {
    Copied { bytes: Vec<u8>, at: usize },
    Slab(Piece),
}

/// What came of sending.
#[derive(PartialEq, Clone, Copy, Debug)]
pub enum Sent {
    All,
    /// The rest is kept; the descriptor will become writable.
    Blocked,
    /// An errno.
    Broken(i32),
}

pub struct Connection {
    fd: OwnedFd,
    unsent: VecDeque<Unsent>,
    /// TypeScript asked not to read.
    pub paused: bool,
    /// Nothing more will come in.
    pub ended: bool,
    /// The kernel failed it: nothing can be sent any more.
    pub broken: bool,
    /// To be closed when all is sent.
    pub closing: bool,
    /// Io_uring: it is being closed, and only kept until nothing is armed for it.
    pub dying: bool,
    /// Sockets for datagrams are read in another way.
    pub datagrams: bool,
    /// Epoll: a read that was not filled is not the last one; only one that brings nothing is.
    pub read_to_end: bool,
    /// Epoll: there may be something to read. Io_uring: a receive is armed.
    pub receiving: bool,
    /// Epoll: on the list of those to be read. Io_uring: on the list of those to be armed.
    pub listed: bool,
    /// Io_uring: a send is part of this turn's batch.
    pub sending: bool,
    /// Io_uring: a poll for writability is armed.
    pub polling: bool,
    /// Io_uring: it may have sent more than is wanted, so it is received from in small portions.
    pub portioned: bool,
}

impl Connection {
    pub fn new(fd: OwnedFd, datagrams: bool) -> Self {
        Connection {
            fd,
            unsent: VecDeque::new(),
            paused: false,
            ended: false,
            broken: false,
            closing: false,
            dying: false,
            datagrams,
            read_to_end: false,
            receiving: false,
            listed: false,
            sending: false,
            polling: false,
            portioned: true,
        }
    }

    pub fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Whether the kernel has not taken all yet.
    pub fn is_blocked(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Whether what comes in is wanted.
    pub fn is_read(&self) -> bool {
        !(self.paused || self.ended || self.broken || self.is_leaving() || self.is_blocked())
    }

    /// Whether it is to be closed, and nothing else is done with it any more.
    pub fn is_leaving(&self) -> bool {
        self.closing || self.dying
    }

    /// Sends pieces in order, behind what is unsent.
    pub fn send(&mut self, pieces: &[Piece]) -> Sent {
        if self.is_blocked() {
            self.keep(pieces, 0);
            return Sent::Blocked;
        }
        let mut rest = pieces;
        while !rest.is_empty() {
            let run = &rest[..rest.len().min(PIECES_MAX)];
            match self.send_once(run) {
                Ok(taken) if taken == total(run) => rest = &rest[run.len()..],
                Ok(taken) => {
                    self.keep(rest, taken);
                    return Sent::Blocked;
                }
                Err(errno) => return self.fail(errno),
            }
        }
        Sent::All
    }

    /// Sends what is unsent, as far as the kernel takes it.
    pub fn flush(&mut self) -> Sent {
        while let Some(first) = self.unsent.front_mut() {
            let piece = match first {
                Unsent::Copied { bytes, at } => Piece {
                    start: bytes[*at..].as_ptr(),
                    length: bytes.len() - *at,
                    in_slab: false,
                },
                Unsent::Slab(piece) => *piece,
            };
            let taken = match self.send_once(&[piece]) {
                Ok(taken) => taken,
                Err(errno) => return self.fail(errno),
            };
            if taken == piece.length {
                self.unsent.pop_front();
                continue;
            }
            match self.unsent.front_mut() {
                Some(Unsent::Copied { at, .. }) => *at += taken,
                Some(Unsent::Slab(piece)) => *piece = after(*piece, taken),
                None => {}
            }
            return Sent::Blocked;
        }
        // A connection that was blocked once does not keep its storage.
        self.unsent = VecDeque::new();
        Sent::All
    }

    /// Keeps what follows the first `taken` bytes of these pieces. Bytes outside of the slab are
    /// copied: TypeScript will write over them.
    pub fn keep(&mut self, pieces: &[Piece], taken: usize) {
        let mut skip = taken;
        for &piece in pieces {
            if skip >= piece.length {
                skip -= piece.length;
                continue;
            }
            let piece = after(piece, skip);
            skip = 0;
            if piece.in_slab {
                self.unsent.push_back(Unsent::Slab(piece));
                continue;
            }
            // SAFETY: the exchange has checked the piece, and TypeScript waits for this thread.
            let bytes = unsafe { std::slice::from_raw_parts(piece.start, piece.length) };
            self.unsent.push_back(Unsent::Copied { bytes: bytes.to_vec(), at: 0 });
        }
    }

    /// What the kernel has still to take, bytes.
    pub fn unsent_bytes(&self) -> usize {
        self.unsent
            .iter()
            .map(|unsent| match unsent {
                Unsent::Copied { bytes, at } => bytes.len() - at,
                Unsent::Slab(piece) => piece.length,
            })
            .sum()
    }

    /// Nothing more is sent.
    pub fn drop_unsent(&mut self) {
        self.unsent = VecDeque::new();
    }

    fn fail(&mut self, errno: i32) -> Sent {
        self.broken = true;
        self.drop_unsent();
        Sent::Broken(errno)
    }

    /// Bytes that the kernel took, 0 if it has no room; or an errno.
    fn send_once(&self, pieces: &[Piece]) -> Result<usize, i32> {
        let mut vectors = [EMPTY_VECTOR; PIECES_MAX];
        let message = message_of(pieces, &mut vectors);
        loop {
            // SAFETY: the message refers to checked pieces and to vectors that outlive the call.
            let taken = unsafe {
                libc::sendmsg(self.fd(), &message, libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT)
            };
            if taken >= 0 {
                return Ok(taken as usize);
            }
            match io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) {
                libc::EINTR => {}
                libc::EAGAIN => return Ok(0),
                errno => return Err(errno),
            }
        }
    }
}

pub const EMPTY_VECTOR: libc::iovec = libc::iovec { iov_base: std::ptr::null_mut(), iov_len: 0 };

/// A message of at most PIECES_MAX pieces, which lives as long as the vectors stay in place.
pub fn message_of(pieces: &[Piece], vectors: &mut [libc::iovec; PIECES_MAX]) -> libc::msghdr {
    for (vector, piece) in vectors.iter_mut().zip(pieces) {
        *vector = libc::iovec { iov_base: piece.start.cast_mut().cast(), iov_len: piece.length };
    }
    // SAFETY: all zeroes is a message of nothing to nobody.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = vectors.as_mut_ptr();
    message.msg_iovlen = pieces.len().min(PIECES_MAX) as _;
    message
}

fn after(piece: Piece, taken: usize) -> Piece {
    // SAFETY: no further than the end of the piece.
    Piece { start: unsafe { piece.start.add(taken) }, length: piece.length - taken, ..piece }
}

pub fn total(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.length).sum()
}
