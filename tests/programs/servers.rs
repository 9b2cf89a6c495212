//! Starts a server of each kind, says where they listen and where their files are, and ends as it
//! is told: by leaving `main`, by `exit`, by a panic, or not at all.

use std::{io, process};

use tests::{
    httpbin::Httpbin,
    nginx::Nginx,
    proxy::{HttpProxy, Socks},
};

fn main() -> io::Result<()> {
    let nginx = Nginx::start();
    let proxy = HttpProxy::start(None);
    let socks = Socks::start(None);
    let httpbin = Httpbin::shared();
    let addresses = [
        nginx.address(),
        proxy.address(),
        socks.address(),
        httpbin.address(),
    ];
    println!("{}", addresses.map(|address| address.to_string()).join(" "));
    let mut how = String::new();
    io::stdin().read_line(&mut how)?;
    assert_ne!(how.trim(), "panic", "as told");
    if how.trim() == "exit" {
        process::exit(0);
    }
    Ok(())
}
