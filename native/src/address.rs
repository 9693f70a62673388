//! Addresses of sockets between the kernel's form, std's, and the text of `stats conns`.

use std::ffi::OsStr;
use std::io;
use std::mem;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::RawFd;
use std::os::unix::ffi::OsStrExt;

use libc::{sockaddr_in, sockaddr_in6, sockaddr_storage, sockaddr_un, socklen_t};

use crate::sockets::check;

/// What stands for an end that has no address any more.
const UNKNOWN: &str = "unknown";

/// An address of any family, as the kernel writes it.
pub struct RawAddress {
    storage: sockaddr_storage,
}

impl RawAddress {
    /// Room for an address, which is of no family yet.
    pub fn empty() -> RawAddress {
        // SAFETY: all zeros is a value of this type.
        RawAddress { storage: unsafe { mem::zeroed() } }
    }

    /// Bytes that there is room for.
    pub fn length(&self) -> socklen_t {
        mem::size_of::<sockaddr_storage>() as socklen_t
    }

    /// Where the kernel writes an address.
    pub fn pointer(&mut self) -> *mut libc::sockaddr {
        (&raw mut self.storage).cast()
    }

    /// As `stats conns` shows it; an IPv4 address in IPv6's clothes is one of IPv4.
    pub fn text(&self) -> String {
        match self.family() {
            libc::AF_INET | libc::AF_INET6 => self.internet_text(),
            libc::AF_UNIX => self.unix_text(),
            _ => UNKNOWN.to_string(),
        }
    }

    pub fn is_unix(&self) -> bool {
        self.family() == libc::AF_UNIX
    }

    fn family(&self) -> libc::c_int {
        libc::c_int::from(self.storage.ss_family)
    }

    fn internet_text(&self) -> String {
        let Some(address) = self.decode() else { return UNKNOWN.to_string() };
        let port = address.port();
        match address.ip().to_canonical() {
            IpAddr::V4(host) => format!("tcp:{host}:{port}"),
            IpAddr::V6(host) => format!("tcp6:[{host}]:{port}"),
        }
    }

    fn decode(&self) -> Option<SocketAddr> {
        match self.family() {
            libc::AF_INET => {
                // SAFETY: the family says that it is one of these, smaller than the storage.
                let v4 = unsafe { &*(&raw const self.storage).cast::<sockaddr_in>() };
                let host = Ipv4Addr::from(v4.sin_addr.s_addr.to_ne_bytes());
                Some(SocketAddr::V4(SocketAddrV4::new(host, u16::from_be(v4.sin_port))))
            }
            libc::AF_INET6 => {
                // SAFETY: as above.
                let v6 = unsafe { &*(&raw const self.storage).cast::<sockaddr_in6>() };
                let host = Ipv6Addr::from(v6.sin6_addr.s6_addr);
                let (port, scope) = (u16::from_be(v6.sin6_port), v6.sin6_scope_id);
                Some(SocketAddr::V6(SocketAddrV6::new(host, port, v6.sin6_flowinfo, scope)))
            }
            _ => None,
        }
    }

    fn unix_text(&self) -> String {
        // SAFETY: the family says that it is one of these, smaller than the storage.
        let address = unsafe { &*(&raw const self.storage).cast::<sockaddr_un>() };
        let bytes: Vec<u8> =
            address.sun_path.iter().map(|c| c.to_ne_bytes()[0]).take_while(|&c| c != 0).collect();
        format!("unix:{}", OsStr::from_bytes(&bytes).to_string_lossy())
    }
}

/// The socket's own end.
pub fn local_end(fd: RawFd) -> io::Result<RawAddress> {
    let mut address = RawAddress::empty();
    let mut length = address.length();
    // SAFETY: the address has the length that is said, and both live through the call.
    check(unsafe { libc::getsockname(fd, address.pointer(), &mut length) })?;
    Ok(address)
}

/// The kernel's form, and its length in bytes.
pub fn encode(address: &SocketAddr) -> (sockaddr_storage, socklen_t) {
    let mut storage = RawAddress::empty().storage;
    match address {
        SocketAddr::V4(v4) => {
            let bytes = sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            // SAFETY: the storage is larger, and aligned for every kind of address.
            unsafe { (&raw mut storage).cast::<sockaddr_in>().write(bytes) };
            (storage, mem::size_of::<sockaddr_in>() as socklen_t)
        }
        SocketAddr::V6(v6) => {
            let bytes = sockaddr_in6 {
                sin6_family: libc::AF_INET6 as libc::sa_family_t,
                sin6_port: v6.port().to_be(),
                sin6_flowinfo: v6.flowinfo(),
                sin6_addr: libc::in6_addr { s6_addr: v6.ip().octets() },
                sin6_scope_id: v6.scope_id(),
            };
            // SAFETY: as above.
            unsafe { (&raw mut storage).cast::<sockaddr_in6>().write(bytes) };
            (storage, mem::size_of::<sockaddr_in6>() as socklen_t)
        }
    }
}
