//! A real browser without a window (Chromium), told what to do by the protocol of its tools:
//! <https://chromedevtools.github.io/devtools-protocol/>.

use std::{
    fs::{File, OpenOptions},
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::process::{PATIENCE, Process, program, readable_directory};

/// Chromium reads commands from file descriptor 3 and answers on 4; the shell opens them in the
/// order in which we do.
const START: &str = r#"exec 3<"$1/to" 4>"$1/from" "$2" \
    --headless=new --no-sandbox --remote-debugging-pipe --user-data-dir="$1/profile" \
    --disable-gpu --disable-dev-shm-usage --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --hide-scrollbars --force-color-profile=srgb \
    --proxy-server=127.0.0.1:9 about:blank"#;

/// A running browser; dropping it stops it.
#[derive(Debug)]
pub struct Browser {
    // Before its directory, so that it is gone when that is removed.
    process: Process,
    to: File,
    from: Receiver<Value>,
    last: u64,
    events: Vec<Value>,
    _directory: TempDir,
}

impl Browser {
    /// Starts one with a profile of its own. It reaches nothing but loopback: what else it asks for goes to a proxy that is not there.
    pub fn start() -> Self {
        let directory = readable_directory();
        let pipes = ["to", "from"].map(|name| directory.path().join(name));
        let made = Command::new("mkfifo").args(&pipes).status();
        assert!(made.is_ok_and(|status| status.success()), "no pipes");
        let mut command = Command::new("sh");
        command
            .args(["-c", START, "browser"])
            .arg(directory.path())
            .arg(program("chromium"))
            .env("HOME", directory.path())
            .stdin(Stdio::null());
        let process = Process::start("chromium", &mut command, directory.path());
        let to = OpenOptions::new().write(true).open(&pipes[0]).unwrap();
        let answers = BufReader::new(File::open(&pipes[1]).unwrap());
        let (sender, from) = channel();
        thread::spawn(move || {
            for message in answers.split(0).map_while(Result::ok) {
                let message = serde_json::from_slice(&message).expect("a message of DevTools");
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut browser = Self {
            process,
            to,
            from,
            last: 0,
            events: Vec::new(),
            _directory: directory,
        };
        browser.ask(None, "Browser.getVersion", &json!({}));
        browser
    }

    /// Opens a page of this width in points and waits until it has loaded.
    pub fn open(&mut self, url: &str, width: u32) -> Page<'_> {
        let made = self.ask(None, "Target.createTarget", &json!({"url": "about:blank"}));
        let attach = json!({"targetId": made["targetId"], "flatten": true});
        let attached = self.ask(None, "Target.attachToTarget", &attach);
        let session = attached["sessionId"].as_str().unwrap().to_owned();
        let mut page = Page {
            browser: self,
            session,
        };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            page.ask(&format!("{domain}.enable"), &json!({}));
        }
        page.resize(width, 900);
        let went = page.ask("Page.navigate", &json!({"url": url}));
        assert_eq!(went.get("errorText"), None, "{url}: {went}");
        page.wait_for("document.readyState === 'complete' && location.href !== 'about:blank'");
        page
    }

    fn ask(&mut self, session: Option<&str>, method: &str, parameters: &Value) -> Value {
        self.last += 1;
        let mut command = json!({"id": self.last, "method": method, "params": parameters});
        if let Some(session) = session {
            command["sessionId"] = json!(session);
        }
        let mut bytes = command.to_string().into_bytes();
        bytes.push(0);
        self.to
            .write_all(&bytes)
            .unwrap_or_else(|error| panic!("{method}: {error}: {}", self.process.output()));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let message = self.from.recv_timeout(left).unwrap_or_else(|error| {
                panic!("{method}: {error}; it wrote: {}", self.process.output())
            });
            if message["id"] == self.last {
                assert_eq!(message.get("error"), None, "{method} {parameters}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }
}

/// A page that is open.
#[derive(Debug)]
pub struct Page<'a> {
    browser: &'a mut Browser,
    session: String,
}

impl Page<'_> {
    /// What an expression of JavaScript comes to, awaited if it is a promise.
    pub fn evaluate(&mut self, expression: &str) -> Value {
        let asked = json!({
            "expression": expression, "returnByValue": true, "awaitPromise": true,
            "userGesture": true,
        });
        let answer = self.ask("Runtime.evaluate", &asked);
        assert_eq!(answer.get("exceptionDetails"), None, "{expression}");
        answer["result"]["value"].clone()
    }

    /// Waits until an expression of JavaScript holds.
    pub fn wait_for(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.evaluate(&format!("Boolean({expression})")) != true {
            assert!(Instant::now() < deadline, "{expression} never holds");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Presses a key, named as JavaScript does: `Enter`, `ArrowRight`.
    pub fn press(&mut self, key: &str) {
        let text = match key {
            "Enter" => "\r",
            " " => " ",
            _ => "",
        };
        let key = json!({
            "type": "keyDown", "key": key, "code": key, "text": text,
            "windowsVirtualKeyCode": match key { "Enter" => 13, "Tab" => 9, " " => 32, _ => 0 },
        });
        self.ask("Input.dispatchKeyEvent", &key);
        let mut up = key;
        up["type"] = json!("keyUp");
        up["text"] = json!("");
        self.ask("Input.dispatchKeyEvent", &up);
    }

    /// Writes text to where the cursor is.
    pub fn write(&mut self, text: &str) {
        self.ask("Input.insertText", &json!({"text": text}));
    }

    /// Moves the mouse to the middle of the first element that a selector of CSS finds.
    pub fn point_at(&mut self, selector: &str) -> (f64, f64) {
        let middle = self.evaluate(&format!(
            "(() => {{ const element = document.querySelector({});
                element.scrollIntoView({{ block: 'center' }});
                const box = element.getBoundingClientRect();
                return [box.x + box.width / 2, box.y + box.height / 2]; }})()",
            json!(selector)
        ));
        let place = (middle[0].as_f64().unwrap(), middle[1].as_f64().unwrap());
        self.mouse("mouseMoved", place, 0);
        place
    }

    /// Moves, presses or releases the mouse (`mouseMoved`, `mousePressed`, `mouseReleased`), with
    /// so many buttons down.
    pub fn mouse(&mut self, kind: &str, place: (f64, f64), buttons: u32) {
        let button = if kind == "mouseMoved" && buttons == 0 {
            "none"
        } else {
            "left"
        };
        let event = json!({
            "type": kind, "x": place.0, "y": place.1, "button": button, "buttons": buttons,
            "clickCount": 1,
        });
        self.ask("Input.dispatchMouseEvent", &event);
    }

    /// Makes the window of another size, in points.
    pub fn resize(&mut self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.ask("Emulation.setDeviceMetricsOverride", &size);
    }

    /// Light or dark, as the user of the browser would have asked for.
    pub fn prefer(&mut self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.ask("Emulation.setEmulatedMedia", &features);
    }

    /// Shows it as on paper (`print`) or as usual (`screen`).
    pub fn as_on(&mut self, medium: &str) {
        self.ask("Emulation.setEmulatedMedia", &json!({"media": medium}));
    }

    /// A picture of the whole page, as PNG.
    pub fn picture(&mut self, path: &Path) {
        let size = self.ask("Page.getLayoutMetrics", &json!({}))["cssContentSize"].clone();
        let asked = json!({
            "format": "png", "captureBeyondViewport": true,
            "clip": {
                "x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1,
            },
        });
        let taken = self.ask("Page.captureScreenshot", &asked);
        save(&taken, path);
    }

    /// The page as it is printed, as PDF.
    pub fn print(&mut self, path: &Path) {
        let asked = json!({"printBackground": true, "preferCSSPageSize": false});
        let printed = self.ask("Page.printToPDF", &asked);
        save(&printed, path);
    }

    /// What the page has asked for, its own address first; addresses that hold what they name
    /// (`data:`) are none.
    pub fn requests(&mut self) -> Vec<String> {
        let sent = self.events("Network.requestWillBeSent");
        sent.iter()
            .map(|event| event["request"]["url"].as_str().unwrap().to_owned())
            .filter(|url| !url.starts_with("data:"))
            .collect()
    }

    /// What went wrong in it: exceptions nobody caught, errors and warnings on the console or in
    /// the log.
    pub fn complaints(&mut self) -> Vec<String> {
        // Whatever was said before this answer is here then.
        self.evaluate("1");
        let thrown = self.events("Runtime.exceptionThrown");
        let told = self.events("Runtime.consoleAPICalled");
        let logged = self.events("Log.entryAdded");
        let told = told.into_iter().filter(|event| {
            ["error", "warning", "assert"].contains(&event["type"].as_str().unwrap())
        });
        let logged = logged.into_iter().filter(|event| {
            ["error", "warning"].contains(&event["entry"]["level"].as_str().unwrap())
        });
        let all = thrown.into_iter().chain(told).chain(logged);
        all.map(|event| event.to_string()).collect()
    }

    fn events(&self, method: &str) -> Vec<Value> {
        let events = self.browser.events.iter();
        events
            .filter(|event| event["method"] == method && event["sessionId"] == *self.session)
            .map(|event| event["params"].clone())
            .collect()
    }

    fn ask(&mut self, method: &str, parameters: &Value) -> Value {
        self.browser.ask(Some(&self.session), method, parameters)
    }
}

fn save(answer: &Value, path: &Path) {
    let bytes = STANDARD.decode(answer["data"].as_str().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}
