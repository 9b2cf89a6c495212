//! What an nginx is to serve, and how.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
};

use super::{Nginx, log::FORMAT};
use crate::certificates::{Authority, Identity};

/// The size of what `/file` and `/trickle` give; the second takes 16 seconds for it.
pub const FILE_SIZE: usize = 64 * 1024;

/// What every server has, whatever a test adds to it.
const LOCATIONS: &str = r#"
    location = / { return 200 "hello\n"; }
    location /item/ { return 200 "an item\n"; }
    location = /missing { return 404 "no such page\n"; }
    location = /broken { return 500 "out of order\n"; }
    location = /file { alias @/file.bin; }
    location = /trickle { alias @/file.bin; limit_rate 4k; }
    location /store { client_max_body_size 10m; proxy_pass http://unix:@/upstream.sock:; }
"#;

/// How an nginx serves.
///
/// ```no_run
/// use tests::{certificates::Authority, nginx::Config};
///
/// let authority = Authority::new();
/// let nginx = Config::tls(&authority.server())
///     .http2()
///     .verify_clients(&authority)
///     .directives("keepalive_requests 10;")
///     .start();
/// ```
#[derive(Clone, Debug)]
#[must_use = "a server has to be started"]
pub struct Config {
    address: IpAddr,
    identity: Option<Identity>,
    client_authority: Option<String>,
    http2: bool,
    directives: String,
}

impl Config {
    /// HTTP/1.1 in the clear.
    pub fn plain() -> Self {
        Self {
            address: Ipv4Addr::LOCALHOST.into(),
            identity: None,
            client_authority: None,
            http2: false,
            directives: String::new(),
        }
    }

    /// HTTP/1.1 over TLS 1.2 and 1.3, with this certificate.
    pub fn tls(identity: &Identity) -> Self {
        Self {
            identity: Some(identity.clone()),
            ..Self::plain()
        }
    }

    /// HTTP/2: with TLS for those who ask for it by ALPN; in the clear by prior knowledge, and
    /// then nothing else.
    pub fn http2(mut self) -> Self {
        self.http2 = true;
        self
    }

    /// Refuses (400) who does not show a certificate that this authority has signed.
    pub fn verify_clients(mut self, authority: &Authority) -> Self {
        self.client_authority = Some(authority.pem());
        self
    }

    /// Listens on this address of loopback; on 127.0.0.1 unless set.
    pub fn address(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Adds directives to the `server` block.
    pub fn directives(mut self, directives: &str) -> Self {
        self.directives += directives;
        self.directives.push('\n');
        self
    }

    /// Starts it.
    pub fn start(self) -> Nginx {
        Nginx::launch(&self, self.address)
    }

    pub(super) fn scheme(&self) -> &'static str {
        match self.identity {
            Some(_) => "https",
            None => "http",
        }
    }

    /// Writes everything it reads into its directory.
    pub(super) fn write(&self, directory: &Path, address: SocketAddr) {
        let write = |name: &str, text: &[u8]| fs::write(directory.join(name), text).unwrap();
        let mut listen = format!("listen {address} backlog=4096");
        if self.http2 {
            listen += " http2";
        }
        if let Some(identity) = &self.identity {
            write("certificate.pem", identity.certificate.as_bytes());
            write("key.pem", identity.key.as_bytes());
            listen += " ssl; ssl_certificate certificate.pem; ssl_certificate_key key.pem; \
                       ssl_protocols TLSv1.2 TLSv1.3";
        }
        if let Some(authority) = &self.client_authority {
            write("clients.pem", authority.as_bytes());
            listen += "; ssl_client_certificate clients.pem; ssl_verify_client on";
        }
        write("file.bin", &[b'x'; FILE_SIZE]);
        write("nginx.conf", self.text(&listen, directory).as_bytes());
    }

    fn text(&self, listen: &str, directory: &Path) -> String {
        let directory = directory.display();
        let locations = LOCATIONS.replace('@', &directory.to_string());
        let directives = &self.directives;
        format!(
            r#"
daemon off;
pid nginx.pid;
worker_processes 1;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    log_format lines '{FORMAT}';
    access_log access.log lines;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        {listen};
        listen unix:{directory}/server.sock;
        {directives}
        {locations}
    }}
    server {{
        listen unix:{directory}/upstream.sock;
        access_log off;
        location / {{ return 201 "stored\n"; }}
    }}
}}
"#
        )
    }
}
