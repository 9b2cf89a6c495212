//! The dashboard in a real browser, while a real run goes on.

use serde_json::json;
use tests::{
    asking::free_address,
    browser::{Browser, Page},
};

use crate::{
    program::{Running, command},
    served::visits,
    server::Server,
};

/// The shape of the line of requests.
const LINE: &str =
    "(document.querySelector('#course figure:nth-child(3) .plot .line')?.getAttribute('d') ?? '')";

/// Clicks a button once there is something to click.
fn click(page: &mut Page<'_>, button: &str) {
    let found = format!(
        "[...document.querySelectorAll('button')].find((one) => one.textContent === '{button}')"
    );
    page.wait_for(&format!("{found} && !{found}.hidden && !{found}.disabled"));
    page.evaluate(&format!("{found}.click()"));
}

#[test]
fn charts_move_and_stop_and_volume_work_in_a_browser() {
    let server = Server::start();
    let (running, asked) = visits(&server, 600, &[]);
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("http://{}/", asked.0), 1200);

    page.wait_for(&format!("{LINE} !== ''"));
    for _ in 0..2 {
        let line = page.evaluate(LINE);
        page.wait_for(&format!("{LINE} !== {line}"));
    }
    click(&mut page, "Raise");
    page.wait_for("document.body.textContent.includes('110 % of the plan')");
    assert_eq!(
        asked.json("/api/volume"),
        json!({"adjustable": true, "factor": 1.1})
    );

    click(&mut page, "Stop the run");
    page.wait_for("document.body.textContent.includes('the run is over')");
    page.wait_for("document.querySelector('.verdict').className.includes('interrupted')");
    assert_eq!(page.complaints(), [""; 0]);
    drop(browser);
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended}");
}

#[test]
fn a_run_that_is_being_set_up_is_shown_as_that_and_can_be_stopped() {
    let address = free_address();
    let hanging = ["scenario", "test", "setup", "--config", "wrong=hang"];
    let served = ["--metrics", &*address];
    let mut running = Running::start(&mut command(&[&hanging[..], &served].concat()));
    running.wait_for("stuck");
    let mut browser = Browser::start();
    let mut page = browser.open(&format!("http://{address}/"), 1200);
    page.wait_for("document.body.textContent.includes('nothing has been measured yet')");
    assert_eq!(page.complaints(), [""; 0]);
    click(&mut page, "Stop the run");
    let ended = running.end();
    assert_eq!(ended.code, Some(130), "{ended}");
}
