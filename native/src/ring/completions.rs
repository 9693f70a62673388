//! What completions of the ring mean for connections, and what TypeScript is told of them.

use io_uring::cqueue;

use super::{BELL, DATAGRAMS, DEADLINE, RECEIVE, Ring, SEND, WRITABLE};
use crate::backend::{DATAGRAM_BYTES, open_arrivals, read_datagrams};
use crate::connection::{Sent, total};
use crate::exchange::{EVENT_BLOCKED, EVENT_BROKEN, EVENT_DATA, EVENT_END, EVENT_SENT, Exchange};

impl Ring {
    /// Takes what is left of the turn's sends out of the completions; the rest keeps its order.
    pub(super) fn settle_sends(&mut self, exchange: &mut Exchange) {
        for _ in 0..self.backlog.len() {
            let Some(entry) = self.backlog.pop_front() else { break };
            if entry.user_data() >> 32 == SEND {
                self.on_unsent(exchange, entry.user_data() as u32 as usize, entry.result());
            } else {
                self.backlog.push_back(entry);
            }
        }
        for id in self.sends.ids() {
            if let Some(connection) = self.table.get(id) {
                connection.sending = false;
            }
        }
        self.sends.clear();
    }

    pub(super) fn report_backlog(&mut self, exchange: &mut Exchange) {
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
                    let arrivals = self.mailbox.take();
                    open_arrivals(self, exchange, arrivals);
                }
                DEADLINE => self.timing = false,
                _ => {}
            }
        }
    }

    /// The kernel did not take all of a send.
    fn on_unsent(&mut self, exchange: &mut Exchange, place: usize, result: i32) {
        let Some((id, pieces)) = self.sends.get(place) else { return };
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
        let before = connection.unsent_bytes();
        match connection.flush() {
            Sent::All if connection.closing => self.retire(exchange, id),
            Sent::All => {
                exchange.report(id, EVENT_SENT, 0, 0);
                self.arm_later(id);
            }
            Sent::Blocked if connection.unsent_bytes() == before => self.try_again_later(id),
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
            // A cancelled one says nothing of what is left.
            connection.portioned &= result <= 0 || cqueue::sock_nonempty(flags);
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

    pub(super) fn on_broken(&mut self, exchange: &mut Exchange, id: u32, errno: i32) {
        let Some(connection) = self.table.get(id) else { return };
        connection.broken = true;
        connection.drop_unsent();
        if connection.is_leaving() {
            self.retire(exchange, id);
        } else {
            exchange.report(id, EVENT_BROKEN, 0, errno);
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

    pub(super) fn read_ready(&mut self, exchange: &mut Exchange) {
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
}
