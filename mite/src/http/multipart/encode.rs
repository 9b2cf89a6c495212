//! A form as the bytes, files and streams that are sent.

use bytes::{BufMut, Bytes, BytesMut};
use http::HeaderValue;

use super::{Body, Form, Part};

/// What is sent, and its content type; or the mistake that was made with a part.
pub(super) fn encode(form: Form) -> Result<(Body, HeaderValue), String> {
    let Form { boundary, parts } = form;
    let mut encoded = Encoded::default();
    for (name, part) in parts {
        encoded.head(&boundary, &name, &part)?;
        encoded.content(part.body);
        encoded.text(&["\r\n"]);
    }
    encoded.text(&["--", &boundary, "--\r\n"]);
    let content_type = format!("multipart/form-data; boundary={boundary}");
    let content_type = HeaderValue::try_from(content_type).map_err(|error| error.to_string())?;
    Ok((encoded.into_body(), content_type))
}

/// What is to be sent so far; what is in memory is put together.
#[derive(Default)]
struct Encoded {
    before: Vec<Body>,
    last: BytesMut,
}

impl Encoded {
    fn head(&mut self, boundary: &str, name: &str, part: &Part) -> Result<(), String> {
        let name = escape(name);
        self.text(&["--", boundary, "\r\n"]);
        self.text(&["Content-Disposition: form-data; name=\"", &name, "\""]);
        if let Some(file_name) = &part.file_name {
            self.text(&["; filename=\"", &escape(file_name), "\""]);
        }
        let content_type = part.content_type();
        let content_type = content_type.map_err(|mistake| format!("part {name:?}: {mistake}"))?;
        if let Some(content_type) = content_type {
            self.text(&["\r\nContent-Type: "]);
            self.last.put_slice(content_type.as_bytes());
        }
        self.text(&["\r\n\r\n"]);
        Ok(())
    }

    fn content(&mut self, body: Body) {
        if let Some(bytes) = body.bytes() {
            self.last.put_slice(bytes);
        } else {
            let last = self.take_last();
            self.before.extend([last.into(), body]);
        }
    }

    fn text(&mut self, pieces: &[&str]) {
        for piece in pieces {
            self.last.put_slice(piece.as_bytes());
        }
    }

    fn take_last(&mut self) -> Bytes {
        self.last.split().freeze()
    }

    fn into_body(mut self) -> Body {
        let last = self.take_last().into();
        if self.before.is_empty() {
            return last;
        }
        self.before.push(last);
        Body::chain(self.before)
    }
}

/// A name between quotes as browsers write it (WHATWG HTML, section 4.10.21.8).
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '"' => escaped.push_str("%22"),
            '\r' => escaped.push_str("%0D"),
            '\n' => escaped.push_str("%0A"),
            letter => escaped.push(letter),
        }
    }
    escaped
}
