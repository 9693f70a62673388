//! Takes the connections of a listening socket on the loop of its thread and gives TypeScript their
//! descriptors, ready to be handed to a worker: Node's own streams would only be taken apart again.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::rc::Rc;

use napi::bindgen_prelude::{FnArgs, Function, ToNapiValue};
use napi::{Env, Error, Result, Status};
use napi_derive::napi;

use crate::address::{RawAddress, local_end};
use crate::sockets::{check, owned, set};
use crate::uv::{Callback, LoopWatcher, Watched};

/// Connections per turn of the loop: a storm of them lets timers and messages through.
const TURN_MAX: usize = 64;

/// What ends one connection and not the next: accept(2) reports what befell the peer meanwhile.
const OF_THE_PEER: [i32; 9] = [
    libc::EINTR,
    libc::ECONNABORTED,
    libc::EPROTO,
    libc::ENETDOWN,
    libc::ENOPROTOOPT,
    libc::EHOSTDOWN,
    libc::EHOSTUNREACH,
    libc::ENETUNREACH,
    libc::EOPNOTSUPP,
];

/// A listening socket whose connections come to TypeScript as descriptors.
#[napi]
pub struct Acceptor {
    watcher: LoopWatcher,
}

#[napi]
impl Acceptor {
    /// Watches a listening descriptor, which it owns from now on. `on_connection` owns the
    /// descriptor that it gets; peer and local are as in `stats conns`. `on_exhausted` is called
    /// when nothing can be accepted for want of descriptors or memory: the connections wait in the
    /// kernel, and the socket stays readable, so pause until there may be some.
    #[napi(constructor)]
    pub fn new(
        env: &Env,
        fd: i32,
        on_connection: Function<'_, FnArgs<(i32, String, String)>, ()>,
        on_exhausted: Function<'_, (), ()>,
    ) -> Result<Self> {
        let listening = owned(fd)
            .map_err(|error| Error::new(Status::InvalidArg, format!("no descriptor: {error}")))?;
        let accepting = Rc::new(Accepting {
            listening: RefCell::new(Some(listening)),
            on_connection: Callback::new(env, &on_connection)?,
            on_exhausted: Callback::new(env, &on_exhausted)?,
        });
        Ok(Acceptor { watcher: LoopWatcher::start(env, fd, true, accepting)? })
    }

    /// Accepts nothing until resume; connections wait in the kernel.
    #[napi]
    pub fn pause(&self) {
        self.watcher.pause();
    }

    #[napi]
    pub fn resume(&self) {
        self.watcher.resume();
    }

    /// Closes the listening descriptor. Without effect the second time.
    #[napi]
    pub fn close(&self) {
        self.watcher.stop();
    }
}

struct Accepting {
    /// None once it is closed, which TypeScript may do while it is told of a connection.
    listening: RefCell<Option<OwnedFd>>,
    on_connection: Callback,
    on_exhausted: Callback,
}

impl Watched for Accepting {
    fn on_readable(&self) {
        for _ in 0..TURN_MAX {
            let Some(fd) = self.listening.borrow().as_ref().map(|fd| fd.as_raw_fd()) else {
                return;
            };
            match accept(fd) {
                Ok((socket, peer)) => self.report(socket, &peer),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                Err(error) if is_of_the_peer(&error) => {}
                Err(_) => {
                    self.on_exhausted.call(|_| Ok(Vec::new()));
                    return;
                }
            }
        }
    }

    fn on_stop(&self) {
        drop(self.listening.borrow_mut().take());
    }
}

impl Accepting {
    fn report(&self, socket: OwnedFd, peer: &RawAddress) {
        let local = local_end(socket.as_raw_fd()).unwrap_or_else(|_| RawAddress::empty());
        if !local.is_unix() {
            // A peer that is gone already is found out when it is read from.
            let _ = set(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1);
            let _ = set(&socket, libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1);
        }
        // The end of a client of a unix socket has no name: it goes by that of the listener.
        let peer_text = if local.is_unix() { local.text() } else { peer.text() };
        self.on_connection.call(move |env| {
            let (peer, local) = (peer_text, local.text());
            // SAFETY: the environment is that of the call, in which the values are used.
            let texts = unsafe {
                [String::to_napi_value(env.raw(), peer)?, String::to_napi_value(env.raw(), local)?]
            };
            // Last, since what fails before it closes the socket.
            let fd = socket.into_raw_fd();
            // SAFETY: as above.
            Ok(vec![unsafe { i32::to_napi_value(env.raw(), fd)? }, texts[0], texts[1]])
        });
    }
}

fn is_of_the_peer(error: &io::Error) -> bool {
    error.raw_os_error().is_some_and(|code| OF_THE_PEER.contains(&code))
}

fn accept(listening: RawFd) -> io::Result<(OwnedFd, RawAddress)> {
    let mut peer = RawAddress::empty();
    let mut length = peer.length();
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    // SAFETY: the address has the length that is said, and both live through the call.
    let fd = check(unsafe { libc::accept4(listening, peer.pointer(), &mut length, flags) })?;
    // SAFETY: a fresh descriptor that nobody else knows.
    Ok((unsafe { OwnedFd::from_raw_fd(fd) }, peer))
}
