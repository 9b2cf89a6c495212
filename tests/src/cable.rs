//! A cable between a client and a server on this machine, which can be cut.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{Arc, Condvar, Mutex},
    thread,
    time::Duration,
};

/// Passes bytes on to a server. While it is cut nothing gets through, and nobody is told: what was
/// sent meanwhile arrives when it is whole again.
#[derive(Debug)]
pub struct Cable {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    is_cut: Mutex<bool>,
    changed: Condvar,
}

impl Cable {
    /// A cable to this port.
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<State>::default();
        let shared = Arc::clone(&state);
        // It ends with the process; nobody is told of a cable that nobody uses any more.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) else {
                    continue;
                };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let state = Arc::clone(&shared);
                    thread::spawn(move || {
                        let _ = state.pass(&from, &to);
                        let _ = to.shutdown(Shutdown::Both);
                        let _ = from.shutdown(Shutdown::Both);
                    });
                }
            }
        });
        Self { address, state }
    }

    /// The end a client connects to.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Cuts it for a while.
    pub fn cut_for(&self, pause: Duration) {
        self.state.set(true);
        thread::sleep(pause);
        self.state.set(false);
    }
}

impl State {
    fn set(&self, is_cut: bool) {
        *self.is_cut.lock().unwrap() = is_cut;
        self.changed.notify_all();
    }

    fn pass(&self, mut from: &TcpStream, mut to: &TcpStream) -> io::Result<()> {
        let mut buffer = [0; 16 << 10];
        loop {
            let length = from.read(&mut buffer)?;
            if length == 0 {
                return Ok(());
            }
            let is_cut = self.is_cut.lock().unwrap();
            drop(self.changed.wait_while(is_cut, |is_cut| *is_cut).unwrap());
            to.write_all(&buffer[..length])?;
        }
    }
}
