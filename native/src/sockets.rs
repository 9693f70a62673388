//! Makes, duplicates and refuses sockets for TypeScript, which knows descriptors as numbers. Who
//! owns a number is said at each function.

use std::io;
use std::mem;
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixListener;

use libc::{c_int, c_void, sockaddr_storage, socklen_t};
use napi_derive::napi;

use crate::address::encode;
use crate::failure::{Result, failed};

/// What a refused peer has sent is thrown away up to this many bytes.
const DISCARDED_BYTES: usize = 64 * 1024;
/// What a datagram socket may have to send; the kernel gives as much of it as it may.
const SEND_BUFFER_BYTES: c_int = 4 * 1024 * 1024;

/// A listening unix socket, which the caller owns; the file gets the mode the umask leaves.
#[napi]
pub fn listen_unix(path: String, backlog: u32) -> Result<i32> {
    let open = || -> io::Result<OwnedFd> {
        let listener = UnixListener::bind(&path)?;
        listener.set_nonblocking(true)?;
        // std listens with a backlog of its own; a second call changes it.
        // SAFETY: no pointers, and the descriptor is open.
        check(unsafe { libc::listen(listener.as_raw_fd(), clamp(backlog)) })?;
        Ok(listener.into())
    };
    give_away("listen", open())
}

/// A second descriptor for the same open file, closed on exec, which the caller owns. The first one
/// stays with its owner.
#[napi]
pub fn duplicate(fd: i32) -> Result<i32> {
    let copy = borrowed(fd).and_then(|fd| fd.try_clone_to_owned());
    give_away("dup", copy)
}

/// Says a last word, as far as the kernel takes it at once, and closes the descriptor.
#[napi]
pub fn refuse(fd: i32, text: &[u8]) -> Result<()> {
    let fd = owned(fd).map_err(|error| failed("close", &error))?;
    let raw = fd.as_raw_fd();
    // SAFETY: the text lives through the call. A peer that is gone hears nothing.
    unsafe { libc::send(raw, text.as_ptr().cast(), text.len(), libc::MSG_NOSIGNAL) };
    // SAFETY: no pointers. It fails for a peer that is gone.
    unsafe { libc::shutdown(raw, libc::SHUT_WR) };
    // Closing a socket that has something unread resets it, and the peer may lose the last word.
    let mut unread = [0u8; 4096];
    let mut discarded = 0;
    while discarded < DISCARDED_BYTES {
        // SAFETY: the array is as long as is said and lives through the call.
        let got = unsafe {
            libc::recv(raw, unread.as_mut_ptr().cast(), unread.len(), libc::MSG_DONTWAIT)
        };
        if got <= 0 {
            break;
        }
        discarded += got as usize;
    }
    Ok(())
}

/// A bound UDP socket, which the caller owns and may share its port with others like it.
#[napi]
pub fn bind_datagrams(host: String, port: u32, ipv6: bool) -> Result<i32> {
    let bind = || -> io::Result<OwnedFd> {
        let address = numeric(&host, port)?;
        if address.is_ipv6() != ipv6 {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        let socket = open(&address, libc::SOCK_DGRAM)?;
        set(&socket, libc::SOL_SOCKET, libc::SO_REUSEPORT, 1)?;
        set(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, SEND_BUFFER_BYTES)?;
        if ipv6 {
            set(&socket, libc::IPPROTO_IPV6, libc::IPV6_V6ONLY, 1)?;
        }
        let (to, length) = encode(&address);
        // SAFETY: the address is as long as is said and lives through the call.
        check(unsafe { libc::bind(socket.as_raw_fd(), pointer(&to), length) })?;
        Ok(socket)
    };
    give_away("bind", bind())
}

/// A TCP socket that is connected or about to be, which the caller owns. It does not block, and
/// sends without delay.
#[napi]
pub fn connect_tcp(host: String, port: u32) -> Result<i32> {
    let connect = || -> io::Result<OwnedFd> {
        let address = numeric(&host, port)?;
        let socket = open(&address, libc::SOCK_STREAM)?;
        set(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
        let (to, length) = encode(&address);
        // SAFETY: the address is as long as is said and lives through the call.
        match check(unsafe { libc::connect(socket.as_raw_fd(), pointer(&to), length) }) {
            Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
            _ => Ok(socket),
        }
    };
    give_away("connect", connect())
}

/// The descriptor of that number, which the caller gives up with the call.
pub fn owned(fd: RawFd) -> io::Result<OwnedFd> {
    borrowed(fd)?;
    // SAFETY: it is no -1, and that it is the caller's to give is what the exports ask for.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Sets an option; 1 turns it on.
pub fn set(socket: &OwnedFd, level: c_int, option: c_int, to: c_int) -> io::Result<()> {
    let value = (&raw const to).cast::<c_void>();
    let bytes = mem::size_of::<c_int>() as socklen_t;
    // SAFETY: the value is as long as is said and lives through the call.
    check(unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value, bytes) })?;
    Ok(())
}

/// The result of a call of the system, or its error.
pub fn check(result: c_int) -> io::Result<c_int> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

fn borrowed<'a>(fd: RawFd) -> io::Result<BorrowedFd<'a>> {
    if fd < 0 {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    // SAFETY: it is no -1, and stays open through the call it was given to, as the exports ask.
    Ok(unsafe { BorrowedFd::borrow_raw(fd) })
}

fn open(address: &SocketAddr, kind: c_int) -> io::Result<OwnedFd> {
    let family = if address.is_ipv6() { libc::AF_INET6 } else { libc::AF_INET };
    // SAFETY: no pointers; the result is checked.
    let fd =
        check(unsafe { libc::socket(family, kind | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC, 0) })?;
    // SAFETY: a fresh descriptor that nobody else knows.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// The address that a text of digits stands for; it may name an interface behind a `%`.
fn numeric(host: &str, port: u32) -> io::Result<SocketAddr> {
    let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
    let port = u16::try_from(port).map_err(|_| invalid())?;
    (host, port).to_socket_addrs()?.next().ok_or_else(invalid)
}

fn pointer(address: &sockaddr_storage) -> *const libc::sockaddr {
    (&raw const *address).cast()
}

fn clamp(backlog: u32) -> c_int {
    c_int::try_from(backlog).unwrap_or(c_int::MAX)
}

fn give_away(call: &str, socket: io::Result<OwnedFd>) -> Result<i32> {
    socket.map(IntoRawFd::into_raw_fd).map_err(|error| failed(call, &error))
}
