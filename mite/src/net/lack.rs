//! What this machine ran out of, so that no connection could be opened: no fault of the server.

use std::{io, net::SocketAddr};

use nix::errno::Errno;

/// Something of this machine's own that a connection takes and that was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lack {
    /// File descriptors of the process or of the whole system: `EMFILE`, `ENFILE`.
    Descriptors,
    /// A local port or address to connect from: `EADDRNOTAVAIL`, `EADDRINUSE`.
    Ports,
    /// Memory or buffers of the kernel: `ENOMEM`, `ENOBUFS`.
    Memory,
}

impl Lack {
    /// What was lacking when a connection could not be opened; `None` when the other side or the
    /// network is to blame.
    pub(crate) fn of(error: &io::Error) -> Option<Self> {
        if error.kind() == io::ErrorKind::AddrInUse {
            return Some(Self::Ports);
        }
        match Errno::from_raw(error.raw_os_error()?) {
            Errno::EMFILE | Errno::ENFILE => Some(Self::Descriptors),
            Errno::EADDRNOTAVAIL => Some(Self::Ports),
            Errno::ENOMEM | Errno::ENOBUFS => Some(Self::Memory),
            _ => None,
        }
    }

    /// What to do about it, where `address` was to be connected to.
    pub(super) fn advice(self, address: Option<SocketAddr>) -> &'static str {
        match self {
            Self::Descriptors => "; raise the limit of open files (ulimit -n)",
            // Also said of a family that the machine has no address of.
            Self::Ports if address.is_some_and(|address| address.is_ipv6()) => {
                "; this machine has no IPv6 address to connect from, or has run out of local ports: \
                 keep connections alive, use more source addresses or more runners, or widen \
                 net.ipv4.ip_local_port_range"
            }
            Self::Ports => {
                "; this machine has run out of local ports: keep connections alive, use more source \
                 addresses or more runners, or widen net.ipv4.ip_local_port_range"
            }
            Self::Memory => {
                "; this machine has no memory left for connections: use fewer, or a larger machine"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_this_machine_lacks_is_told_from_what_the_server_does() {
        for (errno, lack) in [
            (Errno::EMFILE, Some(Lack::Descriptors)),
            (Errno::ENFILE, Some(Lack::Descriptors)),
            (Errno::EADDRNOTAVAIL, Some(Lack::Ports)),
            (Errno::EADDRINUSE, Some(Lack::Ports)),
            (Errno::ENOMEM, Some(Lack::Memory)),
            (Errno::ENOBUFS, Some(Lack::Memory)),
            (Errno::ECONNREFUSED, None),
            (Errno::ECONNRESET, None),
            (Errno::ENETUNREACH, None),
            (Errno::ETIMEDOUT, None),
        ] {
            let error = io::Error::from_raw_os_error(errno as i32);
            assert_eq!(Lack::of(&error), lack, "{errno}");
        }
        assert_eq!(Lack::of(&io::Error::other("something else")), None);
    }
}
