//! What only a run that breaks down shows.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{Start, Webhook};
use crate::{clock::RunClock, engine::Settings, outbound::Address};

#[test]
fn a_run_that_never_gets_to_its_report_tells_of_an_error() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let hook = thread::spawn(move || {
        let answers = ["{\"newid\": \"a-17\"}", ""];
        answers.map(|answer| {
            let (mut stream, _) = listener.accept().unwrap();
            let mut heard = Vec::new();
            // The objects have no object in them, and end the request.
            while !heard.ends_with(b"}") {
                let mut piece = [0; 1024];
                let count = stream.read(&mut piece).unwrap();
                heard.extend_from_slice(&piece[..count]);
            }
            let length = answer.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all((head + answer).as_bytes()).unwrap();
            let heard = String::from_utf8(heard).unwrap();
            let (head, body) = heard.split_once("\r\n\r\n").unwrap();
            let line = head.lines().next().unwrap().to_owned();
            (line, serde_json::from_str::<Value>(body).unwrap())
        })
    });
    let settings = Settings {
        name: "shop::evening".to_owned(),
        ..Settings::default()
    };
    let minute = Some(Duration::from_secs(60));
    let start = Start::new(&settings, RunClock::start(), minute, &[]);
    let address = Address::parse(&url).unwrap();
    let mut webhook = Webhook::start(&address, start, &settings).unwrap();
    webhook.begin();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let summary = runtime.block_on(webhook.summary());
    assert_eq!(summary.id.as_deref(), Some("a-17"));
    drop(webhook);

    // The thread that drops it waits, so all has been told by now.
    assert!(hook.is_finished());
    let [(start_line, start), (end_line, end)] = hook.join().unwrap();
    assert_eq!(start_line, "POST /start HTTP/1.1");
    assert_eq!(start["planned_seconds"], 60.0);
    assert_eq!(end_line, "POST /end HTTP/1.1");
    assert_eq!(end["id"], "a-17");
    assert_eq!(end["run"], start["run"]);
    assert_eq!(end["verdict"], "error");
    assert_eq!(end["totals"], Value::Null);
}
