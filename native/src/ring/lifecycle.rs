//! What is armed in the ring for a connection, from its first receive to the moment when nothing is
//! left and its descriptor can be closed.

use io_uring::types::{Fd, Timespec};
use io_uring::{opcode, squeue};

use super::{CANCEL, DATAGRAMS, RECEIVE, Ring, WRITABLE, tag};
use crate::connection::Sent;
use crate::exchange::{EVENT_BLOCKED, EVENT_CLOSED, Exchange, Piece};

/// How long until a send is tried again that cannot be waited for.
static RETRY_PAUSE: Timespec = Timespec::new().nsec(10_000_000);

impl Ring {
    /// Arms a receive. One that stays armed takes all that the socket holds, megabytes of it for a
    /// peer that sends faster than it is served; so it has to be seen first that little is left
    /// there, and until then a receive takes one buffer at most.
    pub(super) fn arm(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.listed = false;
        if connection.receiving || !connection.is_read() || connection.datagrams {
            return;
        }
        connection.receiving = true;
        let fd = Fd(connection.fd());
        let group = self.buffers.group();
        let receive = if connection.portioned {
            let once = opcode::Recv::new(fd, std::ptr::null_mut(), 0).buf_group(group);
            once.build().flags(squeue::Flags::BUFFER_SELECT)
        } else {
            opcode::RecvMulti::new(fd, group).build()
        };
        self.push(receive.user_data(tag(RECEIVE, id)));
    }

    /// Has a receive armed in the next turn, if there is none and it is wanted.
    pub(super) fn arm_later(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.receiving || connection.listed || !connection.is_read() {
            return;
        }
        connection.listed = true;
        self.unarmed.push(id);
    }

    /// Receives no more from who is not served at the moment.
    pub(super) fn disarm(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.portioned = true;
        if connection.receiving {
            self.cancel(tag(RECEIVE, id));
        }
    }

    fn cancel(&mut self, what: u64) {
        let cancel = opcode::AsyncCancel::new(what).build();
        self.push(cancel.user_data(tag(CANCEL, 0)).flags(squeue::Flags::SKIP_SUCCESS));
    }

    pub(super) fn wait_until_writable(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.polling {
            return;
        }
        connection.polling = true;
        let poll = opcode::PollAdd::new(Fd(connection.fd()), libc::POLLOUT as u32).build();
        self.push(poll.user_data(tag(WRITABLE, id)));
    }

    /// As wait_until_writable, where waiting for that does not work: a ring's poll completes at
    /// once when the peer has finished sending, whether there is room or not.
    pub(super) fn try_again_later(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.polling = true;
        let timeout = opcode::Timeout::new(&RETRY_PAUSE).build();
        self.push(timeout.user_data(tag(WRITABLE, id)));
    }

    /// Lets go of a connection: it is closed when nothing is armed for it any more.
    pub(super) fn retire(&mut self, exchange: &mut Exchange, id: u32) {
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

    pub(super) fn bury(&mut self, exchange: &mut Exchange, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        if connection.receiving || connection.polling {
            return;
        }
        self.table.remove(id);
        exchange.report(id, EVENT_CLOSED, 0, 0);
    }

    /// Sends by system calls of its own, after what this turn has sent so far.
    pub(super) fn send_apart(&mut self, exchange: &mut Exchange, id: u32, pieces: &[Piece]) {
        self.enter(false);
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

    pub(super) fn poll_datagrams(&mut self, id: u32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.receiving = true;
        let poll = opcode::PollAdd::new(Fd(connection.fd()), libc::POLLIN as u32).multi(true);
        self.push(poll.build().user_data(tag(DATAGRAMS, id)));
    }
}
