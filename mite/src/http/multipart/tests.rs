use std::{collections::BTreeMap, convert::Infallible, io::Write};

use futures_util::stream;
use http_body_util::BodyExt;
use proptest::{collection::vec, prelude::*};

use super::*;

/// The bytes that are sent, with `B` for the boundary.
async fn sent(form: Form) -> String {
    let boundary = form.boundary().to_owned();
    let (body, content_type) = form.into_body().unwrap();
    assert_eq!(
        content_type,
        format!("multipart/form-data; boundary={boundary}")
    );
    let sending = body.open().await.unwrap();
    let bytes = sending.collect().await.unwrap().to_bytes();
    String::from_utf8_lossy(&bytes).replace(&boundary, "B")
}

#[tokio::test]
async fn fields_and_files_are_sent_as_browsers_send_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("beach.jpg");
    std::fs::write(&path, "the picture").unwrap();
    let form = Form::new()
        .text("title", "Holidays")
        .part("notes", Part::text("# Day").file_name("notes.md"))
        .file("photo", path)
        .part("raw", Part::bytes("{}").mime_str("application/json; v=1"))
        .part("odd", Part::bytes("?").file_name("what.isthis"));
    assert_eq!(
        sent(form).await,
        "--B\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nHolidays\r\n\
         --B\r\nContent-Disposition: form-data; name=\"notes\"; filename=\"notes.md\"\r\n\
         Content-Type: text/markdown\r\n\r\n# Day\r\n\
         --B\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"beach.jpg\"\r\n\
         Content-Type: image/jpeg\r\n\r\nthe picture\r\n\
         --B\r\nContent-Disposition: form-data; name=\"raw\"\r\n\
         Content-Type: application/json; v=1\r\n\r\n{}\r\n\
         --B\r\nContent-Disposition: form-data; name=\"odd\"; filename=\"what.isthis\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n?\r\n\
         --B--\r\n"
    );
    assert_eq!(sent(Form::new()).await, "--B--\r\n");
}

#[tokio::test]
async fn a_name_cannot_break_out_of_its_quotes() {
    let part = Part::text("").file_name("\r\n\r\nü\".txt");
    let form = Form::new().part("a\"; b=\"c\r\nx: y", part);
    assert_eq!(
        sent(form).await,
        "--B\r\nContent-Disposition: form-data; name=\"a%22; b=%22c%0D%0Ax: y\"; \
         filename=\"%0D%0A%0D%0Aü%22.txt\"\r\nContent-Type: text/plain\r\n\r\n\r\n--B--\r\n"
    );
}

#[tokio::test]
async fn a_form_has_a_length_unless_a_part_has_none_and_is_sent_again_unless_one_is_a_stream() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&[7; 100_000]).unwrap();
    let parts = || stream::iter([Ok::<_, Infallible>("part")]);
    let text = || Form::new().text("a", "b");
    for (form, has_length, repeatable) in [
        (text(), true, true),
        (text().file("f", file.path()), true, true),
        (
            text().part("s", Part::sized_stream(4, parts())),
            true,
            false,
        ),
        (text().part("s", Part::stream(parts())), false, false),
    ] {
        let (body, _) = form.into_body().unwrap();
        assert_eq!(body.is_repeatable(), repeatable);
        for _ in 0..if repeatable { 2 } else { 1 } {
            let sending = body.open().await.unwrap();
            let length = hyper::body::Body::size_hint(&sending).exact();
            let bytes = sending.collect().await.unwrap().to_bytes();
            assert_eq!(length, has_length.then_some(bytes.len() as u64));
        }
    }
}

#[test]
fn a_form_in_memory_is_bytes() {
    let (body, _) = Form::new().text("a", "b").into_body().unwrap();
    assert!(body.ready().is_some() && body.bytes().is_some());
}

#[test]
fn what_is_no_content_type_is_told_with_its_part() {
    for wrong in ["jpeg", "", "a/", "/b", "text /plain", "text/plain\r\nx: y"] {
        let form = Form::new().part("photo", Part::text("").mime_str(wrong));
        assert_eq!(
            form.into_body().unwrap_err(),
            format!(
                "part \"photo\": {wrong:?} is not a content type; one looks like \
                 \"text/plain; charset=utf-8\""
            )
        );
    }
}

#[test]
fn every_form_has_a_boundary_of_its_own() {
    let (one, other) = (Form::new(), Form::new());
    assert_ne!(one.boundary(), other.boundary());
    assert!(one.boundary().len() <= 70);
}

/// The parts in a form, read as a server reads them: by name.
fn parse(boundary: &str, mut body: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let find = |bytes: &[u8], wanted: &[u8]| {
        let mut windows = bytes.windows(wanted.len());
        windows.position(|window| window == wanted).unwrap()
    };
    let mut parts = BTreeMap::new();
    let separator = format!("\r\n--{boundary}");
    body = body.strip_prefix(&separator.as_bytes()[2..]).unwrap();
    while body != b"--\r\n" {
        body = body.strip_prefix(b"\r\n").unwrap();
        let head_end = find(body, b"\r\n\r\n");
        let head = std::str::from_utf8(&body[..head_end]).unwrap();
        let name = head.split('"').nth(1).unwrap();
        body = &body[head_end + 4..];
        let end = find(body, separator.as_bytes());
        parts.insert(name.to_owned(), body[..end].to_vec());
        body = &body[end + separator.len()..];
    }
    parts
}

proptest! {
    #[test]
    fn a_server_reads_the_parts_that_were_put_in(
        parts in vec((any::<bool>(), vec(any::<u8>(), 0..200)), 0..5)
    ) {
        let mut form = Form::new();
        let boundary = form.boundary().to_owned();
        let mut put_in = BTreeMap::new();
        for (number, (streamed, content)) in parts.into_iter().enumerate() {
            put_in.insert(number.to_string(), content.clone());
            let part = if streamed {
                let pieces: Vec<_> = content.chunks(7).map(<[u8]>::to_vec).collect();
                Part::stream(stream::iter(pieces.into_iter().map(Ok::<_, Infallible>)))
            } else {
                Part::bytes(content)
            };
            form = form.part(number.to_string(), part);
        }
        let (body, _) = form.into_body().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bytes = runtime.block_on(async {
            body.open().await.unwrap().collect().await.unwrap().to_bytes()
        });
        prop_assert_eq!(parse(&boundary, &bytes), put_in);
    }
}
