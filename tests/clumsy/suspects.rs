//! Load that asks too much of the one who makes it.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::{Duration, Instant},
};

use mite::{
    Config, Context, Scenario,
    http::{Connections, Settings},
    journey, scenario,
    volume::Constant,
};

const MILLISECOND: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

/// Computes for twenty milliseconds.
#[journey]
async fn compute(_ctx: &Context) -> mite::Result {
    let began = Instant::now();
    while began.elapsed() < 20 * MILLISECOND {
        std::hint::spin_loop();
    }
    Ok(())
}

/// Holds up its worker more than half of the time.
#[journey]
async fn stall(ctx: &Context) -> mite::Result {
    thread::sleep(300 * MILLISECOND);
    ctx.pause(200 * MILLISECOND).await;
    Ok(())
}

/// Keeps a connection for half a second.
#[journey]
async fn hold(ctx: &Context) -> mite::Result {
    for _ in 0..2 {
        ctx.http().get("/").send().await?.expect_status(200)?;
        ctx.pause(250 * MILLISECOND).await;
    }
    Ok(())
}

/// Four seconds of computing in each second, for as many workers as there are.
#[scenario]
fn computing() -> Scenario {
    Scenario::new().journey::<compute>((), Constant::per_second(200, 3 * SECOND))
}

/// One user who holds up everything.
#[scenario]
fn stalling() -> Scenario {
    Scenario::new().journey::<stall>((), Constant::users(1, 3 * SECOND))
}

/// Two hundred users with a connection each.
#[scenario]
fn holding() -> Scenario {
    let connections = Connections::per_journey();
    Scenario::new()
        .http(Settings::new().connections(connections))
        .journey::<hold>((), Constant::users(200, 2 * SECOND))
        .threshold("http{error=\"local\"}.count < 1")
        .threshold("http{error=\"connect\"}.count < 1")
}

/// The same, with a server of its own at the port that the config says.
#[scenario]
fn holding_alone() -> Scenario {
    holding().setup(async |config: &mut Config| {
        let address = ("127.0.0.1", config.get("port")?);
        let listener = TcpListener::bind(address)?;
        config.set("base_url", format!("http://{}", listener.local_addr()?));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || serve(stream));
            }
        });
        Ok(())
    })
}

/// Answers every request with nothing until the client has had enough.
fn serve(mut stream: TcpStream) -> std::io::Result<()> {
    for line in BufReader::new(stream.try_clone()?).lines() {
        if line?.is_empty() {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")?;
        }
    }
    Ok(())
}
