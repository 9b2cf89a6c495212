//! A port on which nobody accepts.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    thread,
};

use tokio::{net::TcpSocket, runtime::Builder};

/// A port that is listened on, but whose queue is full for ever: nobody who connects hears a word,
/// not even of TCP.
#[derive(Debug)]
pub struct Deaf {
    listener: TcpListener,
    /// What fills the queue.
    _waiting: TcpStream,
}

impl Deaf {
    /// One on a free port.
    pub fn start() -> Self {
        Self::on((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// One on this address.
    pub fn on(address: SocketAddr) -> Self {
        // A runtime is needed to set the length of a queue, and is not let go of within another.
        let listening = thread::spawn(move || {
            let runtime = Builder::new_current_thread().enable_all().build().unwrap();
            let _inside = runtime.enter();
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(address).unwrap();
            socket.listen(0).unwrap().into_std().unwrap()
        });
        let listener = listening.join().expect("a port to listen on");
        let waiting = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        Self {
            listener,
            _waiting: waiting,
        }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap()
    }

    /// The URL of its root, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}
