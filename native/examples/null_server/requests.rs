//! Finds the ends of requests in what one connection sends, and adds up the bytes of their replies.

/// How long replies are.
#[derive(Clone, Copy)]
pub struct Shape {
    /// Bytes of the reply to a request that fetches, and to one that stores.
    pub get_reply: usize,
    pub set_reply: usize,
}

/// The first byte of every binary request, and of no text command.
const MAGIC: u8 = 0x80;
const PACKET_HEADER: usize = 24;
const OPCODE_SET: u8 = 1;

/// How far into its present request a connection is; requests may be cut anywhere.
#[derive(Default)]
pub struct Requests {
    /// The beginning of a line or header that has not been seen whole yet.
    head: [u8; PACKET_HEADER],
    head_length: usize,
    /// Text: the line under way is the value of a storing command.
    in_value: bool,
    /// What the connection speaks, known from its first byte on.
    binary: Option<bool>,
    /// Binary: bytes of the body that are still to come.
    body_left: usize,
}

/// The replies that are due.
#[derive(Default)]
pub struct Due {
    /// Bytes of filler.
    pub filler: usize,
    /// Whether somebody asked for the version.
    pub version: bool,
}

impl Requests {
    /// Takes what arrived and returns the replies to the requests that it completes.
    pub fn feed(&mut self, bytes: &[u8], shape: &Shape) -> Due {
        let Some(first) = bytes.first() else {
            return Due::default();
        };
        if *self.binary.get_or_insert(*first == MAGIC) {
            self.packets(bytes, shape)
        } else {
            self.lines(bytes, shape)
        }
    }

    fn lines(&mut self, mut bytes: &[u8], shape: &Shape) -> Due {
        let mut due = Due::default();
        while let Some(end) = line_end(bytes) {
            self.begin_line(&bytes[..end]);
            bytes = &bytes[end + 1..];
            self.head_length = 0;
            if self.in_value {
                self.in_value = false;
                due.filler += shape.set_reply;
                continue;
            }
            match &self.head[..2] {
                b"se" | b"ms" => self.in_value = true,
                b"ve" => due.version = true,
                _ => due.filler += shape.get_reply,
            }
        }
        self.begin_line(bytes);
        due
    }

    /// Keeps a line's first two bytes, which tell its command.
    fn begin_line(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            if self.head_length == 2 {
                return;
            }
            self.head[self.head_length] = byte;
            self.head_length += 1;
        }
    }

    fn packets(&mut self, mut bytes: &[u8], shape: &Shape) -> Due {
        let mut due = Due::default();
        loop {
            let skipped = self.body_left.min(bytes.len());
            self.body_left -= skipped;
            bytes = &bytes[skipped..];
            if self.head_length == PACKET_HEADER && self.body_left == 0 {
                self.head_length = 0;
                let stores = self.head[1] == OPCODE_SET;
                due.filler += if stores { shape.set_reply } else { shape.get_reply };
            }
            if bytes.is_empty() {
                return due;
            }
            let taken = (PACKET_HEADER - self.head_length).min(bytes.len());
            self.head[self.head_length..self.head_length + taken].copy_from_slice(&bytes[..taken]);
            self.head_length += taken;
            bytes = &bytes[taken..];
            if self.head_length == PACKET_HEADER {
                let length = [self.head[8], self.head[9], self.head[10], self.head[11]];
                self.body_left = u32::from_be_bytes(length) as usize;
            }
        }
    }
}

/// Where the next line feed stands: the C library's search is vectorised.
fn line_end(bytes: &[u8]) -> Option<usize> {
    // SAFETY: memchr reads no more than the bytes of the slice, and returns null or a place in it.
    let found = unsafe { libc::memchr(bytes.as_ptr().cast(), b'\n'.into(), bytes.len()) };
    (!found.is_null()).then(|| found as usize - bytes.as_ptr() as usize)
}
