//! Starts a server of each kind, says where they listen and where their files are, and ends as it
//! is told: by leaving `main`, by `exit`, by a panic, or not at all.

use std::{io, process};

use tests::{
    httpbin::Httpbin,
    nginx::Nginx,
    proxy::{HttpProxy, Socks},
};

fn main() {
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
    io::stdin().read_line(&mut how).expect("to be told");
    match how.trim() {
        "leave" => {}
        "exit" => process::exit(0),
        "panic" => panic!("as told"),
        other => unreachable!("{other}"),
    }
}
